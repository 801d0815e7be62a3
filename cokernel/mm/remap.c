/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/tlb.h"
#include "lib/errno.h"
#include "mm/local.h"
#include "mm/object.h"
#include "mm/pagetable.h"
#include "mm/space.h"

/*
 * Makes the tables that the leaves of [from, from + size) will need at TO, and
 * splits those leaves that do not fit there as they are. False: out of memory.
 */
static bool prepare(struct aspace *aspace, user_addr_t from, user_addr_t to, uint64_t size)
{
	user_addr_t at = from;
	uint64_t *entry, step = 0;
	unsigned int level, found;

	while ((entry = pt_next_leaf(aspace->root, &at, from + size, &level)) != NULL) {
		bool fits = (at - from + to) % pt_page_size(level) == 0;

		mm_turn(++step);
		if (fits) {
			if (pt_make(aspace->root, at - from + to, level, aspace->node, &found) ==
			    NULL)
				return false;
			fits = found == level;
		}
		if (fits)
			at += pt_page_size(level);
		else if (!pt_split(aspace, entry, level, at, aspace->node))
			return false;
	}
	return true;
}

static void drop_empty_tables(struct aspace *aspace, user_addr_t start, user_addr_t end)
{
	if (pt_unlink(aspace->root, start, end)) {
		tlb_flush(aspace, start, end);
		pt_release(aspace->root, start, end);
	}
}

/* The pages stay where they are in memory; for a moment they are at neither address. */
static void move_leaves(struct aspace *aspace, user_addr_t from, user_addr_t to, uint64_t size,
			unsigned int prot)
{
	user_addr_t at = from;
	uint64_t *entry, step = 0;
	unsigned int level, found;

	if (pt_protect(aspace->root, from, from + size, 0))
		tlb_flush(aspace, from, from + size);
	while ((entry = pt_next_leaf(aspace->root, &at, from + size, &level)) != NULL) {
		uint64_t leaf = pt_read(entry);

		mm_turn(++step);
		pt_write(entry, 0);
		entry = pt_find(aspace->root, at - from + to, &found);
		pt_write(entry, pt_leaf(leaf & PTE_ADDRESS, level, prot, leaf & PTE_KEPT));
		at += pt_page_size(level);
	}
	drop_empty_tables(aspace, from, from + size);
}

/* Where the pages of FROM go: TO if that is not 0, else a place of our choice; 0: nowhere. */
static user_addr_t choose(struct aspace *aspace, const struct region *region, user_addr_t from,
			  uint64_t new_size, user_addr_t to)
{
	uint64_t align = new_size >= LARGE_PAGE_SIZE ? LARGE_PAGE_SIZE : PAGE_SIZE;
	user_addr_t top = region->flags & REGION_STACK ? aspace->stack_top : aspace->map_top;

	return to != 0 ? to : space_choose(aspace, new_size, top, align, from);
}

static int64_t move(struct aspace *aspace, user_addr_t from, uint64_t old_size, uint64_t new_size,
		    unsigned int flags, user_addr_t to)
{
	struct region *region = region_at(&aspace->regions, from);
	struct region like;

	to = choose(aspace, region, from, new_size, to);
	if (to == 0 || space_isolate(aspace, from, from + old_size, 1) != 0)
		return -ENOMEM;
	if (!prepare(aspace, from, to, old_size)) {
		drop_empty_tables(aspace, to, to + old_size);
		space_join(aspace, from);
		space_join(aspace, from + old_size);
		return -ENOMEM;
	}
	region = region_at(&aspace->regions, from);
	like = *region;
	move_leaves(aspace, from, to, old_size, like.prot);
	if (like.object != NULL)
		object_get(like.object);
	/* Before the new one comes, which could become a part of it. */
	if (!(flags & REMAP_DONT_UNMAP)) {
		region_remove(&aspace->regions, region);
		space_region_give(aspace, region);
	}
	space_add(aspace, to, to + new_size, &like);
	if (like.object != NULL)
		object_put(like.object);
	return (int64_t)to;
}

