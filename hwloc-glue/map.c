/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From an hwloc topology to the map that plans are made on. */
#include "map.h"

#include "internal.h"

#include <stdlib.h>
#include <string.h>

/*
 * The NUMA node of PU as Linux sees it: the one with the fewest PUs around it,
 * for hwloc gives a memory-only node the PUs that are near it; between equals
 * the lowest number, for firmware lists nodes with CPUs before those without. Of this
 * machine it is known which have none (topology.c): an enclave may have them all.
 */
static hwloc_obj_t node_of(hwloc_topology_t topology, hwloc_obj_t pu)
{
	hwloc_obj_t best = NULL, node = NULL;
	int best_weight = 0;

	while ((node = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, node))) {
		int weight;

		if (!node->cpuset || !hwloc_bitmap_isset(node->cpuset, pu->os_index) ||
		    hwloc_obj_get_info_by_name(node, PISCES_INFO_NO_CPUS))
			continue;
		weight = hwloc_bitmap_weight(node->cpuset);
		if (!best || weight < best_weight ||
		    (weight == best_weight && node->os_index < best->os_index)) {
			best = node;
			best_weight = weight;
		}
	}
	return best;
}

static uint32_t core_of(hwloc_topology_t topology, hwloc_obj_t pu)
{
	hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, pu);

	if (core)
		return core->logical_index;
	/* A PU without a core is a core; behind all real ones. */
	return (uint32_t)hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE) + pu->logical_index;
}

/* The index in map->nodes[] of the hwloc node NODE, which is added if it is new. */
static int add_node(hwloc_topology_t topology, hwloc_obj_t pu, hwloc_obj_t node,
		    const uint64_t free[PISCES_MAX_NODES], struct pisces_map *map, uint32_t *index,
		    struct pisces_error *error)
{
	struct pisces_map_node *entry;
	hwloc_obj_t package;

	for (*index = 0; *index < map->node_count; (*index)++) {
		if (map->nodes[*index].number == node->os_index)
			return 0;
	}
	if (node->os_index >= PISCES_MAX_NODES)
		return pisces_fail(error, "NUMA node %u: this release knows nodes 0 to %u",
				   node->os_index, PISCES_MAX_NODES - 1);
	package = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_PACKAGE, pu);
	entry = &map->nodes[map->node_count++];
	entry->number = node->os_index;
	entry->package = package ? package->logical_index : 0;
	entry->memory = node->attr->numanode.local_memory;
	entry->free = free ? free[node->os_index] : entry->memory;
	return 0;
}

static int compare_pus(const void *left, const void *right)
{
	const struct pisces_map_pu *a = left, *b = right;

	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	if (a->core != b->core)
		return a->core < b->core ? -1 : 1;
	return a->cpu < b->cpu ? -1 : a->cpu > b->cpu;
}

int pisces_map_make(hwloc_topology_t topology, const uint64_t free[PISCES_MAX_NODES],
		    struct pisces_map *map, struct pisces_error *error)
{
	hwloc_const_cpuset_t online = hwloc_topology_get_topology_cpuset(topology);
	hwloc_obj_t pu = NULL;

	memset(map, 0, sizeof(*map));
	while ((pu = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PU, pu))) {
		struct pisces_map_pu *entry = &map->pus[map->pu_count];
		hwloc_obj_t node;

		if (pu->os_index >= PISCES_MAX_CPUS || !hwloc_bitmap_isset(online, pu->os_index))
			continue;
		node = node_of(topology, pu);
		if (!node)
			return pisces_fail(error, "CPU %u has no NUMA node in this topology",
					   pu->os_index);
		if (add_node(topology, pu, node, free, map, &entry->node, error) < 0)
			return -1;
		entry->cpu = pu->os_index;
		entry->core = core_of(topology, pu);
		map->pu_count++;
	}
	if (map->pu_count == 0)
		return pisces_fail(error, "this topology has no PU that is online");

	/* Nodes came in the order of their first PU, which is hwloc's logical order. */
	qsort(map->pus, map->pu_count, sizeof(map->pus[0]), compare_pus);
	for (uint32_t i = map->pu_count; i-- > 0;) {
		struct pisces_map_node *node = &map->nodes[map->pus[i].node];

		node->first = i;
		node->count++;
	}
	return 0;
}
