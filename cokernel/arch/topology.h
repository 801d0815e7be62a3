/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How CPUs share packages, cores and caches, as CPUID says; all CPUs are taken to be alike. */
#ifndef CK_ARCH_TOPOLOGY_H
#define CK_ARCH_TOPOLOGY_H

#include "lib/types.h"

/* Numbers in Linux's sense: of a package in the machine, of a core in its package. */
uint32_t topology_package(cpu_id_t cpu);
uint32_t topology_core(cpu_id_t cpu);

enum cache_type {
	CACHE_DATA = 1,
	CACHE_INSTRUCTION = 2,
	CACHE_UNIFIED = 3,
};

struct cpu_cache {
	enum cache_type type;
	uint32_t level; /* 1 to 3 */
	uint32_t ways, partitions, line, sets;
	uint32_t shared_bits; /* CPUs share it whose APIC ids differ in these low bits only */
};

/* The cache of this number, 0 and up. False: there are not so many. */
bool topology_cache(uint32_t number, struct cpu_cache *cache);

/* Do both CPUs use the one cache that is like this? */
bool topology_share(const struct cpu_cache *cache, cpu_id_t a, cpu_id_t b);

#endif
