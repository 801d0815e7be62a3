/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/pagetable.h"

#include "arch/tlb.h"
#include "lib/lock.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/direct.h"
#include "mm/local.h"
#include "mm/page.h"

#define USER_ENTRIES 256u /* of the top table; the others are the kernel's */

static unsigned int index_of(user_addr_t address, unsigned int level)
{
	return (unsigned int)(address >> (PAGE_SHIFT + 9 * level)) % PT_ENTRIES;
}

static bool is_leaf(uint64_t entry, unsigned int level)
{
	return level == 0 || (entry & PTE_LARGE) != 0;
}

static uint64_t *table_of(uint64_t entry)
{
	return phys_to_virt(entry & PTE_ADDRESS);
}

/* In the page behind it. An object's tables have no kernel's half, and no twin. */
static bool has_twin(const uint64_t *top)
{
	return paging_programs_root() != NULL && top[PT_ENTRIES - 1] != 0;
}

/* ENTRY of a table of LEVEL. With isolation the top table is there twice, for the same tables. */
static void set_entry(uint64_t *entry, unsigned int level, uint64_t value)
{
	pt_write(entry, value);
	if (level == PT_TOP_LEVEL &&
	    has_twin((const uint64_t *)align_down((uint64_t)entry, PAGE_SIZE)))
		pt_write(entry + PT_ENTRIES, value);
}

static void copy_kernel_half(uint64_t *table, const uint64_t *from)
{
	memcpy(table + USER_ENTRIES, from + USER_ENTRIES,
	       (PT_ENTRIES - USER_ENTRIES) * sizeof(*table));
}

phys_addr_t pt_create(node_id_t node)
{
	const uint64_t *programs = paging_programs_root();
	phys_addr_t root = page_alloc(programs != NULL ? 1 : 0, node, PAGE_ZERO);

	if (root == PAGE_NONE)
		return PAGE_NONE;
	copy_kernel_half(phys_to_virt(root), paging_kernel_root());
	if (programs != NULL)
		copy_kernel_half(phys_to_virt(root + PAGE_SIZE), programs);
	return root;
}

uint64_t pt_leaf(phys_addr_t page, unsigned int level, unsigned int prot, uint64_t extra)
{
	/* Accessed and dirty from the start: nobody asks, and the CPU need not write it. */
	uint64_t entry = page | extra | PTE_ACCESSED | PTE_DIRTY | (level > 0 ? PTE_LARGE : 0);

	if (prot == 0)
		return entry;
	if ((prot & ASPACE_WRITE) && !(extra & (PTE_COPY | PTE_CLEAN)))
		entry |= PTE_WRITE;
	if (!(prot & ASPACE_EXEC))
		entry |= PTE_NO_EXEC;
	return entry | PTE_PRESENT | PTE_USER;
}

uint64_t *pt_find(phys_addr_t root, user_addr_t address, unsigned int *level)
{
	uint64_t *table = phys_to_virt(root);

	for (unsigned int at = PT_TOP_LEVEL;; at--) {
		uint64_t *entry = &table[index_of(address, at)];
		uint64_t value = pt_read(entry);

		if (value == 0 || is_leaf(value, at)) {
			*level = at;
			return entry;
		}
		table = table_of(value);
	}
}

uint64_t *pt_find_large(phys_addr_t root, user_addr_t address)
{
	uint64_t *table = phys_to_virt(root);

	for (unsigned int at = PT_TOP_LEVEL; at > 1; at--) {
		uint64_t value = pt_read(&table[index_of(address, at)]);

		if (value == 0 || is_leaf(value, at))
			return NULL;
		table = table_of(value);
	}
	return &table[index_of(address, 1)];
}

uint64_t *pt_make(phys_addr_t root, user_addr_t address, unsigned int level, node_id_t node,
		  unsigned int *found)
{
	uint64_t *entry = pt_find(root, address, found);

	while (*found > level && pt_read(entry) == 0) {
		phys_addr_t table = page_alloc(0, node, PAGE_ZERO);

		if (table == PAGE_NONE)
			return NULL;
		set_entry(entry, *found, table | PTE_TABLE);
		(*found)--;
		entry = &table_of(table)[index_of(address, *found)];
	}
	return entry;
}

uint64_t *pt_next_leaf(phys_addr_t root, user_addr_t *at, user_addr_t end, unsigned int *level)
{
	user_addr_t address = *at;

	while (address < end) {
		uint64_t *entry = pt_find(root, address, level);
		uint64_t size = pt_page_size(*level);

		address = align_down(address, size);
		if (pt_read(entry) != 0) {
			*at = address;
			return entry;
		}
		address += size;
	}
	return NULL;
}

bool pt_split(struct aspace *aspace, uint64_t *entry, unsigned int level, user_addr_t start,
	      node_id_t node)
{
	uint64_t old = pt_read(entry);
	uint64_t step = pt_page_size(level - 1);
	phys_addr_t table = page_alloc(0, node, 0);
	uint64_t piece = (level - 1 > 0 ? old : old & ~PTE_LARGE) & ~PTE_FULL;

	if (table == PAGE_NONE)
		return false;
	for (uint64_t i = 0; i < PT_ENTRIES; i++)
		table_of(table)[i] = piece + i * step;
	if (!(old & PTE_FOREIGN))
		page_split(old & PTE_ADDRESS, pt_order(level), pt_order(level - 1));
	/*
	 * First away, then back in pieces: a CPU that holds translations of two sizes
	 * for one address may do anything. Programs that touch it meanwhile wait for
	 * the aspace's lock in the fault.
	 */
	if (old & PTE_PRESENT) {
		pt_write(entry, old & ~PTE_PRESENT);
		tlb_flush(aspace, start, start + pt_page_size(level));
	}
	pt_write(entry, table | PTE_TABLE | PTE_PIECES);
	return true;
}

