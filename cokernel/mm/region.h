/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The regions of an address space, in a balanced tree (AVL) by address. Each
 * subtree knows where it begins and ends and its largest gap, so that a free place
 * is found as fast as a region. No locks and no memory: the caller brings both.
 */
#ifndef CK_MM_REGION_H
#define CK_MM_REGION_H

#include "lib/types.h"
#include "mm/policy.h"

struct object;

struct region {
	user_addr_t start, end; /* page aligned, start < end; no two overlap */
	struct region *left, *right;
	user_addr_t first, last; /* start of the first and end of the last one below here */
	uint64_t gap;		 /* the largest between two of them */
	uint8_t height;
	uint8_t prot;	/* ASPACE_READ... */
	uint16_t flags; /* enum region_flags */
	/* What it maps from OFFSET on, with a reference; NULL: memory of its own. */
	struct object *object;
	uint64_t offset;
	struct policy policy; /* mbind() */
};

enum region_flags {
	REGION_SHARED = 1,
	REGION_STACK = 2,
	REGION_SMALL_PAGES = 4,
	REGION_KERNEL = 8, /* its pages are the kernel's and all mapped */
	REGION_READ_ONLY = 16, /* never to be written: the descriptor could not */
	REGION_SEGMENT = 32,   /* of shmat(): shmdt() takes it away */
};

struct region_tree {
	struct region *root;
	unsigned int count;
	uint64_t bytes;
};

/* The one that ADDRESS is in, or else the next one above; NULL: none. */
struct region *region_at_or_above(const struct region_tree *tree, user_addr_t address);

/* The one that ADDRESS is in, or NULL. */
struct region *region_at(const struct region_tree *tree, user_addr_t address);

void region_insert(struct region_tree *tree, struct region *region);
void region_remove(struct region_tree *tree, struct region *region);

/* Moves its bounds; it may not pass a neighbour. */
void region_resize(struct region_tree *tree, struct region *region, user_addr_t start,
		   user_addr_t end);

/*
 * The end of the highest gap that has SIZE bytes within [low, high), cut to these
 * bounds; 0: there is none.
 */
user_addr_t region_highest_gap(const struct region_tree *tree, uint64_t size, user_addr_t low,
			       user_addr_t high);

#endif
