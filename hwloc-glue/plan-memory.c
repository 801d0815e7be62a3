/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much memory, and of which NUMA nodes: by their CPUs in the plan. */
#include "internal.h"
#include "plan-parts.h"
#include "plan.h"

#include <stdio.h>
#include <string.h>

/* CPUs of the plan by index into map->nodes[]; 0 for a node that has no memory at all. */
struct weights {
	uint64_t cpus[PISCES_MAX_NODES];
	uint64_t sum;
};

static struct weights weigh(const struct pisces_map *map, const struct pisces_plan *plan)
{
	struct weights weights = {.sum = 0};

	for (unsigned int i = 0; i < plan->cpu_count; i++) {
		for (uint32_t n = 0; n < map->node_count; n++) {
			if (map->nodes[n].number != plan->cpus[i].node || map->nodes[n].memory == 0)
				continue;
			weights.cpus[n]++;
			weights.sum++;
		}
	}
	return weights;
}

/* The default, bytes: what fits on every node by the rule in plan.h; may be 0. */
static uint64_t default_memory(const struct pisces_map *map, const struct weights *weights)
{
	uint64_t per_cpu = UINT64_MAX;

	for (uint32_t n = 0; n < map->node_count; n++) {
		const struct pisces_map_node *node = &map->nodes[n];
		uint64_t share, spare;

		if (weights->cpus[n] == 0)
			continue;
		share = node->memory / node->count;
		spare = node->free / 2 / weights->cpus[n];
		if (share > spare)
			share = spare;
		if (share < per_cpu)
			per_cpu = share;
	}
	return per_cpu * weights->sum / PISCES_MEMORY_ALIGN * PISCES_MEMORY_ALIGN;
}

/* Which memory is wanted, bytes, a multiple of PISCES_MEMORY_ALIGN. */
static int wanted(const struct pisces_map *map, const struct weights *weights,
		  const struct pisces_request *request, const struct pisces_allocation *allocation,
		  uint64_t *bytes, struct pisces_error *error)
{
	uint64_t size = request->memory;
	char asked[32], has[32], least[32];

	if (size && allocation->memory && size > allocation->memory)
		return pisces_fail(
			error,
			"%s of memory were asked for the enclave, and the allocation has %s: ask "
			"for at most that, or for a larger allocation (--mem)",
			pisces_size_format(size, asked, sizeof(asked)),
			pisces_size_format(allocation->memory, has, sizeof(has)));
	if (!size)
		size = allocation->memory;
	if (!size) {
		size = default_memory(map, weights);
		if (size < PISCES_PLAN_MIN_MEMORY)
			size = PISCES_PLAN_MIN_MEMORY;
	}
	if (size < PISCES_PLAN_MIN_MEMORY)
		return pisces_fail(
			error, "%s of memory are too little for an enclave: it needs %s at least",
			pisces_size_format(size, asked, sizeof(asked)),
			pisces_size_format(PISCES_PLAN_MIN_MEMORY, least, sizeof(least)));
	if (size > INT64_MAX - PISCES_MEMORY_ALIGN)
		return pisces_fail(error, "%s of memory are more than there can be",
				   pisces_size_format(size, asked, sizeof(asked)));
	*bytes = (size + PISCES_MEMORY_ALIGN - 1) / PISCES_MEMORY_ALIGN * PISCES_MEMORY_ALIGN;
	return 0;
}

/* UNITS divided by weight, the largest remainders rounded up; the sum is UNITS. */
static void divide(const struct weights *weights, uint32_t node_count, uint64_t units,
		   uint64_t share[PISCES_MAX_NODES])
{
	uint64_t rest[PISCES_MAX_NODES] = {0};
	uint64_t left = units;

	memset(share, 0, PISCES_MAX_NODES * sizeof(share[0]));
	for (uint32_t n = 0; n < node_count; n++) {
		unsigned __int128 product = (unsigned __int128)units * weights->cpus[n];

		share[n] = (uint64_t)(product / weights->sum);
		rest[n] = (uint64_t)(product % weights->sum);
		left -= share[n];
	}
	while (left > 0) {
		uint32_t most = 0;

		for (uint32_t n = 1; n < node_count; n++) {
			if (rest[n] > rest[most])
				most = n;
		}
		rest[most] = 0;
		share[most]++;
		left--;
	}
}

