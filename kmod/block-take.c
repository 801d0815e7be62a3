// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ways block and remove: whole memory blocks of Linux, offlined by user space or
 * removed by this module.
 */

#include <linux/ioport.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/slab.h>

#include "block-parts.h"
#include "block.h"
#include "compat.h"
#include "log.h"
#include "memory.h"

/* Are Linux's struct pages of this block in the block itself (memmap_on_memory)? */
static bool block_has_own_memmap(u64 base, u64 size)
{
	u64 at = slow_virt_to_phys(pfn_to_page(PHYS_PFN(base)));

	return at >= base && at < base + size;
}

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
	else if (block_has_own_memmap(block->base, block->size))
		ret = -EINVAL;
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
	if (iomem_add(&block->shown, block->base, block->size, name, false))
		pr_info("%s: %pR is not shown in /proc/iomem\n", name, &block->shown.resource);
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

static int take_away(struct list_head *ranges, struct pisces_add_memory *request, u32 enclave,
		     const char *name)
{
	u64 base = request->base, size = request->size;
	struct block *block;
	int ret;

	if (!compat_can_remove_memory())
		return -EOPNOTSUPP;
	ret = block_insert(base, size, BLOCK_LEAVING, enclave);
	if (ret)
		return ret;
	spin_lock(&blocks_lock);
	block = block_at_locked(base);
	spin_unlock(&blocks_lock);

	ret = -EINVAL;
	if (block->node != request->node || block_has_own_memmap(base, size))
		goto forget;
	ret = range_append(ranges, block, PISCES_MEMORY_REMOVE);
	if (ret)
		goto forget;
	iomem_hide_all();
	ret = block_can_be_cut_out(base, size) ? offline_and_remove_memory(base, size) : -EBUSY;
	iomem_show_all();
	if (ret)
		goto drop;
	spin_lock(&blocks_lock);
	block->removed = true;
	block->phase = BLOCK_TAKEN;
	spin_unlock(&blocks_lock);
	ret = iomem_add(&block->shown, base, size, name, true);
	if (!ret)
		return 0;
	/* Somebody else was quicker to claim that address, which Linux wants back then. */
	blocks_add(base, size);
	blocks_return(base, size);
drop:
	kfree(list_last_entry(ranges, struct memory_range, link));
	INIT_LIST_HEAD(ranges);
	if (block->phase != BLOCK_LEAVING)
		return ret;
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
