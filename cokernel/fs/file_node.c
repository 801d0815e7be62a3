/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /sys/devices/system/node */
#include "arch/cpu.h"
#include "boot/boot.h"
#include "fs/files.h"
#include "mm/page.h"

static bool any(uint32_t node)
{
	(void)node;
	return true;
}

static bool has_cpus(uint32_t node)
{
	cpu_id_t cpu;

	FOR_EACH_ONLINE_CPU(cpu) {
		if (boot_block->cpus[cpu].node == node)
			return true;
	}
	return false;
}

static bool has_memory(uint32_t node)
{
	return page_node_total_bytes(node) != 0;
}

static void write_list(struct text *text, bool (*is_in)(uint32_t node))
{
	struct numbers set = { { 0 } };
	uint32_t node;

	for (node = tree_number_next(TREE_NODE, 0); node != UINT32_MAX;
	     node = tree_number_next(TREE_NODE, node + 1)) {
		if (is_in(node))
			numbers_add(&set, node);
	}
	numbers_write_list(text, &set);
}

WRITER(nodes)
{
	(void)number;
	write_list(text, any);
}

WRITER(nodes_with_cpus)
{
	(void)number;
	write_list(text, has_cpus);
}

WRITER(nodes_with_memory)
{
	(void)number;
	write_list(text, has_memory);
}

static struct numbers cpus_of(uint32_t node)
{
	struct numbers set = { { 0 } };
	cpu_id_t cpu;

	FOR_EACH_ONLINE_CPU(cpu) {
		if (boot_block->cpus[cpu].node == node)
			numbers_add_cpu(&set, cpu);
	}
	return set;
}

WRITER(node_map)
{
	struct numbers set = cpus_of(number[0]);

	numbers_write_map(text, &set);
}

WRITER(node_list)
{
	struct numbers set = cpus_of(number[0]);

	numbers_write_list(text, &set);
}

WRITER(node_memory)
{
	uint64_t total = page_node_total_bytes(number[0]) / 1024;
	uint64_t free = page_node_free_bytes(number[0]) / 1024;

	text_add(text, "Node %u MemTotal:       %8lu kB\n", number[0], total);
	text_add(text, "Node %u MemFree:        %8lu kB\n", number[0], free);
	text_add(text, "Node %u MemUsed:        %8lu kB\n", number[0], total - free);
	text_add(text, "Node %u HugePages_Total:     0\n", number[0]);
	text_add(text, "Node %u HugePages_Free:      0\n", number[0]);
}

/* To each node that there is, in their order. */
WRITER(node_distance)
{
	const char *separator = "";
	uint32_t node;

	for (node = tree_number_next(TREE_NODE, 0); node != UINT32_MAX;
	     node = tree_number_next(TREE_NODE, node + 1)) {
		text_add(text, "%s%u", separator, boot_block->distance[number[0]][node]);
		separator = " ";
	}
	text_add(text, "\n");
}
