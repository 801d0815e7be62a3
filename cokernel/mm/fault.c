/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How pages come: at the first touch, or ahead of it. */
#include "lib/errno.h"
#include "lib/print.h"
#include "mm/local.h"
#include "mm/pagetable.h"
#include "mm/plan.h"

enum look {
	LOOK_MAPPED = 0, /* nothing to do */
	LOOK_NEEDED = 1, /* as the plan says */
};

bool space_memory_is_scarce(void)
{
	return page_free_bytes() < page_total() / SCARCE_PART;
}

/* ENTRY is in a table of single pages, and so are its neighbours. */
static bool are_empty(const uint64_t *entry, unsigned int order)
{
	for (unsigned int i = 0; i < 1u << order; i++) {
		if (pt_read(&entry[i]) != 0)
			return false;
	}
	return true;
}

/* Of a run around ADDRESS. LEVEL: where the walk to it ended, at ENTRY. */
static unsigned int run_order(const struct region *region, const uint64_t *entry,
			      unsigned int level, user_addr_t address)
{
	for (unsigned int order = RUN_ORDER; order > 0; order--) {
		uint64_t size = PAGE_SIZE << order;
		const uint64_t *first = entry - address % size / PAGE_SIZE;

		if (region_fits(region, address, size) && (level > 0 || are_empty(first, order)))
			return order;
	}
	return 0;
}

/*
 * The region's own policy, or the thread's. The object counts as mapped until the plan was
 * followed, so that nobody frees the page that is about to be mapped.
 */
static void plan_source(struct plan *plan, const struct region *region, user_addr_t address)
{
	plan->source = region->object != NULL ? FROM_OBJECT : FROM_NOTHING;
	plan->object = region->object;
	plan->offset = region_offset(region, address);
	plan->policy = region->policy;
	if (plan->policy.mode == POLICY_DEFAULT)
		mm_thread_policy(&plan->policy);
	if (plan->object != NULL)
		object_get_mapped(plan->object);
}

/* The object is told, and then the page is written as any other. */
static void begin_writing(const struct region *region, user_addr_t address, uint64_t *entry,
			  unsigned int level)
{
	uint64_t leaf = pt_read(entry);

	object_mark(region->object, region_offset(region, address));
	pt_write(entry, pt_leaf(leaf & PTE_ADDRESS, level, region->prot, leaf & PTE_FOREIGN));
}

/* Returns enum look, or -errno. */
static int look(struct aspace *aspace, user_addr_t address, unsigned int need, bool populate,
		struct plan *plan)
{
	const struct region *region = region_at(&aspace->regions, address);
	unsigned int level;
	uint64_t *entry;
	bool large;

	if (region == NULL)
		return -EFAULT;
	if (!region_allows(region, need))
		return -EACCES;
	entry = pt_find(aspace->root, address, &level);
	if (pt_read(entry) != 0) {
		if ((pt_read(entry) & PTE_CLEAN) && plan_needs_own(need))
			begin_writing(region, address, entry, level);
		if (!(pt_read(entry) & PTE_COPY) || !plan_needs_own(need)) {
			/* Else the program would come here again and again. */
			ASSERT((need & SPACE_PROT) == 0 || (pt_read(entry) & PTE_PRESENT));
			return LOOK_MAPPED;
		}
		plan_source(plan, region, address);
		plan_page(plan, address, 0, 0);
		plan->source = FROM_PAGE;
		plan->page = pt_read(entry) & PTE_ADDRESS;
		return LOOK_NEEDED;
	}
	if (region->flags & REGION_KERNEL)
		return -EFAULT;
	plan_source(plan, region, address);
	if (plan->source == FROM_OBJECT)
		return LOOK_NEEDED;
	if (space_memory_is_scarce()) {
		plan_page(plan, address, 0, 0);
		return LOOK_NEEDED;
	}
	large = region_takes_large(region) && region_fits(region, address, LARGE_PAGE_SIZE);
	if (large && level >= 2 && populate && mm_has_huge_pages() &&
	    region_fits(region, address, HUGE_PAGE_SIZE))
		plan_page(plan, address, 2, PAGE_ORDER_HUGE);
	else if (large && level >= 1)
		plan_page(plan, address, 1, PAGE_ORDER_LARGE);
	else if (large && space_collapse(aspace, region, align_down(address, LARGE_PAGE_SIZE)))
		return LOOK_MAPPED;
	else
		plan_page(plan, address, 0, run_order(region, entry, level, address));
	return LOOK_NEEDED;
}

int space_fault(struct aspace *aspace, user_addr_t address, unsigned int need, bool populate)
{
	int result;

	address = align_down(address, PAGE_SIZE);
	do {
		struct plan plan;

		if (space_memory_is_scarce())
			mm_shrink(false);
		lock_take(&aspace->lock);
		result = look(aspace, address, need, populate, &plan);
		lock_drop(&aspace->lock);
		if (result != LOOK_NEEDED)
			return result;
		result = plan_follow(aspace, address, need, &plan);
		if (plan.object != NULL)
			object_put_mapped(plan.object);
		if (result == -ENOMEM && (mm_shrink(true) || space_trim(aspace)))
			result = -EAGAIN;
	} while (result == -EAGAIN);
	return result;
}

int space_populate(struct aspace *aspace, user_addr_t start, user_addr_t end)
{
	for (uint64_t step = 0; start < end; step++) {
		unsigned int level;
		int error = space_fault(aspace, start, 0, true);

		mm_turn(step);
		/* Another thread has unmapped it again: not our matter; nor is the end of a file. */
		if (error == -EFAULT || error == -ENXIO)
			return 0;
		if (error)
			return error;
		lock_take(&aspace->lock);
		pt_find(aspace->root, start, &level);
		lock_drop(&aspace->lock);
		start = align_down(start, pt_page_size(level)) + pt_page_size(level);
	}
	return 0;
}

int aspace_fault(struct aspace *aspace, user_addr_t address, bool write, bool exec)
{
	/* To read, any protection but none will do, as the CPU has it. */
	unsigned int need = SPACE_PROT;

	if (write)
		need = ASPACE_WRITE;
	else if (exec)
		need = ASPACE_EXEC;
	return space_fault(aspace, address, need, false);
}
