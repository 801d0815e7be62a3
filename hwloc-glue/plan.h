/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan as a pure function: no file is read, nothing is asked of the machine.
 */
#ifndef PISCES_PLAN_H
#define PISCES_PLAN_H

#include "libpisces.h"

#include <hwloc.h>

/* The least memory that an enclave gets, bytes. */
#define PISCES_PLAN_MIN_MEMORY (64ull << 20)

/* As the memory of a request: a plan of CPUs only. */
#define PISCES_PLAN_NO_MEMORY UINT64_MAX

/*
 * Plans REQUEST on TOPOLOGY, within ALLOCATION. FREE: bytes that can be had of
 * each NUMA node, by Linux's number; NULL: all that it has. Returns 0, or -1 with
 * *ERROR and *PLAN of no use.
 *
 * CPUs. Only online PUs of the allocation, and never CPU 0. If fewer are asked
 * for than there are: on the fewest NUMA nodes, in one package if that has as
 * few; on a node, whole cores before parts of cores. Among nodes or packages that
 * would do, the one with the fewest PUs to spare, so that large ones stay whole. The
 * core of CPU 0 and cores that other enclaves share come last, unless that costs a
 * NUMA node more. Where CPU 0 is offline, the highest CPU that is online stays.
 *
 * SMT. Unless the request splits cores, the SMT siblings of what was chosen come
 * along, so that the enclave may have more CPUs than were asked for. Siblings that are
 * not in the allocation, or that Linux cannot give, stay, and the note says so: nobody
 * is refused for it.
 *
 * Memory. That of the request, else that of the allocation, else: for each CPU the
 * least share that a CPU has in the memory of any node of the plan, but not more
 * than leaves half of the node's free memory. Rounded up to PISCES_MEMORY_ALIGN and
 * divided among the nodes by their CPUs. A node without any memory gives none.
 */
int pisces_plan_make(hwloc_topology_t topology, const uint64_t free[PISCES_MAX_NODES],
		     const struct pisces_request *request,
		     const struct pisces_allocation *allocation, struct pisces_plan *plan,
		     struct pisces_error *error);

#endif
