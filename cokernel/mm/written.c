/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages of an object were written. A leaf that is PTE_CLEAN cannot be written
 * before a fault has marked its page (fault.c), whatever its protection.
 */
#include "arch/tlb.h"
#include "mm/local.h"
#include "mm/object.h"
#include "mm/pagetable.h"
#include "mm/space.h"

/* Where REGION maps [from, to) of OBJECT. False: nowhere. */
static bool maps_part(const struct region *region, const struct object *object, uint64_t from,
		      uint64_t to, user_addr_t *start, user_addr_t *end)
{
	uint64_t size = region->end - region->start;

	if (region->object != object || !(region->flags & REGION_SHARED) ||
	    from >= region->offset + size || to <= region->offset)
		return false;
	*start = region->start + (max_u64(from, region->offset) - region->offset);
	*end = region->start + min_u64(to - region->offset, size);
	return true;
}

static void clean_leaves(struct aspace *aspace, user_addr_t start, user_addr_t end)
{
	user_addr_t at = start;
	unsigned int level;
	uint64_t *entry;
	bool weaker = false;

	while ((entry = pt_next_leaf(aspace->root, &at, end, &level)) != NULL) {
		uint64_t leaf = pt_read(entry);

		weaker |= (leaf & PTE_WRITE) != 0;
		pt_write(entry, (leaf | PTE_CLEAN) & ~PTE_WRITE);
		at += pt_page_size(level);
		mm_turn(at / PAGE_SIZE);
	}
	if (weaker)
		tlb_flush(aspace, start, end);
}

static void for_each_part(struct aspace *aspace, const struct object *object, uint64_t from,
			  uint64_t to, void (*fn)(struct aspace *, user_addr_t, user_addr_t))
{
	const struct region *region;
	user_addr_t at = 0, start, end;

	from = align_down(from, PAGE_SIZE);
	to = align_up(to, PAGE_SIZE);
	lock_take(&aspace->lock);
	for (; (region = region_at_or_above(&aspace->regions, at)) != NULL; at = region->end) {
		if (maps_part(region, object, from, to, &start, &end))
			fn(aspace, start, end);
	}
	lock_drop(&aspace->lock);
}

void aspace_clean(struct aspace *aspace, const struct object *object, uint64_t from, uint64_t to)
{
	for_each_part(aspace, object, from, to, clean_leaves);
}

void aspace_forget(struct aspace *aspace, const struct object *object, uint64_t from, uint64_t to)
{
	/* Leaves of such an object are of single pages: none crosses a bound. */
	for_each_part(aspace, object, from, to, space_zap);
}

bool aspace_next_file(struct aspace *aspace, user_addr_t *at, user_addr_t end,
		      struct aspace_file *file)
{
	const struct region *region;
	bool found = false;

	lock_take(&aspace->lock);
	while (!found && *at < end &&
	       (region = region_at_or_above(&aspace->regions, *at)) != NULL &&
	       region->start < end) {
		user_addr_t start = max_u64(region->start, *at);

		*at = min_u64(region->end, end);
		found = region->object != NULL && (region->flags & REGION_SHARED) &&
			object_kind(region->object) == OBJECT_SHARED_FILE;
		if (!found)
			continue;
		file->object = region->object;
		file->offset = region->offset + (start - region->start);
		file->size = *at - start;
	}
	if (found)
		object_get(file->object);
	lock_drop(&aspace->lock);
	return found;
}
