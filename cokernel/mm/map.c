/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mmap, munmap, mprotect, madvise and brk. Each decides first and gets all the
 * memory that it needs; from there on it cannot fail, so an error always means
 * that nothing has changed.
 */
#include "arch/tlb.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/direct.h"
#include "mm/pagetable.h"
#include "mm/space.h"

/* Between a flush and the next: this bounds how long others wait for the lock. */
#define ZAP_PIECE HUGE_PAGE_SIZE

struct region *space_region_around(const struct aspace *aspace, user_addr_t start, user_addr_t end)
{
	struct region *region = region_at(&aspace->regions, start);

	return region != NULL && region->end >= end ? region : NULL;
}

bool space_is_free(const struct aspace *aspace, user_addr_t start, user_addr_t end)
{
	const struct region *region = region_at_or_above(&aspace->regions, start);

	return region == NULL || region->start >= end;
}

user_addr_t space_choose(const struct aspace *aspace, uint64_t size, user_addr_t top,
			 uint64_t align, uint64_t offset)
{
	const struct region_tree *regions = &aspace->regions;
	user_addr_t end = 0;

	/* With this much more, some place in the gap is well aligned. */
	if (align > PAGE_SIZE && size + align < USER_END)
		end = region_highest_gap(regions, size + align - PAGE_SIZE, SPACE_MIN, top);
	if (end != 0)
		return align_down(end - size - offset % align, align) + offset % align;
	end = region_highest_gap(regions, size, SPACE_MIN, top);
	if (end == 0)
		end = region_highest_gap(regions, size, SPACE_MIN, USER_END);
	return end != 0 ? end - size : 0;
}

static bool alike(const struct region *a, const struct region *b)
{
	return a->end == b->start && a->prot == b->prot && a->flags == b->flags &&
	       !(a->flags & REGION_KERNEL);
}

void space_join(struct aspace *aspace, user_addr_t address)
{
	struct region *below = region_at(&aspace->regions, address - 1);
	struct region *above = region_at(&aspace->regions, address);

	if (below == NULL || above == NULL || below == above || !alike(below, above))
		return;
	region_remove(&aspace->regions, above);
	region_resize(&aspace->regions, below, below->start, above->end);
	space_region_give(aspace, above);
}

/* Makes ADDRESS a bound of regions. Takes a spare if it was inside one. */
static void cut(struct aspace *aspace, user_addr_t address)
{
	struct region *region = region_at(&aspace->regions, address);
	struct region *upper;

	if (region == NULL || region->start == address)
		return;
	upper = space_region_take(aspace);
	upper->start = address;
	upper->end = region->end;
	upper->prot = region->prot;
	upper->flags = region->flags;
	region_resize(&aspace->regions, region, region->start, address);
	region_insert(&aspace->regions, upper);
}

static bool is_inside(const struct aspace *aspace, user_addr_t address)
{
	const struct region *region = region_at(&aspace->regions, address);

	return region != NULL && region->start != address;
}

int space_isolate(struct aspace *aspace, user_addr_t start, user_addr_t end, unsigned int more)
{
	bool cut_start = is_inside(aspace, start), cut_end = is_inside(aspace, end);

	if (aspace->regions.count + cut_start + cut_end + more > SPACE_MAX_REGIONS &&
	    cut_start + cut_end + more > 0)
		return -ENOMEM;
	if (!space_reserve(aspace, (unsigned int)cut_start + cut_end + more) ||
	    !pt_split_at(aspace, aspace->root, start, aspace->node) ||
	    !pt_split_at(aspace, aspace->root, end, aspace->node))
		return -ENOMEM;
	cut(aspace, start);
	cut(aspace, end);
	return 0;
}

void space_add(struct aspace *aspace, user_addr_t start, user_addr_t end, unsigned int prot,
	       unsigned int flags)
{
	struct region *region = space_region_take(aspace);

	region->start = start;
	region->end = end;
	region->prot = (uint8_t)prot;
	region->flags = (uint16_t)flags;
	region_insert(&aspace->regions, region);
	space_join(aspace, end);
	space_join(aspace, start);
}

void space_zap(struct aspace *aspace, user_addr_t start, user_addr_t end)
{
	user_addr_t at = start;
	unsigned int level;

	while (pt_next_leaf(aspace->root, &at, end, &level) != NULL) {
		/* No leaf crosses the end of a piece, since none is larger. */
		user_addr_t to = min_u64(align_down(at, ZAP_PIECE) + ZAP_PIECE, end);

		at = max_u64(at, start);
		if (pt_unlink(aspace->root, at, to)) {
			tlb_flush(aspace, at, to);
			space_count(aspace, 0 - pt_release(aspace->root, at, to));
		}
		at = to;
	}
}