/* A second mapping of what is shared. */
static int64_t map_again(struct aspace *aspace, user_addr_t address, uint64_t size,
			 unsigned int flags, user_addr_t to)
{
	const struct region *region = region_at(&aspace->regions, address);
	struct region like = *region;
	int64_t at;

	if (!(region->flags & REGION_SHARED) || region->object == NULL ||
	    !(flags & REMAP_MAY_MOVE))
		return -EINVAL;
	like.offset += address - region->start;
	object_get(like.object);
	at = space_map_region(aspace, to, size, flags & REMAP_FIXED ? ASPACE_FIXED : 0, &like);
	object_put(like.object);
	return at;
}

/* Grows where it is: false if something is in the way. */
static bool has_room(const struct aspace *aspace, const struct region *region, user_addr_t address,
		     user_addr_t end, uint64_t new_size)
{
	return region->end == end && space_is_user(address, new_size) &&
	       space_is_free(aspace, end, address + new_size);
}

static int64_t grow(struct aspace *aspace, const struct region *region, user_addr_t end,
		    user_addr_t to)
{
	struct region like = *region;
	int error = space_isolate(aspace, end, to, 1);

	if (error)
		return error;
	like.offset += end - region->start;
	space_add(aspace, end, to, &like);
	return 0;
}

static int64_t remap(struct aspace *aspace, user_addr_t address, uint64_t old_size,
		     uint64_t new_size, unsigned int flags, user_addr_t to)
{
	user_addr_t end = address + old_size;
	const struct region *region = region_at(&aspace->regions, address);
	bool stays = !(flags & (REMAP_FIXED | REMAP_DONT_UNMAP));
	int64_t error = 0;

	if (region == NULL)
		return -EFAULT;
	if (old_size == 0)
		return map_again(aspace, address, new_size, flags, to);
	if (!space_is_user(address, old_size))
		return -EINVAL;
	if (flags & REMAP_FIXED)
		error = space_unmap(aspace, to, to + new_size);
	if (!error && new_size < old_size && !(flags & REMAP_DONT_UNMAP)) {
		error = space_unmap(aspace, address + new_size, end);
		old_size = new_size;
	}
	if (error || (stays && new_size <= old_size))
		return error ? error : (int64_t)address;
	end = address + old_size;
	region = region_at(&aspace->regions, address);
	if (region == NULL || region->end < end || (region->flags & REGION_KERNEL))
		return -EFAULT;
	if ((flags & REMAP_DONT_UNMAP) && region->object != NULL)
		return -EINVAL;
	if (stays && has_room(aspace, region, address, end, new_size)) {
		error = grow(aspace, region, end, address + new_size);
		return error ? error : (int64_t)address;
	}
	if (!(flags & REMAP_MAY_MOVE) || new_size > USER_END)
		return -ENOMEM;
	return move(aspace, address, old_size, new_size, flags, to);
}

/* What can be said without a look at the regions: 0 or -EINVAL. */
static int check(user_addr_t address, uint64_t old_size, uint64_t new_size, unsigned int flags,
		 user_addr_t to)
{
	if (address % PAGE_SIZE != 0 || new_size == 0)
		return -EINVAL;
	if ((flags & (REMAP_FIXED | REMAP_DONT_UNMAP)) && !(flags & REMAP_MAY_MOVE))
		return -EINVAL;
	if ((flags & REMAP_DONT_UNMAP) && old_size != new_size)
		return -EINVAL;
	if (!(flags & REMAP_FIXED))
		return 0;
	if (to % PAGE_SIZE != 0 || to < SPACE_MIN || !space_is_user(to, new_size))
		return -EINVAL;
	return address + old_size > to && to + new_size > address ? -EINVAL : 0;
}

int64_t aspace_remap(struct aspace *aspace, user_addr_t address, uint64_t old_size,
		     uint64_t new_size, unsigned int flags, user_addr_t to)
{
	int64_t result;

	old_size = align_up(old_size, PAGE_SIZE);
	new_size = align_up(new_size, PAGE_SIZE);
	result = check(address, old_size, new_size, flags, to);
	if (result)
		return result;
	if (!(flags & REMAP_FIXED))
		to = 0;
	lock_take(&aspace->lock);
	result = remap(aspace, address, old_size, new_size, flags, to);
	lock_drop(&aspace->lock);
	return result;
}
