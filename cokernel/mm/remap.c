/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/tlb.h"
#include "lib/errno.h"
#include "mm/pagetable.h"
#include "mm/space.h"

/*
 * Makes the tables that the leaves of [from, from + size) will need at TO, and
 * splits those leaves that do not fit there as they are. False: out of memory.
 */
static bool prepare(struct aspace *aspace, user_addr_t from, user_addr_t to, uint64_t size)
{
	user_addr_t at = from;
	unsigned int level, found;
	uint64_t *entry;

	while ((entry = pt_next_leaf(aspace->root, &at, from + size, &level)) != NULL) {
		bool fits = (at - from + to) % pt_page_size(level) == 0;

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
	unsigned int level, found;
	uint64_t *entry;

	if (pt_protect(aspace->root, from, from + size, 0))
		tlb_flush(aspace, from, from + size);
	while ((entry = pt_next_leaf(aspace->root, &at, from + size, &level)) != NULL) {
		uint64_t leaf = pt_read(entry);

		pt_write(entry, 0);
		entry = pt_find(aspace->root, at - from + to, &found);
		pt_write(entry, pt_leaf(leaf & PTE_ADDRESS, level, prot, leaf & PTE_STAYS));
		at += pt_page_size(level);
	}
	drop_empty_tables(aspace, from, from + size);
}

static int64_t move(struct aspace *aspace, user_addr_t from, uint64_t old_size, uint64_t new_size)
{
	uint64_t align = new_size >= LARGE_PAGE_SIZE ? LARGE_PAGE_SIZE : PAGE_SIZE;
	user_addr_t to = space_choose(aspace, new_size, aspace->map_top, align, from);
	struct region *region;
	unsigned int prot, flags;

	if (to == 0 || space_isolate(aspace, from, from + old_size, 1) != 0)
		return -ENOMEM;
	if (!prepare(aspace, from, to, old_size)) {
		drop_empty_tables(aspace, to, to + old_size);
		space_join(aspace, from);
		space_join(aspace, from + old_size);
		return -ENOMEM;
	}
	region = region_at(&aspace->regions, from);
	prot = region->prot;
	flags = region->flags;
	move_leaves(aspace, from, to, old_size, prot);
	region_remove(&aspace->regions, region);
	space_region_give(aspace, region);
	space_add(aspace, to, to + new_size, prot, flags);
	return (int64_t)to;
}

static int64_t remap(struct aspace *aspace, user_addr_t address, uint64_t old_size,
		     uint64_t new_size, bool may_move)
{
	user_addr_t end = address + old_size;
	const struct region *region = region_at(&aspace->regions, address);
	int error;

	if (region == NULL)
		return -EFAULT;
	/* A size of 0 asks for a second mapping of shared memory: there is no such thing. */
	if (old_size == 0 || !space_is_user(address, old_size))
		return -EINVAL;
	if (new_size < old_size)
		error = space_unmap(aspace, address + new_size, end);
	else
		error = 0;
	if (error || new_size <= old_size)
		return error ? error : (int64_t)address;
	if (region->end < end || (region->flags & REGION_KERNEL))
		return -EFAULT;
	if (region->end == end && space_is_user(address, new_size) &&
	    space_is_free(aspace, end, address + new_size)) {
		error = space_isolate(aspace, end, address + new_size, 1);
		if (error)
			return error;
		space_add(aspace, end, address + new_size, region->prot, region->flags);
		return (int64_t)address;
	}
	if (!may_move || new_size > USER_END)
		return -ENOMEM;
	return move(aspace, address, old_size, new_size);
}

int64_t aspace_remap(struct aspace *aspace, user_addr_t address, uint64_t old_size,
		     uint64_t new_size, bool may_move)
{
	int64_t result;

	old_size = align_up(old_size, PAGE_SIZE);
	new_size = align_up(new_size, PAGE_SIZE);
	if (address % PAGE_SIZE != 0 || new_size == 0)
		return -EINVAL;
	lock_take(&aspace->lock);
	result = remap(aspace, address, old_size, new_size, may_move);
	lock_drop(&aspace->lock);
	return result;
}
