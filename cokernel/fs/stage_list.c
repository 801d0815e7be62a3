/* SPDX-License-Identifier: GPL-2.0-or-later */
/* getdents64(2) of a stage's directories. */
#include "arch/user.h"
#include "fs/abi_dirent.h"
#include "fs/memory_file.h"
#include "fs/stage_open.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/local.h"

/* So much is listed in one call at most. */
#define LIST_MOST 0x8000u

/* Positions: 0 is before ".", 1 before "..", and 2 plus a cookie behind that entry. */
#define DOTS 2u

struct listing {
	uint8_t *bytes;
	uint64_t room;
	uint64_t used;
	uint64_t position; /* behind the last one that was put there */
	bool full;
	uint64_t index; /* own directories: of the name that comes */
};

static uint8_t type_of(uint32_t mode)
{
	return (uint8_t)((mode & MODE_TYPE) >> 12);
}

static void put(struct listing *listing, const char *name, uint64_t inode, uint32_t mode,
		uint64_t next)
{
	size_t length = strlen(name) + 1;
	size_t size = align_up(NAME_AT + length, 8);
	const struct dirent_head record = {
		.inode = inode,
		.next = (int64_t)next,
		.size = (uint16_t)size,
		.type = type_of(mode),
	};

	if (listing->full || listing->used + size > listing->room) {
		listing->full = true;
		return;
	}
	memset(listing->bytes + listing->used, 0, size);
	memcpy(listing->bytes + listing->used, &record, NAME_AT);
	memcpy(listing->bytes + listing->used + NAME_AT, name, length);
	listing->used += size;
	listing->position = next;
}

static void put_dots(struct listing *listing, const struct stage_node *directory)
{
	const struct stage_node *parent = directory->parent ? directory->parent : directory;

	if (listing->position == 0)
		put(listing, ".", directory->inode, MODE_DIRECTORY, 1);
	if (listing->position == 1)
		put(listing, "..", parent->inode, MODE_DIRECTORY, DOTS);
}

static void put_entries(struct listing *listing, const struct stage_node *directory)
{
	const struct stage_entry *entry;
	struct list *pos;
	uint64_t i = 0;

	LIST_FOR_EACH(pos, &directory->entries) {
		mm_turn(++i);
		entry = LIST_ENTRY(pos, struct stage_entry, link);
		if (entry->cookie + DOTS > listing->position)
			put(listing, entry->name, entry->node->inode, entry->node->mode,
			    entry->cookie + DOTS);
		if (listing->full)
			return;
	}
}

static void put_own(const char *name, bool is_directory, void *argument)
{
	struct listing *listing = argument;

	listing->index++;
	if (listing->index + DOTS > listing->position)
		put(listing, name, listing->index + DOTS,
		    is_directory ? MODE_DIRECTORY : MODE_REGULAR, listing->index + DOTS);
}

int64_t stage_list(struct stage_view *view, struct open_file *open, user_addr_t to, uint64_t size)
{
	struct stage_node *directory = open->node;
	struct listing listing = { .room = min_u64(size, LIST_MOST) };
	int64_t result;

	if (open->flags & OPEN_PATH)
		return -EBADF;
	if (!directory || !stage_is_directory(directory))
		return -ENOTDIR;
	listing.bytes = heap_alloc(max_u64(listing.room, 1));
	if (!listing.bytes)
		return -ENOMEM;
	stage_enter(view->stage);
	listing.position = open->position;
	put_dots(&listing, directory);
	if (directory->own)
		stage_own_list(directory, put_own, &listing);
	else
		put_entries(&listing, directory);
	open->position = listing.position;
	stage_leave(view->stage);
	result = (int64_t)listing.used;
	if (listing.full && listing.used == 0)
		result = -EINVAL;
	else if (copy_to_user(to, listing.bytes, listing.used) != 0)
		result = -EFAULT;
	heap_free(listing.bytes);
	return result;
}
