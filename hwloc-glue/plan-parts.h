/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of a plan: which CPUs, and how much memory of which node. */
#ifndef PISCES_PLAN_PARTS_H
#define PISCES_PLAN_PARTS_H

#include "map.h"

/*
 * Chooses COUNT of CANDIDATES (a subset of the map's PUs that has as many at least)
 * into *CHOSEN. AVOID: PUs that are taken only if it needs them, or a NUMA node
 * more without them. MEMORY: bytes that a single NUMA node should have free to be
 * preferred; 0 if it does not matter. SPLIT: cores may be broken.
 */
void pisces_choose_cpus(const struct pisces_map *map, const struct pisces_cpuset *candidates,
			const struct pisces_cpuset *avoid, unsigned int count, uint64_t memory,
			bool split, struct pisces_cpuset *chosen);

/* Adds to *CHOSEN the CANDIDATES that are SMT siblings of any in it; also to *ADDED. */
void pisces_complete_cores(const struct pisces_map *map, const struct pisces_cpuset *candidates,
			   struct pisces_cpuset *chosen, struct pisces_cpuset *added);

/* Fills plan->memory[] for the CPUs that are in PLAN already. */
int pisces_divide_memory(const struct pisces_map *map, const struct pisces_request *request,
			 const struct pisces_allocation *allocation, struct pisces_plan *plan,
			 struct pisces_error *error);

#endif
