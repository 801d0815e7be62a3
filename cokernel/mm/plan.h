/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page that is to come: fault.c looks what is needed, install.c gets it and puts it
 * there. In between the lock is not held, so that all CPUs can clear and copy at the
 * same time; what was decided is checked once more.
 */
#ifndef CK_MM_PLAN_H
#define CK_MM_PLAN_H

#include "mm/object.h"
#include "mm/page.h"
#include "mm/policy.h"
#include "mm/space.h"

/* Single pages that come together: 64 KiB, as far as the region goes and nothing is there. */
#define RUN_ORDER 4u

/* Free memory below this part of all: nobody gets more than was touched. */
#define SCARCE_PART 16u

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

static inline bool region_fits(const struct region *region, user_addr_t address, uint64_t size)
{
	user_addr_t start = align_down(address, size);

	return start >= region->start && start + size <= region->end;
}

static inline bool region_takes_large(const struct region *region)
{
	return !(region->flags & (REGION_KERNEL | REGION_STACK | REGION_SMALL_PAGES));
}

static inline bool region_allows(const struct region *region, unsigned int need)
{
	need &= SPACE_PROT;
	return need == 0 || (region->prot & need) != 0;
}

/* A page of an object will not do as it is: it must be a copy, or the object be told. */
static inline bool plan_needs_own(unsigned int need)
{
	return (need & SPACE_PROT) == ASPACE_WRITE || (need & SPACE_OWN);
}

static inline uint64_t region_offset(const struct region *region, user_addr_t address)
{
	return region->object != NULL ? region->offset + (address - region->start) : 0;
}

static inline void plan_page(struct plan *plan, user_addr_t address, unsigned int level,
		      unsigned int order)
{
	plan->level = level;
	plan->order = order;
	plan->start = align_down(address, PAGE_SIZE << order);
}

/*
 * Carries out PLAN for ADDRESS, which was touched so that it NEEDs that. 0: mapped;
 * -EAGAIN: something has changed meanwhile, or there is a second step; -ENXIO: behind
 * the end of the object; -ENOMEM. Takes the lock.
 */
int plan_follow(struct aspace *aspace, user_addr_t address, unsigned int need,
		struct plan *plan);

#endif