bool pt_split_at(struct aspace *aspace, phys_addr_t root, user_addr_t address, node_id_t node)
{
	for (;;) {
		unsigned int level;
		uint64_t *entry = pt_find(root, address, &level);
		uint64_t inside = address % pt_page_size(level);

		if (inside == 0 || pt_read(entry) == 0)
			return true;
		if (!pt_split(aspace, entry, level, address - inside, node))
			return false;
	}
}

static bool is_empty(const uint64_t *table)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		uint64_t entry = pt_read(&table[i]);

		if (entry != 0 && !(entry & PTE_GONE))
			return false;
	}
	return true;
}

/* BASE: the first address that TABLE is for. True: nothing is left in TABLE. */
static bool unlink_in(uint64_t *table, unsigned int level, user_addr_t base, user_addr_t start,
		      user_addr_t end, bool *any)
{
	uint64_t size = pt_page_size(level);
	bool nothing_left = true;

	for (unsigned int i = index_of(start, level); i <= index_of(end - 1, level); i++) {
		user_addr_t from = base + i * size, to = from + size;
		uint64_t entry = pt_read(&table[i]);

		if (entry == 0 || (entry & PTE_GONE))
			continue;
		if (from < start || to > end) {
			ASSERT(!is_leaf(entry, level));
			if (!unlink_in(table_of(entry), level - 1, from, max_u64(from, start),
				       min_u64(to, end), any)) {
				nothing_left = false;
				continue;
			}
		}
		set_entry(&table[i], level, (entry & ~PTE_PRESENT) | PTE_GONE);
		*any = true;
	}
	return nothing_left && level < PT_TOP_LEVEL && is_empty(table);
}

bool pt_unlink(phys_addr_t root, user_addr_t start, user_addr_t end)
{
	bool any = false;

	unlink_in(phys_to_virt(root), PT_TOP_LEVEL, 0, start, end, &any);
	return any;
}

/* Frees what ENTRY of a table of LEVEL maps. Returns bytes of pages. */
static uint64_t free_below(uint64_t entry, unsigned int level)
{
	uint64_t bytes = 0;

	if (is_leaf(entry, level)) {
		if (entry & PTE_FOREIGN)
			return 0;
		page_put(entry & PTE_ADDRESS, pt_order(level));
		return pt_page_size(level);
	}
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		uint64_t below = table_of(entry)[i];

		if (below != 0)
			bytes += free_below(below, level - 1);
	}
	page_free(entry & PTE_ADDRESS, 0);
	/* The end of a large program takes long; other CPUs may want something meanwhile. */
	mm_turn(0);
	return bytes;
}

static uint64_t release_in(uint64_t *table, unsigned int level, user_addr_t base, user_addr_t start,
			   user_addr_t end)
{
	uint64_t size = pt_page_size(level);
	uint64_t bytes = 0;

	for (unsigned int i = index_of(start, level); i <= index_of(end - 1, level); i++) {
		user_addr_t from = base + i * size;
		uint64_t entry = pt_read(&table[i]);

		if (entry == 0)
			continue;
		if (entry & PTE_GONE) {
			bytes += free_below(entry, level);
			set_entry(&table[i], level, 0);
		} else if (!is_leaf(entry, level)) {
			bytes += release_in(table_of(entry), level - 1, from, max_u64(from, start),
					    min_u64(from + size, end));
		}
	}
	return bytes;
}

uint64_t pt_release(phys_addr_t root, user_addr_t start, user_addr_t end)
{
	return release_in(phys_to_virt(root), PT_TOP_LEVEL, 0, start, end);
}

void pt_destroy(phys_addr_t root)
{
	uint64_t *table = phys_to_virt(root);

	for (unsigned int i = 0; i < USER_ENTRIES; i++) {
		if (table[i] != 0)
			free_below(table[i], PT_TOP_LEVEL);
	}
	page_free(root, has_twin(table) ? 1 : 0);
}

static bool is_weaker(uint64_t now, uint64_t before)
{
	if (!(before & PTE_PRESENT))
		return false;
	return !(now & PTE_PRESENT) || (before & ~now & PTE_WRITE) || (now & ~before & PTE_NO_EXEC);
}

bool pt_protect(phys_addr_t root, user_addr_t start, user_addr_t end, unsigned int prot)
{
	user_addr_t at = start;
	unsigned int level;
	uint64_t *entry;
	uint64_t steps = 0;
	bool weaker = false;

	while ((entry = pt_next_leaf(root, &at, end, &level)) != NULL) {
		uint64_t before = pt_read(entry);
		uint64_t now = pt_leaf(before & PTE_ADDRESS, level, prot, before & PTE_KEPT);

		ASSERT(at >= start && at + pt_page_size(level) <= end);
		weaker |= is_weaker(now, before);
		pt_write(entry, now);
		at += pt_page_size(level);
		mm_turn(++steps);
	}
	return weaker;
}
