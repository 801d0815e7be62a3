// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ways block and remove: whole memory blocks of Linux, offlined by user space or
 * removed by this module.
 */

#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/slab.h>

#include "block-parts.h"
#include "block.h"
#include "log.h"
#include "memory.h"
#include "reclaim.h"
#include "sanitizer.h"

static int range_append(struct list_head *ranges, const struct block *block, u32 way)
{
	struct memory_range *range = kzalloc(sizeof(*range), GFP_KERNEL);

	if (!range)
		return -ENOMEM;
	range->base = block->base;
	range->size = block->size;
	range->node = block->node;
	range->way = way;
	range->granule_shift = ilog2(block->size);
	range->dirty = true;
	list_add_tail(&range->link, ranges);
	return 0;
}

/* Undoes range_append() to an empty list. */
static void range_drop(struct list_head *ranges)
{
	kfree(list_last_entry(ranges, struct memory_range, link));
	INIT_LIST_HEAD(ranges);
}

/* ---- block ---- */

static int take_offline(struct list_head *ranges, struct pisces_add_memory *request, u32 enclave,
			const char *name)
{
	struct block *block;
	int ret = 0;

	spin_lock(&blocks_lock);
	block = block_at_locked(request->base);
	if (!block || block->phase != BLOCK_RESERVED || block->enclave != enclave)
		ret = -EBUSY;
	else if (block->base != request->base || block->size != request->size ||
		 block->node != request->node)
		ret = -EINVAL;
	else if (block_online(block->base, block->size) != 0)
		ret = -EBUSY;
	else
		block->phase = BLOCK_TAKEN; /* its enclave's mutex is held: nobody else ends it */
	spin_unlock(&blocks_lock);
	if (ret)
		return ret;
	ret = range_append(ranges, block, PISCES_MEMORY_BLOCK);
	if (ret) {
		spin_lock(&blocks_lock);
		block->phase = BLOCK_RESERVED;
		spin_unlock(&blocks_lock);
		return ret;
	}
	sanitizer_allow(block->base, block->size);
	if (iomem_add(&block->shown, block->base, block->size, name, false))
		pr_info("%s: memory block %llx is not shown in /proc/iomem\n", name, block->base);
	return 0;
}

/* ---- remove ---- */

struct piece {
	u64 end;
};

static int piece_found(struct resource *resource, void *argument)
{
	struct piece *piece = argument;

	piece->end = resource->end;
	return 1;
}

/*
 * Linux's entry of System RAM with the block in it is cut in two at the block; that
 * fails if what lies above the cut has entries of its own: the kernel itself or that of
 * kdump. What enclaves have is out of the way by then.
 */
static bool block_can_be_cut_out(u64 base, u64 size)
{
	u64 kernel = slow_virt_to_phys(&iomem_resource);
	struct piece ram = { 0 }, kdump = { 0 };

	walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, base,
			    U64_MAX, &ram, piece_found);
	if (ram.end <= base + size)
		return true;
	if (kernel >= base + size && kernel <= ram.end)
		return false;
	walk_iomem_res_desc(IORES_DESC_CRASH_KERNEL, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
			    base + size, ram.end, &kdump, piece_found);
	return !kdump.end;
}

/*
 * Linux takes a part of a large page out of its direct map wrongly: remove_pagetable()
 * looks into the memory that such a page maps as if a table were there, and "frees" what
 * it finds (6.1 to 7.3, boot memory, which is mapped by pages of 1 GiB where the CPU has them).
 */
static bool block_has_pages_of_its_own(u64 base, u64 size)
{
	u64 at = base, page;
	unsigned int level;

	for (; at < base + size; at = round_down(at, page) + page) {
		if (!lookup_address((unsigned long)phys_to_virt(at), &level))
			return false;
		page = page_level_size(level);
		if (page > size)
			return false;
	}
	return true;
}

static int take_away(struct list_head *ranges, struct pisces_add_memory *request, u32 enclave,
		     const char *name)
{
	u64 base = request->base, size = request->size;
	struct block *block;
	int ret;

	ret = block_insert(base, size, BLOCK_LEAVING, enclave);
	if (ret)
		return ret;
	spin_lock(&blocks_lock);
	block = block_at_locked(base);
	spin_unlock(&blocks_lock);

	ret = -EINVAL;
	if (block->node != request->node)
		goto forget;
	ret = -EOPNOTSUPP;
	if (!block_has_pages_of_its_own(base, size))
		goto forget;
	ret = range_append(ranges, block, PISCES_MEMORY_REMOVE);
	if (ret)
		goto forget;
	iomem_hide_all();
	ret = block_can_be_cut_out(base, size) ? offline_and_remove_memory(base, size) : -EBUSY;
	iomem_show_all();
	if (ret == -EINTR && block->stuck)
		ret = -EBUSY;
	if (ret)
		goto drop;
	spin_lock(&blocks_lock);
	block->removed = true;
	block->phase = BLOCK_TAKEN;
	spin_unlock(&blocks_lock);
	ret = iomem_add(&block->shown, base, size, name, true);
	if (!ret)
		return 0;
	/* Somebody else was quicker to claim that address: the block is on its way back. */
	range_drop(ranges);
	blocks_add(base, size);
	blocks_return(base, size);
	reclaim_start();
	return ret;
drop:
	range_drop(ranges);
forget:
	block_remove(base);
	return ret;
}

int block_take(struct list_head *ranges, struct pisces_add_memory *request, u32 enclave,
	       const char *name)
{
	LIST_HEAD(taken);
	int ret;

	if (request->size != memory_block_size_bytes() || request->base % request->size ||
	    request->node >= PISCES_MAX_NODES)
		return -EINVAL;
	if (request->way == PISCES_MEMORY_BLOCK)
		ret = take_offline(&taken, request, enclave, name);
	else
		ret = take_away(&taken, request, enclave, name);
	if (ret == -ENOMEM)
		request->available = memory_available(request->node);
	if (ret)
		return ret;
	list_splice_tail(&taken, ranges);
	return 0;
}
