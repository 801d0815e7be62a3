/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <asm/unistd_64.h>

#include "arch/user.h"
#include "channel/channel.h"
#include "fs/abi_dirent.h"
#include "fs/linux.h"
#include "fs/own.h"
#include "fs/text.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "task/process.h"
#include "task/thread.h"

#define OPEN_MOST 64u

/* Directories of ours that a program has open; under process->lock. */
struct own_directories {
	unsigned int count;
	struct {
		int fd;
		char path[OWN_PATH_MOST];
	} open[OPEN_MOST];
};

#define TYPE_DIRECTORY 4u
#define TYPE_FILE 8u
#define SEEK_CURRENT 1u

/* ---- which they are ---- */

/* The place of FD in the list, or -1; process->lock is held. */
static int find(const struct own_directories *all, int fd)
{
	unsigned int i;

	for (i = 0; all && i < all->count; i++) {
		if (all->open[i].fd == fd)
			return (int)i;
	}
	return -1;
}

/* Has the program none open? Asked before each close, so without the lock. */
static bool has_none(const struct process *process)
{
	const struct own_directories *all = __atomic_load_n(&process->directories,
							    __ATOMIC_ACQUIRE);

	return !all || __atomic_load_n(&all->count, __ATOMIC_RELAXED) == 0;
}

bool own_dir_path(int fd, char *path)
{
	struct process *process = process_current();
	struct own_directories *all;
	int place;

	if (fd < 0 || has_none(process))
		return false;
	lock_take(&process->lock);
	all = process->directories;
	place = find(all, fd);
	if (place >= 0 && path)
		strlcpy(path, all->open[place].path, OWN_PATH_MOST);
	lock_drop(&process->lock);
	return place >= 0;
}

/* False: there are too many, or no memory. */
static bool add(int fd, const char *path)
{
	struct process *process = process_current();
	struct own_directories *new = NULL, *all;
	bool added = false;

	if (!process->directories)
		new = heap_alloc_zero(sizeof(*new));
	lock_take(&process->lock);
	if (!process->directories) {
		__atomic_store_n(&process->directories, new, __ATOMIC_RELEASE);
		new = NULL;
	}
	all = process->directories;
	if (all && all->count < OPEN_MOST) {
		all->open[all->count].fd = fd;
		strlcpy(all->open[all->count].path, path, OWN_PATH_MOST);
		all->count++;
		added = true;
	}
	lock_drop(&process->lock);
	heap_free(new);
	return added;
}

void own_dir_forget(uint32_t first, uint32_t last)
{
	struct process *process = process_current();
	struct own_directories *all;
	unsigned int i;

	if (has_none(process))
		return;
	lock_take(&process->lock);
	all = process->directories;
	for (i = 0; i < all->count;) {
		if ((uint32_t)all->open[i].fd >= first && (uint32_t)all->open[i].fd <= last)
			all->open[i] = all->open[--all->count];
		else
			i++;
	}
	lock_drop(&process->lock);
}

void own_dir_copy(int from, int to)
{
	char path[OWN_PATH_MOST];

	/* If it cannot be noted, TO is the memory file that it is: reading it shows nothing wrong. */
	if (from != to && own_dir_path(from, path))
		add(to, path);
}

/* ---- what is in them ---- */

static bool has_name(const struct text *text, const char *name)
{
	const struct dirent_head *entry;
	size_t at;

	for (at = 0; at < text->used; at += entry->size) {
		entry = (const struct dirent_head *)(text->bytes + at);
		if (strcmp(text->bytes + at + NAME_AT, name) == 0)
			return true;
	}
	return false;
}

static void add_name(const char *name, bool is_directory, void *argument)
{
	static const char zeros[8];
	struct text *text = argument;
	size_t length = strlen(name) + 1;
	size_t size = align_up(NAME_AT + length, 8);
	const struct dirent_head entry = {
		.inode = text->used / 8 + 1,
		.next = (int64_t)(text->used + size),
		.size = (uint16_t)size,
		.type = is_directory ? TYPE_DIRECTORY : TYPE_FILE,
	};

	if (!text_is_whole(text) || has_name(text, name))
		return;
	text_add_bytes(text, &entry, NAME_AT);
	text_add_bytes(text, name, length);
	text_add_bytes(text, zeros, size - NAME_AT - length);
}

int64_t own_dir_open(const struct tree_node *node, uint32_t flags)
{
	struct text text;
	int64_t fd;

	text_init(&text);
	add_name(".", true, &text);
	add_name("..", true, &text);
	tree_for_each(node, add_name, &text);
	fd = own_make_file(node->path, &text, flags);
	text_free(&text);
	if (fd < 0 || add((int)fd, node->path))
		return fd;
	linux_close(fd);
	return -ENOMEM;
}

/* Bytes of whole entries at the start of SIZE bytes at FROM. */
static uint64_t whole_entries(const uint8_t *from, uint64_t size)
{
	struct dirent_head entry;
	uint64_t at = 0;

	while (at + NAME_AT <= size) {
		memcpy(&entry, from + at, NAME_AT);
		if (entry.size < NAME_AT || entry.size > size - at)
			break;
		at += entry.size;
	}
	return at;
}

int64_t own_dir_read(int fd, user_addr_t to, uint64_t size)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	int64_t bytes, result = channel_buffer_take(channel, size, &buffer);
	uint64_t whole;

	if (result < 0)
		return result;
	bytes = channel_call_own(__NR_read, (uint64_t)fd, buffer.offset, buffer.size, 0, 0, 0);
	result = bytes;
	if (bytes > 0) {
		whole = whole_entries(buffer.memory, min_u64((uint64_t)bytes, buffer.size));
		result = (int64_t)whole;
		if (whole == 0)
			result = -EINVAL;
		else if (copy_to_user(to, buffer.memory, whole) != 0)
			result = -EFAULT;
		/* What was cut off comes the next time. */
		whole = result < 0 ? 0 : whole;
		if (whole != (uint64_t)bytes)
			channel_call_own(__NR_lseek, (uint64_t)fd, whole - (uint64_t)bytes,
					 SEEK_CURRENT, 0, 0, 0);
	}
	channel_buffer_give(channel, &buffer);
	return result;
}
