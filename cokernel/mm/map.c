/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mmap and munmap. Each, as all that changes regions, decides first and gets all
 * the memory that it needs; from there on it cannot fail, so an error always means
 * that nothing has changed.
 */
#include "arch/tlb.h"
#include "lib/errno.h"
#include "mm/object.h"
#include "mm/pagetable.h"
#include "mm/space.h"

/* Between a flush and the next: this bounds how long others wait for the lock. */
#define ZAP_PIECE HUGE_PAGE_SIZE

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
	       a->object == b->object && policy_is_same(&a->policy, &b->policy) &&
	       (a->object == NULL || a->offset + (a->end - a->start) == b->offset) &&
	       !(a->flags & (REGION_KERNEL | REGION_SEGMENT));
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

static void make_like(struct region *region, const struct region *like)
{
	region->prot = like->prot;
	region->flags = like->flags;
	region->object = like->object;
	region->offset = like->offset;
	region->policy = like->policy;
	if (region->object != NULL)
		object_get_mapped(region->object);
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
	make_like(upper, region);
	upper->offset += address - region->start;
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

void space_add(struct aspace *aspace, user_addr_t start, user_addr_t end,
	       const struct region *like)
{
	struct region *region = space_region_take(aspace);

	region->start = start;
	region->end = end;
	make_like(region, like);
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

/* The alignment of a place that is good for large pages, or PAGE_SIZE. */
static uint64_t good_alignment(uint64_t size, unsigned int flags, const struct region *like)
{
	if (like->flags & (REGION_STACK | REGION_SMALL_PAGES))
		return PAGE_SIZE;
	/* Where an object has large pages, they fit: the place goes by its offset. */
	if (like->object != NULL)
		return size >= LARGE_PAGE_SIZE && (like->flags & REGION_SHARED) ? LARGE_PAGE_SIZE :
										  PAGE_SIZE;
	/*
	 * Large mappings that are no multiple of a large page lie close together, as
	 * parts of one region; aligning each would give all of them the same place in
	 * the caches.
	 */
	if (size % HUGE_PAGE_SIZE == 0 && (flags & ASPACE_POPULATE))
		return HUGE_PAGE_SIZE;
	return size % LARGE_PAGE_SIZE == 0 ? LARGE_PAGE_SIZE : PAGE_SIZE;
}

/* Where a mapping goes: an address, or -errno. The checks are those of Linux, in its order. */
static int64_t place(struct aspace *aspace, user_addr_t address, uint64_t size, unsigned int flags,
		     const struct region *like)
{
	bool fixed = flags & (ASPACE_FIXED | ASPACE_FIXED_NOREPLACE);
	user_addr_t top = like->flags & REGION_STACK ? aspace->stack_top : aspace->map_top;

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
	address = space_choose(aspace, size, top, good_alignment(size, flags, like), like->offset);
	return address != 0 ? (int64_t)address : -ENOMEM;
}

int64_t space_map_region(struct aspace *aspace, user_addr_t address, uint64_t size,
			 unsigned int flags, const struct region *like)
{
	int64_t at = place(aspace, address, size, flags, like);
	int error;

	if (at < 0)
		return at;
	address = (user_addr_t)at;
	error = space_isolate(aspace, address, address + size, 1);
	if (!error)
		error = space_unmap(aspace, address, address + size);
	if (error)
		return error;
	space_add(aspace, address, address + size, like);
	return at;
}

static unsigned int region_flags(unsigned int flags)
{
	return (flags & ASPACE_SHARED ? REGION_SHARED : 0u) |
	       (flags & ASPACE_GROWS_DOWN ? REGION_STACK : 0u) |
	       (flags & ASPACE_SMALL_PAGES ? REGION_SMALL_PAGES : 0u) |
	       (flags & ASPACE_READ_ONLY ? REGION_READ_ONLY : 0u) |
	       (flags & ASPACE_SEGMENT ? REGION_SEGMENT : 0u);
}

int64_t aspace_map_object(struct aspace *aspace, user_addr_t address, uint64_t size,
			  unsigned int prot, unsigned int flags, struct object *object,
			  uint64_t offset)
{
	const struct region like = {
		.prot = (uint8_t)(prot & SPACE_PROT),
		.flags = (uint16_t)region_flags(flags),
		.object = object,
		.offset = offset,
	};
	int64_t at;

	if (size == 0 || offset % PAGE_SIZE != 0)
		return -EINVAL;
	size = align_up(size, PAGE_SIZE);
	if (size == 0)
		return -ENOMEM;
	if (offset + size < offset)
		return -EOVERFLOW;
	lock_take(&aspace->lock);
	at = space_map_region(aspace, address, size, flags, &like);
	lock_drop(&aspace->lock);
	if (at >= 0 && (flags & ASPACE_POPULATE) && like.prot != 0) {
		int error = space_populate(aspace, (user_addr_t)at, (user_addr_t)at + size);

		if (error) {
			aspace_unmap(aspace, (user_addr_t)at, size);
			return error;
		}
	}
	return at;
}

int64_t aspace_map(struct aspace *aspace, user_addr_t address, uint64_t size, unsigned int prot,
		   unsigned int flags)
{
	return aspace_map_object(aspace, address, size, prot, flags, NULL, 0);
}

static int64_t map_kernel(struct aspace *aspace, user_addr_t address, const phys_addr_t *pages,
			  unsigned int count, unsigned int prot)
{
	const struct region like = {
		.prot = (uint8_t)prot,
		.flags = REGION_KERNEL,
	};
	uint64_t size = count * PAGE_SIZE;
	unsigned int flags = address != 0 ? ASPACE_FIXED_NOREPLACE : 0u, level;
	int64_t at = space_map_region(aspace, address, size, flags, &like);

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

/* Parts of it may have been unmapped, or protected, since it came. */
static int detach(struct aspace *aspace, user_addr_t address, struct object **object)
{
	const struct region *region = region_at(&aspace->regions, address);
	user_addr_t at;

	if (region == NULL || region->start != address || !(region->flags & REGION_SEGMENT) ||
	    region->offset != 0)
		return -EINVAL;
	*object = region->object;
	object_get(*object);
	for (at = address; at - address < object_size(*object);) {
		region = region_at_or_above(&aspace->regions, at);
		if (region == NULL || region->start - address >= object_size(*object))
			break;
		at = region->end;
		/* Whole regions: this splits nothing, so it cannot fail. */
		if (region->object == *object && region->offset == region->start - address &&
		    space_unmap(aspace, region->start, region->end) != 0) {
			object_put(*object);
			return -ENOMEM;
		}
	}
	return 0;
}

int aspace_detach(struct aspace *aspace, user_addr_t address, struct object **object)
{
	int error;

	lock_take(&aspace->lock);
	error = detach(aspace, address, object);
	lock_drop(&aspace->lock);
	return error;
}
