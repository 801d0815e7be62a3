// SPDX-License-Identifier: GPL-2.0-or-later
/* Page tables for CPUs that come out of the trampoline. */

#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>

#include "pagetable.h"

#define ENTRY_PRESENT 0x01ull
#define ENTRY_WRITE   0x02ull
#define ENTRY_USED    0x60ull /* accessed, dirty */
#define ENTRY_LARGE   0x80ull
#define ENTRY_ADDRESS 0x000ffffffffff000ull

/* A new, empty table; its physical address, or 0. */
static phys_addr_t table_add(struct pagetable *table)
{
	struct page *page = alloc_page(GFP_KERNEL | GFP_DMA32 | __GFP_ZERO);

	if (!page)
		return 0;
	list_add(&page->lru, &table->pages);
	return page_to_phys(page);
}

int pagetable_create(struct pagetable *table)
{
	INIT_LIST_HEAD(&table->pages);
	table->root = table_add(table);
	if (!table->root)
		return -ENOMEM;
	table->top = phys_to_virt(table->root);
	return 0;
}

void pagetable_destroy(struct pagetable *table)
{
	struct page *page, *next;

	if (!table->top)
		return;
	list_for_each_entry_safe(page, next, &table->pages, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
	table->top = NULL;
}

int pagetable_map(struct pagetable *table, u64 virtual, phys_addr_t phys, u64 bytes, bool large)
{
	unsigned int last_shift = large ? 21 : 12;
	u64 done;

	for (done = 0; done < bytes; done += 1ull << last_shift) {
		u64 *entries = table->top;
		unsigned int shift;
		u64 *entry, value;

		for (shift = 39;; shift -= 9) {
			entry = &entries[((virtual + done) >> shift) & 511];
			if (shift == last_shift)
				break;
			if (!(*entry & ENTRY_PRESENT)) {
				phys_addr_t next = table_add(table);

				if (!next)
					return -ENOMEM;
				*entry = next | ENTRY_PRESENT | ENTRY_WRITE;
			}
			entries = phys_to_virt(*entry & ENTRY_ADDRESS);
		}
		value = (phys + done) | ENTRY_PRESENT | ENTRY_WRITE | (large ? ENTRY_LARGE : 0);
		/* The CPU sets two bits more when it has used it. */
		if (*entry & ENTRY_PRESENT && (*entry & ~ENTRY_USED) != value)
			return -EEXIST;
		WRITE_ONCE(*entry, value);
	}
	return 0;
}
