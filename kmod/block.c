// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The list of memory blocks that are not Linux's as they were, and the watch over them:
 * nobody brings a block online that an enclave has.
 *
 * The lock is inside of Linux's own for memory hotplug, since the notifier takes it. So
 * it is never held across a call that takes memory from Linux or gives it back.
 */

#include <linux/io.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

#include "block-parts.h"
#include "block.h"
#include "log.h"
#include "memory.h"
#include "offlining.h"
#include "scrub.h"

DEFINE_SPINLOCK(blocks_lock);
static LIST_HEAD(blocks);

struct block *block_at_locked(u64 address)
{
	struct block *block;

	lockdep_assert_held(&blocks_lock);
	list_for_each_entry(block, &blocks, link)
		if (address >= block->base && address - block->base < block->size)
			return block;
	return NULL;
}

/* Of [BASE, BASE + SIZE): 1 all online, 0 none, -1 some. */
int block_online(u64 base, u64 size)
{
	unsigned long pfn = PHYS_PFN(base), end = PHYS_PFN(base + size);
	bool some = false, all = true;

	for (; pfn < end; pfn += PAGES_PER_SECTION) {
		bool online = pfn_to_online_page(pfn);

		some |= online;
		all &= online;
	}
	if (all)
		return 1;
	return some ? -1 : 0;
}

/* Not the lock's: it frees. */
static void block_free(struct block *block)
{
	kfree(block);
	module_put(THIS_MODULE);
}

/*
 * Linux takes a block offline although memory errors have ended the use of some of its pages,
 * and gives it back without that knowledge; on x86 they are not even mapped.
 */
static bool block_has_errors(u64 base, u64 size)
{
	unsigned long pfn;

	for (pfn = PHYS_PFN(base); pfn < PHYS_PFN(base + size); pfn++) {
		if (PageHWPoison(pfn_to_page(pfn)))
			return true;
		if (pfn % PAGES_PER_SECTION == 0)
			cond_resched();
	}
	return false;
}

/* Are Linux's struct pages of this block in the block itself (memmap_on_memory)? */
static bool block_has_own_memmap(u64 base, u64 size)
{
	u64 at = slow_virt_to_phys(pfn_to_page(PHYS_PFN(base)));

	return at >= base && at < base + size;
}

int block_insert(u64 base, u64 size, enum block_phase phase, u32 enclave)
{
	struct page *page = pfn_to_online_page(PHYS_PFN(base));
	struct block *block;
	int ret = 0;

	if (size != memory_block_size_bytes() || base % size || base + size < base || !page ||
	    block_online(base, size) != 1 || block_has_own_memmap(base, size))
		return -EINVAL;
	block = kzalloc(sizeof(*block), GFP_KERNEL);
	if (!block)
		return -ENOMEM;
	block->base = base;
	block->size = size;
	block->phase = phase;
	block->enclave = enclave;
	block->node = page_to_nid(page);
	block->movable = page_zonenum(page) == ZONE_MOVABLE;
	if (block->node >= PISCES_MAX_NODES)
		ret = -EINVAL;
	else if (memory_available(block->node) < size)
		ret = -ENOMEM;
	else if (block_has_errors(base, size))
		ret = -EBUSY;
	if (ret) {
		kfree(block);
		return ret;
	}
	spin_lock(&blocks_lock);
	if (block_at_locked(base)) {
		ret = -EBUSY;
	} else {
		list_add_tail(&block->link, &blocks);
		__module_get(THIS_MODULE);
	}
	spin_unlock(&blocks_lock);
	if (ret)
		kfree(block);
	return ret;
}

void block_remove(u64 base)
{
	struct block *block;

	spin_lock(&blocks_lock);
	block = block_at_locked(base);
	if (block)
		list_del(&block->link);
	spin_unlock(&blocks_lock);
	if (block)
		block_free(block);
}

/* ---- the watch ---- */

static int blocks_going_online(u64 base, u64 size)
{
	struct block *block;
	int ret = NOTIFY_OK;

	spin_lock(&blocks_lock);
	list_for_each_entry(block, &blocks, link)
		if (block->base < base + size && base < block->base + block->size &&
		    (block->phase == BLOCK_RESERVED || block->phase == BLOCK_TAKEN ||
		     block->phase == BLOCK_ADDING))
			ret = notifier_from_errno(-EBUSY);
	spin_unlock(&blocks_lock);
	return ret;
}

