// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory of enclaves, whichever way it came: reaching it, and giving it back. */

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <pisces/abi.h>
#include <pisces/ioctl.h>

#include "block.h"
#include "log.h"
#include "memory.h"
#include "scrub.h"

void *memory_map(const struct memory_range *range, phys_addr_t phys, size_t size)
{
	if (phys < range->base || phys - range->base >= range->size ||
	    size > range->size - (phys - range->base))
		return NULL;
	if (range->way == PISCES_MEMORY_REMOVE)
		return memremap(phys, size, MEMREMAP_WB);
	return phys_to_virt(phys);
}

void memory_unmap(const struct memory_range *range, void *address)
{
	if (range->way == PISCES_MEMORY_REMOVE && address)
		memunmap(address);
}

struct memory_range *memory_range_at(struct list_head *ranges, phys_addr_t phys)
{
	struct memory_range *range;

	list_for_each_entry(range, ranges, link)
		if (phys >= range->base && phys - range->base < range->size)
			return range;
	return NULL;
}

/* Blocks show themselves. */
void memory_show(struct memory_range *range, const char *name)
{
	if (range->way != PISCES_MEMORY_CONTIG)
		return;
	if (iomem_add(&range->shown, range->base, range->size, name, false))
		pr_info("%s: %llu MiB at %pa are not shown in /proc/iomem\n", name,
			range->size >> 20, &range->base);
}

void memory_hide(struct memory_range *range)
{
	iomem_remove(&range->shown);
}

/* True if both could be one range. */
static bool memory_fits(const struct memory_range *low, const struct memory_range *high)
{
	return low->base + low->size == high->base && low->node == high->node &&
	       low->way == high->way && low->granule_shift == high->granule_shift &&
	       low->dirty == high->dirty;
}

unsigned int memory_join(struct list_head *ranges)
{
	struct memory_range *range, *next;
	unsigned int joined = 0;

	list_for_each_entry_safe(range, next, ranges, link) {
		if (list_entry_is_head(next, ranges, link))
			break;
		/* Pieces of contig are shown in /proc/iomem as they are. */
		if (range->way == PISCES_MEMORY_CONTIG || !memory_fits(range, next))
			continue;
		/* Into the later one, so that the walk goes on from there. */
		next->size += range->size;
		next->base = range->base;
		list_del(&range->link);
		kfree(range);
		joined++;
	}
	return joined;
}

void memory_give_back(struct list_head *ranges, const struct cpumask *cpus)
{
	struct memory_range *range, *next;

	list_for_each_entry(range, ranges, link) {
		memory_hide(range);
		/* What was removed is scrubbed where Linux reaches it: in its direct map. */
		if (range->way == PISCES_MEMORY_REMOVE)
			blocks_add(range->base, range->size);
	}
	scrub_and_free(ranges, cpus);
	list_for_each_entry_safe(range, next, ranges, link) {
		if (range->way != PISCES_MEMORY_CONTIG)
			blocks_return(range->base, range->size);
		list_del(&range->link);
		kfree(range);
	}
}

struct page *memory_alloc_shared(size_t bytes, int node)
{
	unsigned int order = get_order(bytes);
	unsigned long i, count = bytes >> PAGE_SHIFT;
	struct page *pages;

	pages = alloc_pages_node(node,
				 GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | __GFP_RETRY_MAYFAIL,
				 order);
	if (!pages)
		return NULL;
	/* Page by page, so that each can be mapped, and outlive us, on its own. */
	split_page(pages, order);
	for (i = count; i < 1ul << order; i++)
		__free_page(pages + i);
	return pages;
}

void memory_free_shared(struct page *pages, size_t bytes)
{
	unsigned long i;

	for (i = 0; i < bytes >> PAGE_SHIFT; i++)
		__free_page(pages + i);
}
