/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is so many of: CPUs, NUMA nodes, caches, threads. */
#include "arch/cpu.h"
#include "arch/topology.h"
#include "boot/boot.h"
#include "fs/tree.h"
#include "mm/page.h"
#include "task/process.h"
#include "task/thread.h"

static bool node_exists(uint32_t node)
{
	cpu_id_t cpu;

	if (node >= PISCES_MAX_NODES)
		return false;
	if (page_node_total_bytes(node) != 0)
		return true;
	FOR_EACH_ONLINE_CPU(cpu) {
		if (boot_block->cpus[cpu].node == node)
			return true;
	}
	return false;
}

static uint32_t next_cpu(uint32_t from)
{
	uint32_t found = UINT32_MAX;
	cpu_id_t cpu;

	FOR_EACH_ONLINE_CPU(cpu) {
		uint32_t number = boot_block->cpus[cpu].linux_cpu;

		if (number >= from && number < found)
			found = number;
	}
	return found;
}

static uint32_t next_thread(uint32_t from)
{
	struct process *process = process_current();
	uint32_t found = UINT32_MAX;
	struct list *pos;
	tid_t tid;

	lock_take(&process->lock);
	LIST_FOR_EACH(pos, &process->threads) {
		tid = LIST_ENTRY(pos, struct thread, process_link)->tid;
		if (tid >= from && tid < found)
			found = tid;
	}
	lock_drop(&process->lock);
	return found;
}

static uint32_t next_node(uint32_t from)
{
	for (; from < PISCES_MAX_NODES; from++) {
		if (node_exists(from))
			return from;
	}
	return UINT32_MAX;
}

uint32_t tree_number_next(uint8_t kind, uint32_t from)
{
	struct cpu_cache cache;

	switch ((enum tree_number)kind) {
	case TREE_CPU:
		return next_cpu(from);
	case TREE_NODE:
		return next_node(from);
	case TREE_CACHE:
		return topology_cache(from, &cache) ? from : UINT32_MAX;
	case TREE_THREAD:
		return next_thread(from);
	}
	return UINT32_MAX;
}

bool tree_number_exists(uint8_t kind, uint32_t number)
{
	return tree_number_next(kind, number) == number;
}
