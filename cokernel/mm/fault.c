/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How pages come: at the first touch, or ahead of it. What takes long, clearing,
 * is done without the lock, so that all CPUs can do it at the same time; then the
 * decision is checked once more.
 */
#include "lib/errno.h"
#include "lib/print.h"
#include "mm/clear.h"
#include "mm/local.h"
#include "mm/page.h"
#include "mm/pagetable.h"
#include "mm/space.h"

/* Single pages that come together: 64 KiB, as far as the region goes and nothing is there. */
#define RUN_ORDER 4u

/* Free memory below this part of all: nobody gets more than was touched. */
#define SCARCE_PART 16u

enum look {
	LOOK_MAPPED = 0, /* nothing to do */
	LOOK_NEEDED = 1, /* as the plan says */
};

struct plan {
	unsigned int level; /* of the page */
	unsigned int order; /* of the block: several pages if level is 0 */
	user_addr_t start;
};

bool space_memory_is_scarce(void)
{
	return page_free_bytes() < page_total() / SCARCE_PART;
}

static bool fits(const struct region *region, user_addr_t address, uint64_t size)
{
	user_addr_t start = align_down(address, size);

	return start >= region->start && start + size <= region->end;
}

static bool takes_large(const struct region *region)
{
	return !(region->flags & (REGION_KERNEL | REGION_STACK | REGION_SMALL_PAGES));
}

static bool is_allowed(const struct region *region, unsigned int need)
{
	return need == 0 || (region->prot & need) != 0;
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

		if (fits(region, address, size) && (level > 0 || are_empty(first, order)))
			return order;
	}
	return 0;
}

static void plan_page(struct plan *plan, user_addr_t address, unsigned int level,
		      unsigned int order)
{
	plan->level = level;
	plan->order = order;
	plan->start = align_down(address, PAGE_SIZE << order);
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
	if (!is_allowed(region, need))
		return -EACCES;
	entry = pt_find(aspace->root, address, &level);
	if (pt_read(entry) != 0) {
		/* Else the program would come here again and again. */
		ASSERT(need == 0 || (pt_read(entry) & PTE_PRESENT));
		return LOOK_MAPPED;
	}
	if (region->flags & REGION_KERNEL)
		return -EFAULT;
	if (space_memory_is_scarce()) {
		plan_page(plan, address, 0, 0);
		return LOOK_NEEDED;
	}
	large = takes_large(region) && fits(region, address, LARGE_PAGE_SIZE);
	if (large && level >= 2 && populate && mm_has_huge_pages() &&
	    fits(region, address, HUGE_PAGE_SIZE))
		plan_page(plan, address, 2, PAGE_ORDER_HUGE);
	else if (large && level >= 1)
		plan_page(plan, address, 1, PAGE_ORDER_LARGE);
	else if (large && space_collapse(aspace, region, align_down(address, LARGE_PAGE_SIZE)))
		return LOOK_MAPPED;
	else
		plan_page(plan, address, 0, run_order(region, entry, level, address));
	return LOOK_NEEDED;
}

/* The block for PLAN, which is changed to less where memory does not allow it. */
static phys_addr_t obtain(struct plan *plan, user_addr_t address)
{
	node_id_t node = mm_this_node();
	phys_addr_t block;

	if (plan->level == 2) {
		block = page_alloc_local(PAGE_ORDER_HUGE, node);
		if (block != PAGE_NONE)
			return block;
		plan_page(plan, address, 1, PAGE_ORDER_LARGE);
	}
	if (plan->level == 1) {
		block = page_alloc_local(PAGE_ORDER_LARGE, node);
		/* A large page of another node is better than a small one only if it must be. */
		if (block == PAGE_NONE &&
		    page_node_free_bytes(node) <= page_node_total_bytes(node) / SCARCE_PART)
			block = page_alloc(PAGE_ORDER_LARGE, node);
		if (block != PAGE_NONE)
			return block;
		plan_page(plan, address, 0, RUN_ORDER);
	}
	if (plan->order > 0) {
		block = page_alloc_local(plan->order, node);
		if (block != PAGE_NONE)
			return block;
		plan_page(plan, address, 0, 0);
	}
	return page_alloc(0, node);
}

/* 0: mapped; -EAGAIN: something has changed meanwhile; -ENOMEM. */
static int install(struct aspace *aspace, user_addr_t address, unsigned int need,
		   const struct plan *plan, phys_addr_t block)
{
	const struct region *region = region_at(&aspace->regions, address);
	unsigned int count = plan->level == 0 ? 1u << plan->order : 1u, found;
	uint64_t *entry;

	if (region == NULL || !is_allowed(region, need) || (region->flags & REGION_KERNEL) ||
	    !fits(region, address, PAGE_SIZE << plan->order) ||
	    (plan->level > 0 && !takes_large(region)))
		return -EAGAIN;
	entry = pt_make(aspace->root, plan->start, plan->level, aspace->node, &found);
	if (entry == NULL)
		return -ENOMEM;
	if (found != plan->level)
		return -EAGAIN;
	for (unsigned int i = 0; i < count; i++) {
		if (pt_read(&entry[i]) != 0)
			return -EAGAIN;
	}
	page_split(block, plan->order, pt_order(plan->level));
	for (unsigned int i = 0; i < count; i++)
		pt_write(&entry[i], pt_leaf(block + i * PAGE_SIZE, plan->level, region->prot, 0));
	space_count(aspace, PAGE_SIZE << plan->order);
	return 0;
}

int space_fault(struct aspace *aspace, user_addr_t address, unsigned int need, bool populate)
{
	int result;

	address = align_down(address, PAGE_SIZE);
	do {
		struct plan plan;
		phys_addr_t block;

		lock_take(&aspace->lock);
		result = look(aspace, address, need, populate, &plan);
		lock_drop(&aspace->lock);
		if (result != LOOK_NEEDED)
			return result;
		block = obtain(&plan, address);
		if (block == PAGE_NONE) {
			result = space_trim(aspace) ? -EAGAIN : -ENOMEM;
			continue;
		}
		memory_clear(block, PAGE_SIZE << plan.order);
		lock_take(&aspace->lock);
		result = install(aspace, address, need, &plan, block);
		lock_drop(&aspace->lock);
		if (result != 0)
			page_free(block, plan.order);
		/* It was the memory for a table that was missing. */
		if (result == -ENOMEM && space_trim(aspace))
			result = -EAGAIN;
	} while (result == -EAGAIN);
	return result;
}

int space_populate(struct aspace *aspace, user_addr_t start, user_addr_t end)
{
	while (start < end) {
		unsigned int level;
		int error = space_fault(aspace, start, 0, true);

		/* Another thread has unmapped it again: not our matter. */
		if (error == -EFAULT)
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
