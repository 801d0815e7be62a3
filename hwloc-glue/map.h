/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map: what a plan must know of a topology, without hwloc's types.
 */
#ifndef PISCES_MAP_H
#define PISCES_MAP_H

#include "libpisces.h"

#include <hwloc.h>

/* A NUMA node that has this info has no CPUs, whatever hwloc thinks is near it. */
#define PISCES_INFO_NO_CPUS "PiscesNoCPUs"

struct pisces_map_pu {
	uint32_t cpu;  /* Linux's number */
	uint32_t node; /* index into nodes[] */
	uint32_t core; /* SMT siblings have the same; unique in the machine */
};

struct pisces_map_node {
	uint32_t number; /* Linux's */
	uint32_t package;
	uint32_t first; /* its PUs are pus[first] to pus[first + count - 1] */
	uint32_t count;
	uint64_t memory; /* bytes in all */
	uint64_t free;	 /* bytes that can be had now */
};

/* Online PUs, ordered by NUMA node, core, PU; and the NUMA nodes that have any. */
struct pisces_map {
	uint32_t pu_count;
	struct pisces_map_pu pus[PISCES_MAX_CPUS];
	uint32_t node_count;
	struct pisces_map_node nodes[PISCES_MAX_NODES];
};

/*
 * Makes *MAP of TOPOLOGY. FREE: bytes that can be had, by Linux's node number;
 * NULL: all that a node has. PUs with a number above PISCES_MAX_CPUS are left out.
 */
int pisces_map_make(hwloc_topology_t topology, const uint64_t free[PISCES_MAX_NODES],
		    struct pisces_map *map, struct pisces_error *error);

#endif
