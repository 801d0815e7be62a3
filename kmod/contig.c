// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The way contig: alloc_contig_range(), from 2 MiB up, of one NUMA node, with struct
 * pages, without a boot parameter.
 *
 * The search goes from the top of the node down, first for pieces as large as
 * what is wanted, then for half of that, and so on. Before a piece is asked for,
 * its pages are looked at: asking for one that cannot be had costs Linux the
 * moving of pages for nothing.
 */

#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/vmstat.h>
#include <pisces/abi.h>
#include <pisces/ioctl.h>

#include "compat.h"
#include "memory.h"

#define BLOCK_PAGES (PISCES_MEMORY_ALIGN / PAGE_SIZE)

/* The largest piece that is asked for at once: 1 GiB. Neighbours become one range. */
#define PIECE_PAGES_MAX (0x40000000ul / PAGE_SIZE)

/* Pieces of one size that may be refused before the size is given up. */
#define PIECE_FAILURES_MAX 64

/* Linux keeps this much of the system's memory, and of a node's: bytes, and parts of all. */
#define FLOOR_BYTES 0x8000000ull /* 128 MiB */
#define FLOOR_PART 50

static u64 above_floor(u64 available, u64 all)
{
	u64 floor = max(FLOOR_BYTES, all / FLOOR_PART);

	return available > floor ? available - floor : 0;
}

static u64 node_available(int node)
{
	struct pglist_data *pgdat = NODE_DATA(node);
	long pages = 0;
	int i;

	for (i = 0; i < MAX_NR_ZONES; i++)
		if (populated_zone(&pgdat->node_zones[i]))
			pages += zone_page_state(&pgdat->node_zones[i], NR_FREE_PAGES);
	pages += atomic_long_read(&pgdat->vm_stat[NR_ACTIVE_FILE]);
	pages += atomic_long_read(&pgdat->vm_stat[NR_INACTIVE_FILE]);
	return pages > 0 ? (u64)pages * PAGE_SIZE : 0;
}

u64 memory_available(int node)
{
	long system = si_mem_available();
	u64 of_system = above_floor(system > 0 ? (u64)system * PAGE_SIZE : 0,
					   (u64)totalram_pages() * PAGE_SIZE);
	u64 of_node = above_floor(node_available(node),
					 (u64)node_present_pages(node) * PAGE_SIZE);

	return min(of_system, of_node) & ~(PISCES_MEMORY_ALIGN - 1);
}

/* Could this block be had? A guess, without any lock; only taking it tells. */
enum block_look { BLOCK_STAYS, BLOCK_MOVES, BLOCK_IS_FREE };

static enum block_look block_look_at(unsigned long first, struct zone *zone)
{
	enum block_look look = BLOCK_IS_FREE;
	unsigned long pfn = first;

	while (pfn < first + BLOCK_PAGES) {
		struct page *page = pfn_to_online_page(pfn);
		unsigned long order;

		if (!page || PageReserved(page) || page_zone(page) != zone)
			return BLOCK_STAYS;
		if (PageBuddy(page)) {
			/* Free pages in one piece; the number may be gone already. */
			order = READ_ONCE(page->private);
			pfn += order < ilog2(BLOCK_PAGES) ? 1ul << order : BLOCK_PAGES;
			continue;
		}
		/* With no reference it waits in a CPU's list of free pages. */
		if (page_count(page)) {
			if (!compat_page_is_movable(page))
				return BLOCK_STAYS;
			look = BLOCK_MOVES;
		}
		pfn++;
	}
	return look;
}

void contig_free(u64 base, u64 size)
{
	unsigned long first = PHYS_PFN(base), count = PHYS_PFN(size);

	while (count) {
		unsigned long part = min(count, (unsigned long)BLOCK_PAGES);

		free_contig_range(first, part);
		first += part;
		count -= part;
		cond_resched();
	}
}

