/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of a plan: which CPUs, and how much memory of which node. */
#ifndef PISCES_PLAN_PARTS_H
#define PISCES_PLAN_PARTS_H

#include "map.h"

/*
 * Chooses COUNT of CANDIDATES (a subset of the map's PUs that has as many at least)
 * into *CHOSEN. MEMORY: bytes that a single NUMA node should have free to be
 * preferred; 0 if it does not matter.
 */
void pisces_choose_cpus(const struct pisces_map *map, const struct pisces_cpuset *candidates,
			unsigned int count, uint64_t memory, struct pisces_cpuset *chosen);

/* Fills plan->memory[] for the CPUs that are in PLAN already. */
int pisces_divide_memory(const struct pisces_map *map, const struct pisces_request *request,
			 const struct pisces_allocation *allocation, struct pisces_plan *plan,
			 struct pisces_error *error);

#endif
