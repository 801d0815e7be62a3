/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How pages come: at the first touch, or ahead of it. What takes long, clearing,
 * is done without the lock, so that all CPUs can do it at the same time; then the
 * decision is checked once more.
 */
#include "arch/tlb.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/clear.h"
#include "mm/direct.h"
#include "mm/local.h"
#include "mm/object.h"
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

enum source {
	FROM_NOTHING, /* zero */
	FROM_PAGE,    /* a copy of what is there now */
	FROM_OBJECT,  /* a page of the object itself */
};

struct plan {
	enum source source;
	unsigned int level; /* of the page */
	unsigned int order; /* of the block: several pages if level is 0 */
	user_addr_t start;
	struct policy policy;
	phys_addr_t page;      /* FROM_PAGE: to be copied; FROM_OBJECT: to be mapped */
	struct object *object; /* of the region, with a reference; NULL: none */
	uint64_t offset;       /* of ADDRESS in it */
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
	need &= SPACE_PROT;
	return need == 0 || (region->prot & need) != 0;
}

/* A page of an object will not do: it must be a copy. */
static bool needs_own(unsigned int need)
{
	return (need & SPACE_PROT) == ASPACE_WRITE || (need & SPACE_OWN);
}

static uint64_t offset_of(const struct region *region, user_addr_t address)
{
	return region->object != NULL ? region->offset + (address - region->start) : 0;
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

/* The region's own policy, or the thread's. */
static void plan_source(struct plan *plan, const struct region *region, user_addr_t address)
{
	plan->source = region->object != NULL ? FROM_OBJECT : FROM_NOTHING;
	plan->object = region->object;
	plan->offset = offset_of(region, address);
	plan->policy = region->policy;
	if (plan->policy.mode == POLICY_DEFAULT)
		mm_thread_policy(&plan->policy);
	if (plan->object != NULL)
		object_get(plan->object);
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
		if (!(pt_read(entry) & PTE_COPY) || !needs_own(need)) {
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
	const struct policy *policy = &plan->policy;
	node_id_t here = mm_this_node(), node;
	phys_addr_t block;

	if (plan->level == 2) {
		block = policy_alloc(policy, PAGE_ORDER_HUGE, address, here, true);
		if (block != PAGE_NONE)
			return block;
		plan_page(plan, address, 1, PAGE_ORDER_LARGE);
	}
	if (plan->level == 1) {
		block = policy_alloc(policy, PAGE_ORDER_LARGE, address, here, true);
		node = policy_node(policy, PAGE_ORDER_LARGE, address, here);
		/* A large page of another node is better than a small one only if it must be. */
		if (block == PAGE_NONE &&
		    page_node_free_bytes(node) <= page_node_total_bytes(node) / SCARCE_PART)
			block = policy_alloc(policy, PAGE_ORDER_LARGE, address, here, false);
		if (block != PAGE_NONE)
			return block;
		plan_page(plan, address, 0, RUN_ORDER);
	}
	if (plan->order > 0) {
		block = policy_alloc(policy, plan->order, address, here, true);
		if (block != PAGE_NONE)
			return block;
		plan_page(plan, address, 0, 0);
	}
	return policy_alloc(policy, 0, address, here, false);
}

/* Are the regions still as they were when the plan was made? */
static bool is_valid(const struct plan *plan, const struct region *region, user_addr_t address,
		     unsigned int need)
{
	return region != NULL && is_allowed(region, need) && !(region->flags & REGION_KERNEL) &&
	       region->object == plan->object && offset_of(region, address) == plan->offset;
}

/* 0: mapped; -EAGAIN: something has changed meanwhile; -ENOMEM. */
static int install(struct aspace *aspace, user_addr_t address, unsigned int need,
		   const struct plan *plan, phys_addr_t block)
{
	const struct region *region = region_at(&aspace->regions, address);
	unsigned int count = plan->level == 0 ? 1u << plan->order : 1u, found;
	uint64_t *entry;

	if (!is_valid(plan, region, address, need) ||
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
	phys_addr_t block = obtain(plan, address);
	int result;

	if (block == PAGE_NONE)
		return -ENOMEM;
	memory_clear(block, PAGE_SIZE << plan->order);
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
	phys_addr_t block = obtain(plan, address);
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

/* Maps what is there around the page at ADDRESS, which is at PLAN->page: pages of it, or it. */
static int map_object(struct aspace *aspace, user_addr_t address, unsigned int need,
		      const struct plan *plan)
{
	const struct region *region = region_at(&aspace->regions, address);
	unsigned int found;
	uint64_t *entry, extra = PTE_FOREIGN;

	if (!is_valid(plan, region, address, need))
		return -EAGAIN;
	if (!(region->flags & REGION_SHARED))
		extra |= PTE_COPY;
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
	large = region != NULL && (region->flags & REGION_SHARED) &&
		fits(region, address, LARGE_PAGE_SIZE) && there >= 1;
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
	return result == 0 && needs_own(need) ? -EAGAIN : result;
}

static int follow(struct aspace *aspace, user_addr_t address, unsigned int need, struct plan *plan)
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
		result = follow(aspace, address, need, &plan);
		if (plan.object != NULL)
			object_put(plan.object);
		if (result == -ENOMEM && (mm_shrink(true) || space_trim(aspace)))
			result = -EAGAIN;
	} while (result == -EAGAIN);
	return result;
}

int space_populate(struct aspace *aspace, user_addr_t start, user_addr_t end)
{
	while (start < end) {
		unsigned int level;
		int error = space_fault(aspace, start, 0, true);

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
