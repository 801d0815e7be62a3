/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages and their NUMA nodes: which they are on, and moving them to another one. What
 * an object shares stays where it is, as do pages whose physical address is known.
 */
#include "arch/tlb.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/direct.h"
#include "mm/local.h"
#include "mm/object.h"
#include "mm/page.h"
#include "mm/pagetable.h"
#include "mm/space.h"

/* The leaf at ADDRESS that may be asked about: NULL with *ERROR. */
static uint64_t *leaf_at(struct aspace *aspace, user_addr_t address, unsigned int *level,
			 int *error)
{
	const struct region *region = region_at(&aspace->regions, address);
	uint64_t *entry;

	*error = -EFAULT;
	if (region == NULL || (region->flags & REGION_KERNEL))
		return NULL;
	*error = -ENOENT;
	entry = pt_find(aspace->root, address, level);
	return pt_read(entry) != 0 ? entry : NULL;
}

int aspace_node(struct aspace *aspace, user_addr_t address)
{
	unsigned int level;
	uint64_t *entry;
	int result;

	lock_take(&aspace->lock);
	entry = leaf_at(aspace, address, &level, &result);
	if (entry != NULL)
		result = (int)page_node((pt_read(entry) & PTE_ADDRESS) +
					address % pt_page_size(level));
	lock_drop(&aspace->lock);
	return result;
}

/* The leaf at ENTRY, which starts at START, gets a page of NODE. 0 or -errno. */
static int move_leaf(struct aspace *aspace, uint64_t *entry, unsigned int level,
		     user_addr_t start, node_id_t node)
{
	uint64_t old = pt_read(entry), size = pt_page_size(level);
	phys_addr_t from = old & PTE_ADDRESS, to;

	if (old & PTE_FOREIGN)
		return -EACCES;
	if (page_node(from) == node)
		return 0;
	to = page_alloc(pt_order(level), node, PAGE_LOCAL);
	if (to == PAGE_NONE)
		return -ENOMEM;
	/* Nobody may write to the old one while it is copied. */
	if (old & PTE_PRESENT) {
		pt_write(entry, old & ~PTE_PRESENT);
		tlb_flush(aspace, start, start + size);
	}
	memcpy(phys_to_virt(to), phys_to_virt(from), size);
	pt_write(entry, (old & ~PTE_ADDRESS) | to);
	page_put(from, pt_order(level));
	return 0;
}

/* A large page moves in pieces if the node has no large one, or it is a very large one. */
static int move_page(struct aspace *aspace, user_addr_t address, node_id_t node)
{
	for (;;) {
		unsigned int level;
		int error;
		uint64_t *entry = leaf_at(aspace, address, &level, &error);
		user_addr_t start;

		if (entry == NULL)
			return error;
		start = align_down(address, pt_page_size(level));
		if (level <= 1)
			error = move_leaf(aspace, entry, level, start, node);
		else
			error = -ENOMEM;
		if (error != -ENOMEM || level == 0)
			return error;
		if (!pt_split(aspace, entry, level, start, aspace->node))
			return -ENOMEM;
	}
}

int aspace_move_page(struct aspace *aspace, user_addr_t address, node_id_t node)
{
	int error;

	lock_take(&aspace->lock);
	error = move_page(aspace, address, node);
	lock_drop(&aspace->lock);
	mm_turn(0);
	return error;
}

/* ---- policies of regions ---- */

static int set_policy(struct aspace *aspace, user_addr_t start, user_addr_t end,
		      const struct policy *policy)
{
	user_addr_t at = start;
	int error;

	while (at < end) {
		const struct region *region = region_at(&aspace->regions, at);

		if (region == NULL)
			return -EFAULT;
		at = region->end;
	}
	error = space_isolate(aspace, start, end, 0);
	if (error)
		return error;
	for (at = start; at < end;) {
		struct region *region = region_at(&aspace->regions, at);

		region->policy = *policy;
		at = region->end;
		space_join(aspace, region->start);
	}
	space_join(aspace, end);
	return 0;
}

int aspace_set_policy(struct aspace *aspace, user_addr_t start, user_addr_t end,
		      const struct policy *policy)
{
	int error;

	lock_take(&aspace->lock);
	error = set_policy(aspace, start, end, policy);
	lock_drop(&aspace->lock);
	return error;
}

int aspace_policy(struct aspace *aspace, user_addr_t address, struct policy *policy,
		  user_addr_t *end)
{
	const struct region *region;
	int error = -EFAULT;

	lock_take(&aspace->lock);
	region = region_at(&aspace->regions, address);
	if (region != NULL) {
		*policy = region->policy;
		*end = region->end;
		error = 0;
	}
	lock_drop(&aspace->lock);
	return error;
}

/* ---- many pages ---- */

/* The page at *AT or above: where it begins, and its node. False: there is none below END. */
static bool next_page(struct aspace *aspace, user_addr_t *at, user_addr_t end, uint64_t *size,
		      node_id_t *node)
{
	const struct region *region;
	unsigned int level;
	uint64_t *entry;
	bool found = false;

	lock_take(&aspace->lock);
	while (!found && (entry = pt_next_leaf(aspace->root, at, end, &level)) != NULL) {
		region = region_at(&aspace->regions, *at);
		*size = pt_page_size(level);
		found = !(region->flags & REGION_KERNEL);
		if (found)
			*node = page_node(pt_read(entry) & PTE_ADDRESS);
		else
			*at += *size;
	}
	lock_drop(&aspace->lock);
	return found;
}

uint64_t aspace_move_range(struct aspace *aspace, user_addr_t start, user_addr_t end, bool move,
			   int64_t (*where)(user_addr_t address, node_id_t now, void *argument),
			   void *argument)
{
	uint64_t size, misplaced = 0, step = 0;
	node_id_t now;

	for (user_addr_t at = start; next_page(aspace, &at, end, &size, &now); at += size) {
		int64_t to = where(at, now, argument);

		mm_turn(++step);
		if (to < 0 || (node_id_t)to == now)
			continue;
		if (!move || aspace_move_page(aspace, at, (node_id_t)to) != 0)
			misplaced += size / PAGE_SIZE;
	}
	return misplaced;
}

/* ---- what is there ---- */

static int is_there(struct aspace *aspace, user_addr_t address)
{
	const struct region *region = region_at(&aspace->regions, address);
	unsigned int level;

	if (region == NULL)
		return -ENOMEM;
	if (pt_read(pt_find(aspace->root, address, &level)) != 0)
		return 1;
	return region->object != NULL &&
	       object_has(region->object, region->offset + (address - region->start));
}

int aspace_is_there(struct aspace *aspace, user_addr_t address)
{
	int result;

	lock_take(&aspace->lock);
	result = is_there(aspace, address);
	lock_drop(&aspace->lock);
	return result;
}
