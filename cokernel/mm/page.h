/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical pages: a buddy allocator for each NUMA node, blocks of 4 KiB
 * (order 0) to 1 GiB (order 18), naturally aligned. Safe on all CPUs. Compiled
 * for user space in the tests: nothing of arch/ is used but the direct map.
 */
#ifndef CK_MM_PAGE_H
#define CK_MM_PAGE_H

#include "lib/types.h"

#define PAGE_ORDER_LARGE 9u /* 2 MiB */
#define PAGE_ORDER_HUGE 18u /* 1 GiB */
#define PAGE_NONE UINT64_MAX

/*
 * Adds a free range: page aligned, of one node, all of it zero. Its own bookkeeping is taken
 * from it. It can be given back in aligned pieces of 1 << GRANULE_SHIFT bytes: page_remove().
 * At any time, also while other CPUs allocate; one at a time. Panics if page_can_add() says no.
 */
void page_add_range(phys_addr_t base, uint64_t size, node_id_t node, unsigned int granule_shift);
bool page_can_add(phys_addr_t base, uint64_t size, node_id_t node);

/* The order in which nodes are asked when NODE has none left: nearest first. */
void page_set_distances(const uint8_t *slit, unsigned int nodes, unsigned int stride);

/* How a block is to be. */
#define PAGE_LOCAL 1u /* of no other node */
#define PAGE_ZERO 2u  /* cleared: which costs nothing where nobody has used that memory before */

/*
 * One block of 2^ORDER pages of NODE, or of the nearest node that has one. HOW: the above.
 * PAGE_NONE when there is none.
 */
phys_addr_t page_alloc(unsigned int order, node_id_t node, unsigned int how);
/* Gives back a block with the order it was taken with; asserts that it was taken. */
void page_free(phys_addr_t block, unsigned int order);

/* References to a single page or block, for pages that several mappings share:
 * an allocated block has one; page_put frees it with the last. */
void page_get(phys_addr_t block);
void page_put(phys_addr_t block, unsigned int order);
bool page_is_shared(phys_addr_t block); /* has it more than one? */

/* The order with which BLOCK was taken. */
unsigned int page_order(phys_addr_t block);

/*
 * Makes a taken block of ORDER into blocks of order TO, each taken and with the
 * references that the block had. Only its owner calls this.
 */
void page_split(phys_addr_t block, unsigned int order, unsigned int to);

node_id_t page_node(phys_addr_t page); /* of a page that is taken */

uint64_t page_total(void); /* bytes that are there, less bookkeeping */
uint64_t page_free_bytes(void);
uint64_t page_node_free_bytes(node_id_t node);
uint64_t page_node_total_bytes(node_id_t node);

#endif
