/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory on its way from Linux and back. */
#ifndef PISCES_KMOD_MEMORY_H
#define PISCES_KMOD_MEMORY_H

#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/types.h>

struct memory_range {
	struct list_head link;
	phys_addr_t base;
	u64 size;
	u32 node;
	u32 way; /* enum pisces_memory_way */
	u16 granule_shift; /* it can be given back in pieces of 1 << this */
	bool dirty; /* has Linux's data in it: the co-kernel clears it */
	struct resource resource; /* in /proc/iomem */
};

/*
 * Takes SIZE bytes of NODE in at most MAX_RANGES zeroed ranges, appends them to
 * *RANGES and shows them in /proc/iomem as NAME (which stays the caller's).
 * -ENOMEM: *AVAILABLE says how much could have been had. All or nothing.
 */
int memory_take(struct list_head *ranges, u64 size, u32 node, unsigned int max_ranges,
		const char *name, u64 *available);

/* Shows a range in /proc/iomem as NAME, which stays the caller's; takes it out of there. */
void memory_show(struct memory_range *range, const char *name);
void memory_hide(struct memory_range *range);

/* Clears the ranges of the list, gives them back to Linux and empties the list. */
void memory_give_back(struct list_head *ranges);

/* Pages of BYTES bytes, contiguous, zeroed, each with a reference of its own; or NULL. */
struct page *memory_alloc_shared(size_t bytes, int node);
void memory_free_shared(struct page *pages, size_t bytes);

#endif
