/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A heap that grows in small steps (brk, or an arena by mprotect) gets single pages,
 * since its region never has a whole large page ahead. Once a large page's worth
 * has filled at least by half, it becomes one. What the program has split up itself
 * stays split.
 */
#include "arch/tlb.h"
#include "lib/string.h"
#include "mm/direct.h"
#include "mm/local.h"
#include "mm/page.h"
#include "mm/pagetable.h"
#include "mm/space.h"

#define ENOUGH (PT_ENTRIES / 2)

/* Pages in TABLE, or 0 if one of them must stay where it is. */
static unsigned int count_movable(const uint64_t *table)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		uint64_t entry = pt_read(&table[i]);

		if (entry & PTE_FOREIGN)
			return 0;
		count += entry != 0;
	}
	if (count < ENOUGH)
		return 0;
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		uint64_t entry = pt_read(&table[i]);

		if (entry != 0 && page_is_shared(entry & PTE_ADDRESS))
			return 0;
	}
	return count;
}

static void copy_pages(phys_addr_t block, const uint64_t *table)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		uint64_t entry = pt_read(&table[i]);
		void *to = phys_to_virt(block + i * PAGE_SIZE);

		if (entry != 0)
			memcpy(to, phys_to_virt(entry & PTE_ADDRESS), PAGE_SIZE);
		else
			memset(to, 0, PAGE_SIZE);
	}
}

static void free_pages(phys_addr_t table)
{
	const uint64_t *entries = phys_to_virt(table);

	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		if (entries[i] != 0)
			page_put(entries[i] & PTE_ADDRESS, 0);
	}
	page_free(table, 0);
}

bool space_collapse(struct aspace *aspace, const struct region *region, user_addr_t start)
{
	uint64_t *entry = pt_find_large(aspace->root, start);
	phys_addr_t table, block;
	unsigned int count;

	if (entry == NULL || pt_read(entry) == 0 || (pt_read(entry) & (PTE_LARGE | PTE_PIECES)) ||
	    (region->flags & REGION_SHARED) || region->object != NULL ||
	    region->policy.mode != POLICY_DEFAULT)
		return false;
	table = pt_read(entry) & PTE_ADDRESS;
	count = count_movable(phys_to_virt(table));
	if (count == 0)
		return false;
	block = page_alloc(PAGE_ORDER_LARGE, mm_this_node(), PAGE_LOCAL);
	if (block == PAGE_NONE)
		return false;
	/* Nobody may write to the old pages while they are copied. */
	pt_write(entry, pt_read(entry) & ~PTE_PRESENT);
	tlb_flush(aspace, start, start + LARGE_PAGE_SIZE);
	copy_pages(block, phys_to_virt(table));
	pt_write(entry, pt_leaf(block, 1, region->prot, 0));
	free_pages(table);
	space_count(aspace, (PT_ENTRIES - count) * PAGE_SIZE);
	return true;
}
