/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in Linux's directories and files, for copying in. */
#include <asm/unistd_64.h>

#include "channel/channel.h"
#include "fs/abi_dirent.h"
#include "fs/linux.h"
#include "fs/memory_file.h"
#include "fs/stage_pending.h"
#include "fs/staged.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/object.h"
#include "mm/page.h"
#include "task/process.h"
#include "task/thread.h"

#define LIST_SIZE 0x8000u

/* Of open(2). */
#define DIRECTORY_ONLY 0200000u
#define NO_FOLLOW 0400000u
#define CLOSE_ON_EXEC 02000000u

#define SIZE_AT offsetof(struct dirent_head, size)

int stage_pending_add(struct list *list, struct stage_node *node, const char *path)
{
	size_t size = strlen(path) + 1;
	struct stage_pending *pending = heap_alloc(sizeof(*pending) + size);

	if (!pending)
		return -ENOMEM;
	pending->node = node;
	stage_node_get(node);
	memcpy(pending->path, path, size);
	list_append(list, &pending->link);
	return 0;
}

struct stage_pending *stage_pending_next(struct list *list)
{
	struct stage_pending *pending;

	if (list_empty(list))
		return NULL;
	pending = LIST_ENTRY(list->next, struct stage_pending, link);
	list_remove(&pending->link);
	return pending;
}

void stage_pending_free(struct stage_pending *pending)
{
	stage_node_put(pending->node);
	heap_free(pending);
}

void stage_pending_drop(struct list *list)
{
	struct stage_pending *pending;

	while ((pending = stage_pending_next(list)) != NULL)
		stage_pending_free(pending);
}

/* ---- directories ---- */

/* The next of SIZE bytes of records at BYTES: its name, and *NEXT behind it; or NULL. */
static const char *record_at(const uint8_t *bytes, uint64_t size, uint64_t at, uint64_t *next)
{
	const char *name = (const char *)bytes + at + NAME_AT;
	uint16_t length;

	if (size - at < NAME_AT + 2)
		return NULL;
	memcpy(&length, bytes + at + SIZE_AT, sizeof(length));
	if (length < NAME_AT + 2 || length > size - at ||
	    strnlen(name, length - NAME_AT) >= length - NAME_AT)
		return NULL;
	*next = at + length;
	if (name[0] == '\0' || strchr(name, '/') || strlen(name) > STAGE_NAME_MOST)
		return NULL;
	return name;
}

/* BYTES is a private copy: the proxy cannot change it meanwhile. */
static int bring_names(struct stage_in *in, struct stage_pending *directory,
		       const uint8_t *bytes, uint64_t size, char *path)
{
	const char *name;
	uint64_t at, next;
	int error = 0;

	for (at = 0; at < size && !error; at = next) {
		name = record_at(bytes, size, at, &next);
		if (!name)
			return -EIO;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (format_text(path, STAGE_PATH_MOST, "%s/%s",
				directory->path[1] ? directory->path : "", name) >=
		    (int)STAGE_PATH_MOST)
			return -ENAMETOOLONG;
		error = stage_in_name(in, directory->node, name, path);
	}
	return error;
}

/* The next names of FD, copied to BYTES. Their size, 0 at the end, or -errno. */
static int64_t read_names(int64_t fd, uint8_t *bytes)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	int64_t size = channel_buffer_take(channel, LIST_SIZE, &buffer);

	if (size < 0)
		return size;
	size = channel_call_own(__NR_getdents64, (uint64_t)fd, buffer.offset, buffer.size, 0, 0, 0);
	if (size > (int64_t)buffer.size)
		size = -EIO;
	if (size > 0)
		memcpy(bytes, buffer.memory, (size_t)size);
	channel_buffer_give(channel, &buffer);
	return size;
}

