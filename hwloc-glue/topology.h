/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Topologies, whoever describes them. The caller destroys them; NULL with *ERROR. */
#ifndef PISCES_TOPOLOGY_H
#define PISCES_TOPOLOGY_H

#include "libpisces.h"

#include <hwloc.h>

/* Not loaded yet: with all PUs that are online, whoever is allowed to use them. */
hwloc_topology_t pisces_topology_new(struct pisces_error *error);

/* This machine as Linux has it now: without the CPUs that it gave away. */
hwloc_topology_t pisces_topology_here(struct pisces_error *error);

/* From hwloc's synthetic syntax or an XML file. */
hwloc_topology_t pisces_topology_for(const char *description, struct pisces_error *error);

/*
 * This machine with COUNT enclaves of it whose CPUs Linux does not see any more, at
 * their place. Packages, NUMA nodes, cores and PUs; no caches and no devices, for
 * Linux does not tell them of such CPUs.
 */
hwloc_topology_t pisces_topology_whole(const struct pisces_drawn *drawn, unsigned int count,
				       struct pisces_error *error);

/* The number behind NAME in TEXT, a meminfo file of Linux, in bytes; 0 if it is not there. */
uint64_t pisces_meminfo_bytes(const char *text, const char *name);

#endif