static void blocks_are_online(u64 base, u64 size)
{
	struct block *block, *next;
	LIST_HEAD(done);

	spin_lock(&blocks_lock);
	list_for_each_entry_safe(block, next, &blocks, link)
		if (block->base < base + size && base < block->base + block->size &&
		    block->phase == BLOCK_OFFLINE)
			list_move(&block->link, &done);
	spin_unlock(&blocks_lock);
	list_for_each_entry_safe(block, next, &done, link)
		block_free(block);
}

/* Is [BASE, BASE + SIZE) a block that an enclave wants, and is Linux to give it away? */
static struct block *block_wanted_locked(u64 base, u64 size)
{
	struct block *block = block_at_locked(base);

	return block && block->size == size &&
		       (block->phase == BLOCK_LEAVING || block->phase == BLOCK_RESERVED) ?
		       block :
		       NULL;
}

static void blocks_going_offline(u64 base, u64 size)
{
	bool wanted;

	spin_lock(&blocks_lock);
	wanted = block_wanted_locked(base, size);
	spin_unlock(&blocks_lock);
	if (wanted)
		offlining_begin();
}

static void blocks_stay_online(u64 base, u64 size)
{
	struct block *block;

	if (!offlining_end())
		return;
	pr_info("memory block %llx: Linux could not empty it in %u s\n", base,
		PISCES_OFFLINE_LIMIT_S);
	spin_lock(&blocks_lock);
	block = block_wanted_locked(base, size);
	if (block)
		block->stuck = true;
	spin_unlock(&blocks_lock);
}