static int list_directory(struct stage_in *in, struct stage_pending *directory)
{
	uint8_t *bytes = heap_alloc(LIST_SIZE + STAGE_PATH_MOST);
	int64_t fd, size = -ENOMEM;
	int error = 0;

	if (!bytes)
		return -ENOMEM;
	fd = linux_name_call(__NR_openat, directory->path, DIRECTORY_ONLY | CLOSE_ON_EXEC, 0);
	if (fd >= 0) {
		while (!error && (size = read_names(fd, bytes)) > 0)
			error = bring_names(in, directory, bytes, (uint64_t)size,
					    (char *)bytes + LIST_SIZE);
		linux_close(fd);
	}
	heap_free(bytes);
	if (fd < 0)
		return stage_in_refuse(in, directory->path, fd);
	if (!error && size < 0)
		return stage_in_refuse(in, directory->path, size);
	if (!error && !directory->node->private && directory->node->parent)
		directory->node->partial = false;
	return error;
}

int stage_in_directories(struct stage_in *in)
{
	struct stage_pending *directory;
	int error = 0;

	while (!error && (directory = stage_pending_next(&in->directories)) != NULL) {
		error = list_directory(in, directory);
		stage_pending_free(directory);
	}
	return error;
}

/* ---- files ---- */

static int read_file(struct memory_file *file, int64_t fd, uint64_t size)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	uint64_t done = 0;
	int64_t bytes = 0;

	object_resize(file->object, size);
	while (done < size) {
		bytes = channel_buffer_take(channel, size - done, &buffer);
		if (bytes < 0)
			return (int)bytes;
		bytes = channel_call_own(__NR_pread64, (uint64_t)fd, buffer.offset, buffer.size, done,
					 0, 0);
		if (bytes > (int64_t)buffer.size) {
			channel_break(channel, "its proxy read more than it was asked to");
			bytes = -EIO;
		}
		if (bytes > 0 &&
		    memory_file_write(file, buffer.memory, (uint64_t)bytes, done) != 0)
			bytes = -ENOMEM;
		channel_buffer_give(channel, &buffer);
		if (bytes <= 0)
			break;
		done += (uint64_t)bytes;
	}
	/* It has become shorter since it was looked at. */
	if (bytes >= 0 && done < size)
		object_resize(file->object, done);
	return bytes < 0 ? (int)bytes : 0;
}

static int64_t fill_one(struct stage_pending *file)
{
	struct stage_node *node = file->node;
	int64_t fd, error;

	if (node->filled)
		return 0;
	fd = linux_name_call(__NR_openat, file->path, NO_FOLLOW | CLOSE_ON_EXEC, 0);
	if (fd < 0)
		return fd;
	error = read_file(node->file, fd, node->origin.size);
	linux_close(fd);
	/* Who sees it sees the contents: tasks that run look at it. */
	if (error == 0)
		__atomic_store_n(&node->filled, true, __ATOMIC_RELEASE);
	return error;
}

static int too_large(struct stage_in *in)
{
	process_report(in->process,
		       "cannot stage files of %llu KiB: of the enclave's %llu KiB %llu KiB are free; "
		       "give it more with --enclave-mem (srun) or --mem (pisces run), or stage less",
		       (unsigned long long)(in->bytes >> 10), (unsigned long long)(page_total() >> 10),
		       (unsigned long long)(page_free_bytes() >> 10));
	return STAGE_SAID;
}

int stage_in_fill(struct stage_in *in)
{
	struct stage_pending *file;
	int64_t error = 0;

	if (in->bytes > page_free_bytes())
		return too_large(in);
	while (!error && (file = stage_pending_next(&in->files)) != NULL) {
		error = fill_one(file);
		if (error == -ENOMEM)
			error = too_large(in);
		else if (error)
			error = stage_in_refuse(in, file->path, error);
		/* One that failed is among those that stage_in_end() finds unfilled. */
		if (error)
			list_append(&in->files, &file->link);
		else
			stage_pending_free(file);
	}
	return (int)error;
}
