/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The enclave's memory, from the boot block to mm/. */
#include "arch/paging_tables.h"
#include "boot/boot.h"
#include "mm/page.h"

static void add(phys_addr_t base, phys_addr_t end, node_id_t node)
{
	if (base >= end)
		return;
	paging_map_memory(base, end - base);
	page_add_range(base, end - base, node);
}

/* Ranges that follow each other on one node are one for mm/: its blocks do not cross ranges. */
static unsigned int add_run(unsigned int first)
{
	const struct pisces_boot_range *ranges = boot_block->ranges;
	unsigned int next = first + 1;
	phys_addr_t end = ranges[first].base + ranges[first].size;

	while (next < boot_block->range_count && ranges[next].base == end &&
	       ranges[next].node == ranges[first].node)
		end += ranges[next++].size;
	add(ranges[first].base, end, ranges[first].node);
	return next;
}

void boot_add_memory(void)
{
	const struct pisces_boot_range *first = &boot_block->ranges[0];
	phys_addr_t early;
	uint64_t early_size;

	/* The page tables of all other memory come from what is mapped already. */
	paging_first_memory(&early, &early_size);
	page_add_range(early, early_size, first->node);
	paging_fix_top();
	add(first->base, boot_block->image_base, first->node);
	add(early + early_size, first->base + first->size, first->node);
	for (unsigned int i = 1; i < boot_block->range_count;)
		i = add_run(i);
	page_set_distances(&boot_block->distance[0][0], boot_block->node_count, PISCES_MAX_NODES);
	boot_status->memory_total = page_total();
	boot_status->memory_free = page_free_bytes();
}
