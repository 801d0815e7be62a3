/* SPDX-License-Identifier: GPL-2.0-or-later */
/* madvise(2): pages go, regions stay. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/direct.h"
#include "mm/object.h"
#include "mm/pagetable.h"
#include "mm/space.h"

/* The large leaf around ADDRESS cannot be split: its part in [start, end) is cleared in place. */
static void clear_part(struct aspace *aspace, user_addr_t address, user_addr_t *start,
		       user_addr_t *end)
{
	unsigned int level;
	uint64_t *entry = pt_find(aspace->root, address, &level);
	uint64_t size = pt_page_size(level);
	user_addr_t leaf = align_down(address, size);
	user_addr_t from = max_u64(leaf, *start), to = min_u64(leaf + size, *end);

	memset(phys_to_virt((*entry & PTE_ADDRESS) + (from - leaf)), 0, to - from);
	if (address == *start)
		*start = to;
	else
		*end = from;
}

static void discard(struct aspace *aspace, user_addr_t start, user_addr_t end)
{
	if (!pt_split_at(aspace, aspace->root, start, aspace->node))
		clear_part(aspace, start, &start, &end);
	if (start < end && !pt_split_at(aspace, aspace->root, end, aspace->node))
		clear_part(aspace, end, &start, &end);
	if (start < end)
		space_zap(aspace, start, end);
}

static int discard_regions(struct aspace *aspace, user_addr_t start, user_addr_t end)
{
	const struct region *region;
	int error = 0;

	while (start < end) {
		region = region_at_or_above(&aspace->regions, start);
		if (region == NULL || region->start >= end)
			return -ENOMEM;
		/* As Linux: holes are an error, but what is beside them is done. */
		if (region->start > start)
			error = -ENOMEM;
		if (region->flags & REGION_KERNEL)
			return -EINVAL;
		start = max_u64(start, region->start);
		/* What is shared keeps its contents, so there is nothing to give back. */
		if (!(region->flags & REGION_SHARED))
			discard(aspace, start, min_u64(end, region->end));
		start = region->end;
	}
	return error;
}

int aspace_discard(struct aspace *aspace, user_addr_t address, uint64_t size)
{
	uint64_t rounded = align_up(size, PAGE_SIZE);
	int error;

	if (address % PAGE_SIZE != 0 || (rounded == 0 && size != 0) ||
	    address + rounded < address)
		return -EINVAL;
	if (rounded == 0)
		return 0;
	if (!space_is_user(address, rounded))
		return -ENOMEM;
	lock_take(&aspace->lock);
	error = discard_regions(aspace, address, address + rounded);
	lock_drop(&aspace->lock);
	return error;
}

static int remove_regions(struct aspace *aspace, user_addr_t start, user_addr_t end)
{
	while (start < end) {
		const struct region *region = region_at(&aspace->regions, start);
		user_addr_t stop;

		if (region == NULL)
			return -ENOMEM;
		if (!(region->flags & REGION_SHARED) || !(region->prot & ASPACE_WRITE))
			return region->flags & REGION_SHARED ? -EACCES : -EINVAL;
		stop = min_u64(end, region->end);
		if (region->object != NULL)
			object_clear(region->object, region->offset + (start - region->start),
				     region->offset + (stop - region->start));
		else
			discard(aspace, start, stop);
		start = stop;
	}
	return 0;
}

int aspace_remove(struct aspace *aspace, user_addr_t address, uint64_t size)
{
	int error;

	if (address % PAGE_SIZE != 0 || size % PAGE_SIZE != 0 || !space_is_user(address, size))
		return -EINVAL;
	lock_take(&aspace->lock);
	error = remove_regions(aspace, address, address + size);
	lock_drop(&aspace->lock);
	return error;
}