/* What the nodes of the plan have, for a message: "1 GiB on NUMA node 0, 8 GiB on 1" */
static void describe_nodes(const struct pisces_map *map, const struct weights *weights, char *text,
			   size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t n = 0; n < map->node_count; n++) {
		const struct pisces_map_node *node = &map->nodes[n];
		char free[32], piece[64];
		int length;

		if (weights->cpus[n] == 0)
			continue;
		length = snprintf(piece, sizeof(piece), used ? ", %s on %u" : "%s on NUMA node %u",
				  pisces_size_format(node->free, free, sizeof(free)), node->number);
		/* Room for the dots that say that there are more. */
		if (used + (size_t)length + 6 > size) {
			strcpy(text + used, ", ...");
			return;
		}
		memcpy(text + used, piece, (size_t)length + 1);
		used += (size_t)length;
	}
}

/* SIZE bytes were asked for, which is SHARE of node POOR, and that has less. */
static int too_little(const struct pisces_map *map, const struct weights *weights, uint64_t size,
		      uint32_t poor, uint64_t share, struct pisces_error *error)
{
	char asked[32], part[32], most[48] = "ask for other CPUs", text[32], nodes[256];
	uint64_t per_cpu = UINT64_MAX, possible;

	for (uint32_t n = 0; n < map->node_count; n++) {
		if (weights->cpus[n] && map->nodes[n].free / weights->cpus[n] < per_cpu)
			per_cpu = map->nodes[n].free / weights->cpus[n];
	}
	possible = per_cpu * weights->sum / PISCES_MEMORY_ALIGN * PISCES_MEMORY_ALIGN;
	if (possible >= PISCES_PLAN_MIN_MEMORY)
		snprintf(most, sizeof(most), "ask for at most %s",
			 pisces_size_format(possible, text, sizeof(text)));
	pisces_size_format(size, asked, sizeof(asked));
	pisces_size_format(share, part, sizeof(part));
	describe_nodes(map, weights, nodes, sizeof(nodes));
	if (share == size)
		return pisces_fail(error, "%s of memory were asked for (free: %s): %s", asked,
				   nodes, most);
	return pisces_fail(error,
			   "%s of memory were asked for, %s of it of NUMA node %u by the CPUs "
			   "there (free: %s): %s",
			   asked, part, map->nodes[poor].number, nodes, most);
}

int pisces_divide_memory(const struct pisces_map *map, const struct pisces_request *request,
			 const struct pisces_allocation *allocation, struct pisces_plan *plan,
			 struct pisces_error *error)
{
	struct weights weights = weigh(map, plan);
	uint64_t share[PISCES_MAX_NODES], size = 0;

	if (weights.sum == 0)
		return pisces_fail(error,
				   "NUMA node %u, where the CPUs of the enclave are, has no "
				   "memory: ask for CPUs of a node that has",
				   plan->cpus[0].node);
	if (wanted(map, &weights, request, allocation, &size, error) < 0)
		return -1;
	divide(&weights, map->node_count, size / PISCES_MEMORY_ALIGN, share);
	for (uint32_t n = 0; n < map->node_count; n++) {
		uint64_t bytes = share[n] * PISCES_MEMORY_ALIGN;

		if (bytes > map->nodes[n].free)
			return too_little(map, &weights, size, n, bytes, error);
	}
	plan->memory_count = 0;
	for (uint32_t n = 0; n < map->node_count; n++) {
		if (share[n] == 0)
			continue;
		plan->memory[plan->memory_count].node = map->nodes[n].number;
		plan->memory[plan->memory_count].size = share[n] * PISCES_MEMORY_ALIGN;
		plan->memory_count++;
	}
	return 0;
}