/* Notes that the pages [FIRST, FIRST + COUNT), which are ours now, belong to the list. */
static int ranges_add(struct list_head *ranges, unsigned int *room, unsigned long first,
		      unsigned long count, int node)
{
	struct memory_range *range;

	/* The search goes downwards, so only the newest range can be a neighbour. */
	range = list_empty(ranges) ? NULL : list_last_entry(ranges, struct memory_range, link);
	if (range && range->base == PFN_PHYS(first + count)) {
		range->base = PFN_PHYS(first);
		range->size += PFN_PHYS(count);
		return 0;
	}
	if (*room == 0)
		return -ENOMEM;
	range = kzalloc(sizeof(*range), GFP_KERNEL);
	if (!range)
		return -ENOMEM;
	--*room;
	range->base = PFN_PHYS(first);
	range->size = PFN_PHYS(count);
	range->node = node;
	range->way = PISCES_MEMORY_CONTIG;
	range->granule_shift = ilog2(PISCES_MEMORY_ALIGN);
	range->dirty = !compat_contig_is_zeroed();
	list_add_tail(&range->link, ranges);
	return 0;
}

struct memory_search {
	struct list_head ranges;
	unsigned int room; /* for more ranges */
	unsigned long left; /* pages to find */
	int node;
};

/* Takes pieces of PIECE pages (fewer, if fewer are left) from ZONE. -EINTR, -ENOMEM or 0. */
static int search_zone(struct memory_search *search, struct zone *zone, unsigned long piece)
{
	unsigned long bottom = ALIGN(zone->zone_start_pfn, BLOCK_PAGES);
	unsigned long pfn = ALIGN_DOWN(zone_end_pfn(zone), BLOCK_PAGES);
	unsigned long run = 0; /* pages from pfn on that can be had, as it looks */
	bool moves = false;    /* and of which some are in use */
	unsigned int failures = 0;
	enum block_look look;
	int ret;

	while (search->left && pfn >= bottom + BLOCK_PAGES) {
		pfn -= BLOCK_PAGES;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
		look = block_look_at(pfn, zone);
		if (look == BLOCK_STAYS) {
			run = 0;
			continue;
		}
		moves = (run && moves) || look == BLOCK_MOVES;
		run += BLOCK_PAGES;
		if (run < min(piece, search->left))
			continue;

		if (moves ? compat_alloc_contig(pfn, pfn + run) :
			    contig_take_free(pfn, pfn + run, search->node)) {
			if (++failures == PIECE_FAILURES_MAX)
				return 0;
			run = 0;
			continue;
		}
		ret = ranges_add(&search->ranges, &search->room, pfn, run, search->node);
		if (ret) {
			contig_free(PFN_PHYS(pfn), PFN_PHYS(run));
			return ret;
		}
		search->left -= run;
		run = 0;
	}
	return 0;
}

static int search_node(struct memory_search *search)
{
	struct pglist_data *pgdat = NODE_DATA(search->node);
	unsigned long piece = min(search->left, PIECE_PAGES_MAX);
	int ret, i;

	for (;;) {
		/* The memory that old devices need is not for taking. */
		for (i = MAX_NR_ZONES - 1; i > ZONE_DMA && search->left; i--) {
			if (zone_is_zone_device(&pgdat->node_zones[i]) ||
			    !populated_zone(&pgdat->node_zones[i]))
				continue;
			ret = search_zone(search, &pgdat->node_zones[i], piece);
			if (ret)
				return ret;
		}
		if (!search->left)
			return 0;
		if (piece == BLOCK_PAGES)
			return -ENOMEM;
		piece = max(ALIGN_DOWN(piece / 2, BLOCK_PAGES), (unsigned long)BLOCK_PAGES);
	}
}

int memory_take(struct list_head *ranges, u64 size, u32 node, unsigned int max_ranges,
		const char *name, u64 *available)
{
	struct memory_search search = { .room = max_ranges, .node = node };
	struct memory_range *range, *next;
	int ret;

	*available = 0;
	if (size == 0 || size % PISCES_MEMORY_ALIGN || node >= PISCES_MAX_NODES ||
	    node >= nr_node_ids || !node_online(node))
		return -EINVAL;
	*available = memory_available(node);
	if (size > *available)
		return -ENOMEM;

	INIT_LIST_HEAD(&search.ranges);
	search.left = PHYS_PFN(size);
	ret = search_node(&search);
	*available = min(*available, size - PFN_PHYS(search.left));
	if (ret) {
		/* Nobody has written to it: nothing to scrub. */
		list_for_each_entry_safe(range, next, &search.ranges, link) {
			contig_free(range->base, range->size);
			kfree(range);
		}
		return ret;
	}
	list_for_each_entry(range, &search.ranges, link)
		memory_show(range, name);
	list_splice_tail(&search.ranges, ranges);
	return 0;
}
