/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of enclaves: taken from Linux in one of three ways (contig.c, block.c), the
 * same to everybody else. Of these functions only memory_join() may be called with a
 * spinlock held. A list of ranges belongs to one enclave and changes under its mutex.
 */
#ifndef PISCES_KMOD_MEMORY_H
#define PISCES_KMOD_MEMORY_H

#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/types.h>

#include "iomem.h"

struct memory_range {
	struct list_head link;
	phys_addr_t base;
	u64 size;
	u32 node;
	u32 way; /* enum pisces_memory_way */
	u16 granule_shift; /* it can be given back in pieces of 1 << this */
	bool dirty; /* has Linux's data in it: the co-kernel clears it */
	struct iomem_entry shown; /* way contig; blocks have their own */
};

/* Bytes that may be taken from NODE without driving Linux into a corner. */
u64 memory_available(int node);

/*
 * Way contig: takes SIZE bytes of NODE in at most MAX_RANGES ranges, appends them to
 * *RANGES and shows them in /proc/iomem as NAME (which stays the caller's).
 * -ENOMEM: *AVAILABLE says how much could have been had. All or nothing.
 */
int memory_take(struct list_head *ranges, u64 size, u32 node, unsigned int max_ranges,
		const char *name, u64 *available);

/*
 * The pages [FIRST, END) of NODE, which look free, by the CPUs on which the caller may run,
 * together. All or nothing: -EBUSY, -ENOMEM, -EINTR.
 */
int contig_take_free(unsigned long first, unsigned long end, int node);

/* Gives pages of way contig back, which are scrubbed and in no list any more. */
void contig_free(u64 base, u64 size);

/*
 * SIZE bytes at PHYS of the range, contiguous, for Linux to read and write; NULL if they
 * are not all in it, or, of way remove, for want of memory. Sleeps. memory_unmap() when
 * done: nothing of way remove stays mapped.
 */
void *memory_map(const struct memory_range *range, phys_addr_t phys, size_t size);
void memory_unmap(const struct memory_range *range, void *address);

/* The range that has PHYS in it, or NULL. */
struct memory_range *memory_range_at(struct list_head *ranges, phys_addr_t phys);

/* Makes one range of neighbours, in a list sorted by address; returns how many are gone. */
unsigned int memory_join(struct list_head *ranges);

/* In /proc/iomem, as NAME, which must live until memory_hide(). */
void memory_show(struct memory_range *range, const char *name);
void memory_hide(struct memory_range *range);

/*
 * Scrubs the ranges of the list, gives them back to Linux and empties the list. Nobody
 * else writes to them any more. CPUS, which are Linux's, do it together; NULL: this one.
 * Blocks of memory are offline after it: reclaim_start() has them brought online.
 */
void memory_give_back(struct list_head *ranges, const struct cpumask *cpus);

/* Pages of BYTES bytes, contiguous, zeroed, each with a reference of its own; or NULL. */
struct page *memory_alloc_shared(size_t bytes, int node);
void memory_free_shared(struct page *pages, size_t bytes);

#endif
