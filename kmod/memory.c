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

int memory_clean(struct memory_range *range)
{
	u64 done, part;

	for (done = 0; range->dirty && done < range->size; done += part) {
		void *at;

		part = min(range->size - done, SCRUB_CHUNK);
		at = memory_map(range, range->base + done, part);
		if (!at)
			return -ENOMEM;
		memory_clear(at, part);
		memory_unmap(range, at);
		cond_resched();
	}
	range->dirty = false;
	return 0;
}

/* A range that lies across two pieces of System RAM cannot be shown. Blocks show themselves. */
void memory_show(struct memory_range *range, const char *name)
{
	if (range->way != PISCES_MEMORY_CONTIG)
		return;
	if (iomem_add(&range->shown, range->base, range->size, name, false))
		pr_info("%s: %pR is not shown in /proc/iomem\n", name, &range->shown.resource);
}

void memory_hide(struct memory_range *range)
{
	iomem_remove(&range->shown);
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

bool memory_fits(const struct memory_range *low, const struct memory_range *high)
{
	return low->base + low->size == high->base && low->node == high->node &&
	       low->way == high->way && low->granule_shift == high->granule_shift &&
	       low->dirty == high->dirty;
}

void memory_give_back_on(struct list_head *ranges, const struct cpumask *cpus)
{
	struct memory_range *range, *next;

	list_for_each_entry(range, ranges, link) {
		memory_hide(range);
		/* What was removed is scrubbed where Linux reaches it: in its direct map. */
		if (range->way == PISCES_MEMORY_REMOVE)
			blocks_add(range->base, range->size);
	}
	scrub(ranges, cpus);
	list_for_each_entry_safe(range, next, ranges, link) {
		if (range->way == PISCES_MEMORY_CONTIG)
			contig_free(range->base, range->size);
		else
			blocks_return(range->base, range->size);
		list_del(&range->link);
		kfree(range);
	}
}

void memory_give_back(struct list_head *ranges)
{
	memory_give_back_on(ranges, NULL);
}

struct memory_range *memory_split(struct memory_range *range, u64 size)
{
	struct memory_range *upper = kzalloc(sizeof(*upper), GFP_KERNEL);

	if (!upper)
		return NULL;
	upper->base = range->base + size;
	upper->size = range->size - size;
	upper->node = range->node;
	upper->way = range->way;
	upper->granule_shift = range->granule_shift;
	upper->dirty = range->dirty;
	range->size = size;
	list_add(&upper->link, &range->link);
	return upper;
}

int memory_give_back_part(struct list_head *ranges, u64 base, u64 size, const char *name)
{
	struct memory_range *range = memory_range_at(ranges, base), *upper = NULL, *piece;
	LIST_HEAD(part);
	u64 offset;

	if (!range || !size || size > range->size - (base - range->base) ||
	    (base | size) & ((1ull << range->granule_shift) - 1))
		return -EINVAL;
	offset = base - range->base;
	memory_hide(range);
	if (offset + size < range->size) {
		upper = memory_split(range, offset + size);
		if (!upper)
			goto no_memory;
	}
	piece = offset ? memory_split(range, offset) : range;
	if (!piece) {
		if (upper) {
			range->size += upper->size;
			list_del(&upper->link);
			kfree(upper);
		}
		goto no_memory;
	}
	if (upper)
		memory_show(upper, name);
	if (piece != range)
		memory_show(range, name);
	list_move(&piece->link, &part);
	memory_give_back(&part);
	return 0;

no_memory:
	memory_show(range, name);
	return -ENOMEM;
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
