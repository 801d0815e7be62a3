/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that comes to a running enclave and leaves it, as the module asks. */
#include "channel/change.h"

#include <pisces/boot.h>

#include "arch/paging_tables.h"
#include "boot/boot.h"
#include "channel/control.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "mm/clear.h"
#include "mm/local.h"
#include "mm/page.h"
#include "mm/page_remove.h"

/* Pieces that are given back at once at most; those that touch are one. */
#define RUNS_MOST 256u

static void update_status(void)
{
	boot_status->memory_total = page_total();
	boot_status->memory_free = page_free_bytes();
}

static int add(phys_addr_t base, uint64_t size, node_id_t node, uint16_t flags, unsigned int shift)
{
	if ((base | size) % PISCES_MEMORY_ALIGN != 0 || shift < 21 || shift > 63 ||
	    node >= boot_block->node_count || !page_can_add(base, size, node))
		return -EINVAL;
	if (!paging_map_memory(base, size, shift))
		return -ENOMEM;
	if (flags & PISCES_RANGE_DIRTY)
		memory_clear(base, size);
	page_add_range(base, size, node, shift);
	update_status();
	print("%lu MiB of node %u have come", size >> 20, node);
	return 0;
}

void change_memory_add(uint64_t tag, phys_addr_t base, uint64_t size, uint64_t kind)
{
	int error = add(base, size, (uint32_t)kind, (uint16_t)(kind >> 32),
			(unsigned int)(kind >> 48));

	control_send_changed(tag, error, 0);
}

/*
 * Linux knows the ranges as it gave them, and no piece may reach from one into the next:
 * those of the start may be one range for mm/.
 */
static void give(uint64_t tag, phys_addr_t base, phys_addr_t end)
{
	while (base < end) {
		phys_addr_t until = end;

		for (unsigned int i = 0; i < boot_block->range_count; i++) {
			phys_addr_t other = boot_block->ranges[i].base;

			if (other > base && other < until)
				until = other;
		}
		control_send_given(tag, base, until - base);
		base = until;
	}
}

void change_memory_remove(uint64_t tag, uint64_t bytes, uint64_t node)
{
	static struct page_run runs[RUNS_MOST]; /* one CPU serves at a time */
	unsigned int count = RUNS_MOST, i;
	uint64_t found;

	if (node >= boot_block->node_count || bytes == 0 || bytes % PISCES_MEMORY_ALIGN != 0) {
		control_send_changed(tag, -EINVAL, 0);
		return;
	}
	/* What is only kept in case it is needed again is given up for it. */
	while ((found = page_remove(bytes, (node_id_t)node, runs, &count)) != bytes &&
	       mm_shrink(true))
		count = RUNS_MOST;
	if (found != bytes) {
		control_send_changed(tag, -EBUSY, found);
		return;
	}
	update_status();
	/* From here on it is nobody's; Linux has it when no CPU can reach it any more. */
	for (i = 0; i < count; i++)
		paging_unmap_memory(runs[i].base, runs[i].size);
	print("%lu MiB of node %lu leave, in %u pieces", bytes >> 20, node, count);
	for (i = 0; i < count; i++)
		give(tag, runs[i].base, runs[i].base + runs[i].size);
	control_send_changed(tag, 0, bytes);
}