int space_unmap(struct aspace *aspace, user_addr_t start, user_addr_t end)
{
	struct region *region;
	int error;

	if (space_is_free(aspace, start, end))
		return 0;
	error = space_isolate(aspace, start, end, 0);
	if (error)
		return error;
	space_zap(aspace, start, end);
	while ((region = region_at_or_above(&aspace->regions, start)) != NULL &&
	       region->start < end) {
		region_remove(&aspace->regions, region);
		space_region_give(aspace, region);
	}
	return 0;
}

/* Where a mapping goes: an address, or -errno. The checks are those of Linux, in its order. */
static int64_t place(struct aspace *aspace, user_addr_t address, uint64_t size, unsigned int flags)
{
	bool fixed = flags & (ASPACE_FIXED | ASPACE_FIXED_NOREPLACE);
	uint64_t align;

	if (size > USER_END)
		return -ENOMEM;
	if (fixed) {
		if (!space_is_user(address, size))
			return -ENOMEM;
		if (address % PAGE_SIZE != 0)
			return -EINVAL;
		if (address < SPACE_MIN)
			return -EPERM;
		if ((flags & ASPACE_FIXED_NOREPLACE) &&
		    !space_is_free(aspace, address, address + size))
			return -EEXIST;
		return (int64_t)address;
	}
	if (address != 0)
		address = max_u64(align_down(address, PAGE_SIZE), SPACE_MIN);
	if (address != 0 && space_is_user(address, size) &&
	    space_is_free(aspace, address, address + size))
		return (int64_t)address;
	/*
	 * Large mappings that are no multiple of a large page lie close together, as
	 * parts of one region; aligning each would give all of them the same place in
	 * the caches.
	 */
	if (flags & (ASPACE_GROWS_DOWN | ASPACE_SMALL_PAGES))
		align = PAGE_SIZE;
	else if (size % HUGE_PAGE_SIZE == 0 && (flags & ASPACE_POPULATE))
		align = HUGE_PAGE_SIZE;
	else if (size % LARGE_PAGE_SIZE == 0)
		align = LARGE_PAGE_SIZE;
	else
		align = PAGE_SIZE;
	address = space_choose(aspace, size,
			       flags & ASPACE_GROWS_DOWN ? aspace->stack_top : aspace->map_top,
			       align, 0);
	return address != 0 ? (int64_t)address : -ENOMEM;
}

static unsigned int region_flags(unsigned int flags)
{
	return (flags & ASPACE_SHARED ? REGION_SHARED : 0u) |
	       (flags & ASPACE_GROWS_DOWN ? REGION_STACK : 0u) |
	       (flags & ASPACE_SMALL_PAGES ? REGION_SMALL_PAGES : 0u);
}

/* A region with a place, in the room of whatever is there. Returns the address or -errno. */
static int64_t map_region(struct aspace *aspace, user_addr_t address, uint64_t size,
			  unsigned int prot, unsigned int flags, unsigned int kind)
{
	int64_t at = place(aspace, address, size, flags);
	int error;

	if (at < 0)
		return at;
	address = (user_addr_t)at;
	error = space_isolate(aspace, address, address + size, 1);
	if (!error)
		error = space_unmap(aspace, address, address + size);
	if (error)
		return error;
	space_add(aspace, address, address + size, prot, kind);
	return at;
}

int64_t aspace_map(struct aspace *aspace, user_addr_t address, uint64_t size, unsigned int prot,
		   unsigned int flags)
{
	int64_t at;

	if (size == 0)
		return -EINVAL;
	size = align_up(size, PAGE_SIZE);
	if (size == 0)
		return -ENOMEM;
	prot &= SPACE_PROT;
	lock_take(&aspace->lock);
	at = map_region(aspace, address, size, prot, flags, region_flags(flags));
	lock_drop(&aspace->lock);
	if (at >= 0 && (flags & ASPACE_POPULATE) && prot != 0) {
		int error = space_populate(aspace, (user_addr_t)at, (user_addr_t)at + size);

		if (error) {
			aspace_unmap(aspace, (user_addr_t)at, size);
			return error;
		}
	}
	return at;
}