static int blocks_notify(struct notifier_block *self, unsigned long action, void *data)
{
	const struct memory_notify *change = data;
	u64 base = PFN_PHYS(change->start_pfn), size = PFN_PHYS(change->nr_pages);

	switch (action) {
	case MEM_GOING_ONLINE:
		return blocks_going_online(base, size);
	case MEM_ONLINE:
		blocks_are_online(base, size);
		break;
	case MEM_GOING_OFFLINE:
		blocks_going_offline(base, size);
		break;
	case MEM_CANCEL_OFFLINE:
		blocks_stay_online(base, size);
		break;
	case MEM_OFFLINE:
		offlining_end();
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block blocks_notifier = { .notifier_call = blocks_notify };

int blocks_init(void)
{
	offlining_init();
	return register_memory_notifier(&blocks_notifier);
}

/* There is no block: each holds the module. */
void blocks_exit(void)
{
	unregister_memory_notifier(&blocks_notifier);
}

/* ---- reserving ---- */

/*
 * Of blocks that ENCLAVE has reserved, those that are online are Linux's. With END the
 * others are on their way back.
 */
static void blocks_unreserve(u32 enclave, bool end)
{
	struct block *block, *next;
	LIST_HEAD(done);

	spin_lock(&blocks_lock);
	list_for_each_entry_safe(block, next, &blocks, link) {
		if (block->enclave != enclave)
			continue;
		if (block->phase == BLOCK_RESERVED && block_online(block->base, block->size) == 1)
			list_move(&block->link, &done);
		else if (end && block->phase == BLOCK_RESERVED)
			block->phase = BLOCK_OFFLINE;
		if (end)
			block->enclave = 0;
	}
	spin_unlock(&blocks_lock);
	list_for_each_entry_safe(block, next, &done, link)
		block_free(block);
}

int block_reserve(u32 enclave, const struct pisces_reserve_block *request)
{
	blocks_unreserve(enclave, false);
	return block_insert(request->base, request->size, BLOCK_RESERVED, enclave);
}

void blocks_forget(u32 enclave)
{
	blocks_unreserve(enclave, true);
}

/* ---- on their way back ---- */

/* Adds BLOCK, that was removed and is in phase ADDING, to Linux; what phase that makes. */
static enum block_phase block_add(struct block *block, enum block_phase phase)
{
	int ret;

	iomem_remove(&block->shown);
	/* Some kernels would bring it online at once: ADDING refuses that. */
	ret = add_memory(block->node, block->base, block->size, MHP_MERGE_RESOURCE);
	if (!ret)
		return phase;
	pr_err("memory block %llx of node %u cannot be added to Linux again (error %d); to try again: pisces reclaim\n",
	       block->base, block->node, ret);
	return BLOCK_REMOVED;
}

/* A block of phase FROM, as ADDING, from ADDRESS on and below END; nobody else touches it. */
static struct block *block_grab(u64 address, u64 end, enum block_phase from)
{
	struct block *block, *found = NULL;

	spin_lock(&blocks_lock);
	list_for_each_entry(block, &blocks, link)
		if (block->base >= address && block->base < end && block->phase == from &&
		    block->removed) {
			found = block;
			block->phase = BLOCK_ADDING;
			break;
		}
	spin_unlock(&blocks_lock);
	return found;
}

static void block_set_phase(struct block *block, enum block_phase phase)
{
	spin_lock(&blocks_lock);
	block->phase = phase;
	block->removed = phase == BLOCK_REMOVED;
	if (phase == BLOCK_OFFLINE || phase == BLOCK_REMOVED)
		block->enclave = 0;
	spin_unlock(&blocks_lock);
}

void blocks_add(u64 base, u64 size)
{
	struct block *block;
	LIST_HEAD(failed);

	/* One that fails stays ADDING until all have been tried, so that this ends. */
	while ((block = block_grab(base, base + size, BLOCK_TAKEN))) {
		if (block_add(block, BLOCK_TAKEN) == BLOCK_TAKEN)
			block_set_phase(block, BLOCK_TAKEN);
		else
			list_add(&block->failed, &failed);
	}
	/* It is its enclave's until blocks_return(): nobody else may try again before. */
	spin_lock(&blocks_lock);
	list_for_each_entry(block, &failed, failed)
		block->phase = BLOCK_TAKEN;
	spin_unlock(&blocks_lock);
}

bool block_is_added(u64 address)
{
	struct block *block;
	bool added;

	spin_lock(&blocks_lock);
	block = block_at_locked(address);
	added = block && !block->removed;
	spin_unlock(&blocks_lock);
	return added;
}

void blocks_return(u64 base, u64 size)
{
	struct block *block;
	u64 address;

	for (address = base; address < base + size; address += memory_block_size_bytes()) {
		spin_lock(&blocks_lock);
		block = block_at_locked(address);
		spin_unlock(&blocks_lock);
		if (WARN_ON_ONCE(!block))
			continue;
		iomem_remove(&block->shown);
		if (block->phase == BLOCK_TAKEN)
			block_set_phase(block, block->removed ? BLOCK_REMOVED : BLOCK_OFFLINE);
	}
}

bool blocks_wait(void)
{
	struct block *block;
	bool any = false;

	spin_lock(&blocks_lock);
	list_for_each_entry(block, &blocks, link)
		any |= block->phase == BLOCK_OFFLINE || block->phase == BLOCK_REMOVED;
	spin_unlock(&blocks_lock);
	return any;
}

int blocks_reclaim(void)
{
	struct block *block;
	LIST_HEAD(failed);
	int ret = 0;

	/* One that fails stays ADDING until all have been tried, so that this ends. */
	while ((block = block_grab(0, U64_MAX, BLOCK_REMOVED))) {
		if (block_add(block, BLOCK_OFFLINE) == BLOCK_OFFLINE) {
			/* It comes from an enclave: nobody could clear it until now. */
			memory_clear(phys_to_virt(block->base), block->size);
			block_set_phase(block, BLOCK_OFFLINE);
			continue;
		}
		list_add(&block->failed, &failed);
		ret = -EAGAIN;
	}
	list_for_each_entry(block, &failed, failed)
		block_set_phase(block, BLOCK_REMOVED);
	return ret;
}

/* ---- looking at them ---- */

static const u32 block_states[] = {
	[BLOCK_LEAVING] = PISCES_BLOCK_RESERVED, [BLOCK_RESERVED] = PISCES_BLOCK_RESERVED,
	[BLOCK_TAKEN] = PISCES_BLOCK_TAKEN,	 [BLOCK_ADDING] = PISCES_BLOCK_TAKEN,
	[BLOCK_OFFLINE] = PISCES_BLOCK_OFFLINE,	 [BLOCK_REMOVED] = PISCES_BLOCK_REMOVED,
};

int blocks_list(struct pisces_blocks *request)
{
	struct pisces_block *copy;
	struct block *block;
	u32 capacity, count = 0;
	int ret = 0;

	spin_lock(&blocks_lock);
	list_for_each_entry(block, &blocks, link)
		count++;
	spin_unlock(&blocks_lock);
	capacity = min(request->capacity, count);
	copy = kvcalloc(capacity + 1, sizeof(*copy), GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	count = 0;
	spin_lock(&blocks_lock);
	list_for_each_entry(block, &blocks, link) {
		if (count < capacity)
			copy[count] = (struct pisces_block){
				.base = block->base,
				.size = block->size,
				.state = block_states[block->phase],
				.node = block->node,
				.enclave = block->enclave,
				.movable = block->movable,
			};
		count++;
	}
	spin_unlock(&blocks_lock);
	request->count = count;
	if (copy_to_user(u64_to_user_ptr(request->blocks), copy,
			 min(count, capacity) * sizeof(*copy)))
		ret = -EFAULT;
	kvfree(copy);
	return ret;
}
