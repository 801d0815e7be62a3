/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CK_MM_PAGE_REMOVE_H
#define CK_MM_PAGE_REMOVE_H

#include "lib/types.h"

struct page_run {
	phys_addr_t base;
	uint64_t size;
};

/*
 * Takes BYTES of free memory of NODE out of the allocator, in pieces that are aligned to
 * the granule of their range and multiples of it. A piece with the words of its range
 * goes only with all of that. *COUNT: runs that there is room for at RUNS, then runs that
 * were removed. Returns BYTES, or what could have been had; then nothing has changed.
 * Ranges that were added last go first, and whole ones before pieces.
 */
uint64_t page_remove(uint64_t bytes, node_id_t node, struct page_run *runs, unsigned int *count);

#endif