static int64_t map_kernel(struct aspace *aspace, user_addr_t address, const phys_addr_t *pages,
			  unsigned int count, unsigned int prot)
{
	uint64_t size = count * PAGE_SIZE;
	unsigned int flags = address != 0 ? ASPACE_FIXED_NOREPLACE : 0u, level;
	int64_t at = map_region(aspace, address, size, prot, flags, REGION_KERNEL);

	if (at < 0)
		return at;
	for (unsigned int i = 0; i < count; i++) {
		uint64_t *entry = pt_make(aspace->root, (user_addr_t)at + i * PAGE_SIZE, 0,
					  aspace->node, &level);

		if (entry == NULL) {
			space_unmap(aspace, (user_addr_t)at, (user_addr_t)at + size);
			return -ENOMEM;
		}
		pt_write(entry, pt_leaf(pages[i], 0, prot, PTE_FOREIGN));
	}
	return at;
}

int64_t aspace_map_kernel(struct aspace *aspace, user_addr_t address, const phys_addr_t *pages,
			  unsigned int count, unsigned int prot)
{
	int64_t at;

	if (count == 0 || (prot & ~SPACE_PROT))
		return -EINVAL;
	lock_take(&aspace->lock);
	at = map_kernel(aspace, address, pages, count, prot);
	lock_drop(&aspace->lock);
	return at;
}

int aspace_unmap(struct aspace *aspace, user_addr_t address, uint64_t size)
{
	int error;

	size = align_up(size, PAGE_SIZE);
	if (address % PAGE_SIZE != 0 || size == 0 || !space_is_user(address, size))
		return -EINVAL;
	lock_take(&aspace->lock);
	error = space_unmap(aspace, address, address + size);
	lock_drop(&aspace->lock);
	return error;
}

/* 0 if there are regions all over [start, end) and all may have PROT. */
static int check_protect(const struct aspace *aspace, user_addr_t start, user_addr_t end,
			 unsigned int prot)
{
	while (start < end) {
		const struct region *region = region_at(&aspace->regions, start);

		if (region == NULL)
			return -ENOMEM;
		if ((region->flags & REGION_KERNEL) && (prot & ASPACE_WRITE))
			return -EACCES;
		start = region->end;
	}
	return 0;
}

static int protect(struct aspace *aspace, user_addr_t start, user_addr_t end, unsigned int prot)
{
	user_addr_t at;
	int error = check_protect(aspace, start, end, prot);

	if (!error)
		error = space_isolate(aspace, start, end, 0);
	if (error)
		return error;
	for (at = start; at < end;) {
		struct region *region = region_at(&aspace->regions, at);

		region->prot = (uint8_t)prot;
		at = region->end;
		space_join(aspace, region->start);
	}
	space_join(aspace, end);
	if (pt_protect(aspace->root, start, end, prot))
		tlb_flush(aspace, start, end);
	return 0;
}

int aspace_protect(struct aspace *aspace, user_addr_t address, uint64_t size, unsigned int prot)
{
	int error;

	if (address % PAGE_SIZE != 0 || (prot & ~SPACE_PROT))
		return -EINVAL;
	if (size == 0)
		return 0;
	size = align_up(size, PAGE_SIZE);
	if (size == 0 || !space_is_user(address, size))
		return -ENOMEM;
	lock_take(&aspace->lock);
	error = protect(aspace, address, address + size, prot);
	lock_drop(&aspace->lock);
	return error;
}

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

void aspace_set_brk(struct aspace *aspace, user_addr_t start)
{
	lock_take(&aspace->lock);
	aspace->brk_start = align_up(start, PAGE_SIZE);
	aspace->brk = aspace->brk_start;
	lock_drop(&aspace->lock);
}

static bool move_brk(struct aspace *aspace, user_addr_t to)
{
	user_addr_t old_end = align_up(aspace->brk, PAGE_SIZE);
	user_addr_t new_end = align_up(to, PAGE_SIZE);

	if (new_end < old_end)
		return space_unmap(aspace, new_end, old_end) == 0;
	if (new_end == old_end)
		return true;
	return map_region(aspace, old_end, new_end - old_end, ASPACE_READ | ASPACE_WRITE,
			  ASPACE_FIXED_NOREPLACE, 0) >= 0;
}

user_addr_t aspace_brk(struct aspace *aspace, user_addr_t to)
{
	user_addr_t result;

	lock_take(&aspace->lock);
	if (to >= aspace->brk_start && to <= USER_END && aspace->brk_start != 0 &&
	    move_brk(aspace, to))
		aspace->brk = to;
	result = aspace->brk;
	lock_drop(&aspace->lock);
	return result;
}
