/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables for CPUs that come out of the trampoline: four levels, below
 * 4 GiB, all read-write and executable.
 */
#ifndef PISCES_KMOD_PAGETABLE_H
#define PISCES_KMOD_PAGETABLE_H

#include <linux/list.h>
#include <linux/types.h>

struct pagetable {
	struct list_head pages; /* of all tables, by page->lru */
	u64 *top;
	phys_addr_t root;
};

int pagetable_create(struct pagetable *table);
void pagetable_destroy(struct pagetable *table);

/*
 * Maps BYTES bytes at PHYS to VIRTUAL in pages of LARGE ? 2 MiB : 4 KiB; all
 * three are multiples of that. The place must be free, or hold the same. -ENOMEM leaves a part.
 */
int pagetable_map(struct pagetable *table, u64 virtual, phys_addr_t phys, u64 bytes, bool large);

#endif
