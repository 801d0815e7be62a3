/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/tlb.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/direct.h"
#include "mm/local.h"
#include "mm/pagetable.h"
#include "mm/plan.h"

/* The block for PLAN, which is changed to less where memory does not allow it. HOW: PAGE_ZERO. */
static phys_addr_t obtain(struct plan *plan, user_addr_t address, unsigned int how)
{
	const struct policy *policy = &plan->policy;
	const unsigned int first = how | PAGE_LOCAL;
	node_id_t here = mm_this_node(), node;
	phys_addr_t block;

	if (plan->level == 2) {
		block = policy_alloc(policy, PAGE_ORDER_HUGE, address, here, first);
		if (block != PAGE_NONE)
			return block;
		plan_page(plan, address, 1, PAGE_ORDER_LARGE);
	}
	if (plan->level == 1) {
		block = policy_alloc(policy, PAGE_ORDER_LARGE, address, here, first);
		node = policy_node(policy, PAGE_ORDER_LARGE, address, here);
		/* A large page of another node is better than a small one only if it must be. */
		if (block == PAGE_NONE &&
		    page_node_free_bytes(node) <= page_node_total_bytes(node) / SCARCE_PART)
			block = policy_alloc(policy, PAGE_ORDER_LARGE, address, here, how);
		if (block != PAGE_NONE)
			return block;
		plan_page(plan, address, 0, RUN_ORDER);
	}
	if (plan->order > 0) {
		block = policy_alloc(policy, plan->order, address, here, first);
		if (block != PAGE_NONE)
			return block;
		plan_page(plan, address, 0, 0);
	}
	return policy_alloc(policy, 0, address, here, how);
}

/* Are the regions still as they were when the plan was made? */
static bool is_valid(const struct plan *plan, const struct region *region, user_addr_t address,
		     unsigned int need)
{
	return region != NULL && region_allows(region, need) && !(region->flags & REGION_KERNEL) &&
	       region->object == plan->object && region_offset(region, address) == plan->offset;
}

/* 0: mapped; -EAGAIN: something has changed meanwhile; -ENOMEM. */
static int install(struct aspace *aspace, user_addr_t address, unsigned int need,
		   const struct plan *plan, phys_addr_t block)
{
	const struct region *region = region_at(&aspace->regions, address);
	unsigned int count = plan->level == 0 ? 1u << plan->order : 1u, found;
	uint64_t *entry;

	if (!is_valid(plan, region, address, need) ||
	    !region_fits(region, address, PAGE_SIZE << plan->order) ||
	    (plan->level > 0 && !region_takes_large(region)))
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

/* The copy BLOCK takes the place of what it was made from. As install(). */
static int replace(struct aspace *aspace, user_addr_t address, unsigned int need,
		   const struct plan *plan, phys_addr_t block)
{
	const struct region *region = region_at(&aspace->regions, address);
	unsigned int level;
	uint64_t *entry = pt_find(aspace->root, address, &level);

	if (!is_valid(plan, region, address, need) || level != 0 ||
	    !(pt_read(entry) & PTE_COPY) || (pt_read(entry) & PTE_ADDRESS) != plan->page)
		return -EAGAIN;
	/* Who still reads the old one is not wrong before the flush, and it is not freed. */
	pt_write(entry, pt_leaf(block, 0, region->prot, 0));
	tlb_flush(aspace, address, address + PAGE_SIZE);
	space_count(aspace, PAGE_SIZE);
	return 0;
}

static int from_nothing(struct aspace *aspace, user_addr_t address, unsigned int need,
			struct plan *plan)
{
	phys_addr_t block = obtain(plan, address, PAGE_ZERO);
	int result;

	if (block == PAGE_NONE)
		return -ENOMEM;
	lock_take(&aspace->lock);
	result = install(aspace, address, need, plan, block);
	lock_drop(&aspace->lock);
	if (result != 0)
		page_free(block, plan->order);
	return result;
}

static int from_page(struct aspace *aspace, user_addr_t address, unsigned int need,
		     struct plan *plan)
{
	phys_addr_t block = obtain(plan, address, 0);
	int result;

	if (block == PAGE_NONE)
		return -ENOMEM;
	memcpy(phys_to_virt(block), phys_to_virt(plan->page), PAGE_SIZE);
	lock_take(&aspace->lock);
	result = replace(aspace, address, need, plan, block);
	lock_drop(&aspace->lock);
	if (result != 0)
		page_free(block, 0);
	return result;
}

/* May a page of LEVEL of an object lie around ADDRESS? A large one only in shared memory. */
static bool takes_level(const struct region *region, user_addr_t address, unsigned int level)
{
	return level == 0 || ((region->flags & REGION_SHARED) &&
			      region_fits(region, address, pt_page_size(level)));
}

/* Maps what is there around the page at ADDRESS, which is at PLAN->page: pages of it, or it. */
static int map_object(struct aspace *aspace, user_addr_t address, unsigned int need,
		      const struct plan *plan)
{
	const struct region *region = region_at(&aspace->regions, address);
	unsigned int found;
	uint64_t *entry, extra = PTE_FOREIGN;

	/* The region may have been cut, or be a private one of the same object by now. */
	if (!is_valid(plan, region, address, need) || !takes_level(region, address, plan->level))
		return -EAGAIN;
	if (!(region->flags & REGION_SHARED))
		extra |= PTE_COPY;
	else if (object_kind(plan->object) == OBJECT_SHARED_FILE)
		extra |= PTE_CLEAN;
	entry = pt_make(aspace->root, plan->start, plan->level, aspace->node, &found);
	if (entry == NULL)
		return -ENOMEM;
	if (found != plan->level || pt_read(entry) != 0)
		return -EAGAIN;
	pt_write(entry, pt_leaf(plan->page, plan->level, region->prot, extra));
	return 0;
}

/* A large page as it is, if it lies so in the region; and nothing smaller is there yet. */
static bool maps_large(struct aspace *aspace, user_addr_t address, const struct plan *plan,
		       unsigned int level)
{
	const struct region *region;
	unsigned int there;
	bool large;

	if (level != 1 || (address - plan->offset) % LARGE_PAGE_SIZE != 0)
		return false;
	lock_take(&aspace->lock);
	region = region_at(&aspace->regions, address);
	pt_find(aspace->root, address, &there);
	large = region != NULL && takes_level(region, address, level) && there >= 1;
	lock_drop(&aspace->lock);
	return large;
}

static int from_object(struct aspace *aspace, user_addr_t address, unsigned int need,
		       struct plan *plan)
{
	unsigned int level;
	int result = object_page(plan->object, plan->offset, &plan->policy, &plan->page, &level);

	if (result)
		return result;
	if (maps_large(aspace, address, plan, level)) {
		plan_page(plan, address, 1, PAGE_ORDER_LARGE);
	} else {
		plan_page(plan, address, 0, 0);
		plan->page += align_down(plan->offset % pt_page_size(level), PAGE_SIZE);
	}
	lock_take(&aspace->lock);
	result = map_object(aspace, address, need, plan);
	lock_drop(&aspace->lock);
	/* What is to be written at once is copied in a second turn. */
	return result == 0 && plan_needs_own(need) ? -EAGAIN : result;
}

int plan_follow(struct aspace *aspace, user_addr_t address, unsigned int need,
		struct plan *plan)
{
	switch (plan->source) {
	case FROM_PAGE:
		return from_page(aspace, address, need, plan);
	case FROM_OBJECT:
		return from_object(aspace, address, need, plan);
	default:
		return from_nothing(aspace, address, need, plan);
	}
}
