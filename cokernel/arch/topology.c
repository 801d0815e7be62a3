/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intel's manual, volume 2, CPUID leaves 4 and 0xb; AMD's volume 3, leaf 0x8000001d. */
#include "arch/topology.h"

#include "arch/x86.h"
#include "boot/boot.h"

#define LEAF_CACHE 4u
#define LEAF_TOPOLOGY 0xbu
#define LEAF_CACHE_AMD 0x8000001du
#define VENDOR_AMD_EBX 0x68747541u	/* Auth */
#define VENDOR_HYGON_EBX 0x6f677948u /* Hygo */
#define TOPOLOGY_EXTENSIONS (1u << 22)
#define LEVELS_MOST 8u

/* Bits of an APIC id that tell the threads of a core apart, or (WHOLE) all CPUs of a package. */
static uint32_t id_bits(bool whole)
{
	struct cpuid r;
	uint32_t bits = 0, level;

	if (cpuid(0, 0).eax < LEAF_TOPOLOGY)
		return 0;
	for (level = 0; level < LEVELS_MOST; level++) {
		r = cpuid(LEAF_TOPOLOGY, level);
		if ((r.ecx >> 8 & 0xff) == 0)
			break;
		bits = r.eax & 31;
		if (!whole)
			break;
	}
	return bits;
}

static uint32_t apic_id(cpu_id_t cpu)
{
	return boot_block->cpus[cpu].apic_id;
}

uint32_t topology_package(cpu_id_t cpu)
{
	uint32_t bits = id_bits(true);

	/* Where CPUID does not say, a NUMA node is the best guess. */
	return bits ? apic_id(cpu) >> bits : boot_block->cpus[cpu].node;
}

uint32_t topology_core(cpu_id_t cpu)
{
	uint32_t bits = id_bits(true);

	if (bits == 0)
		return boot_block->cpus[cpu].core;
	return (apic_id(cpu) & ((1u << bits) - 1)) >> id_bits(false);
}

/* The leaf that lists caches, 0: there is none. */
static uint32_t cache_leaf(void)
{
	struct cpuid r = cpuid(0, 0);

	if (r.ebx == VENDOR_AMD_EBX || r.ebx == VENDOR_HYGON_EBX) {
		if (cpuid(0x80000000, 0).eax >= LEAF_CACHE_AMD &&
		    (cpuid(0x80000001, 0).ecx & TOPOLOGY_EXTENSIONS))
			return LEAF_CACHE_AMD;
		return 0;
	}
	return r.eax >= LEAF_CACHE ? LEAF_CACHE : 0;
}

bool topology_cache(uint32_t number, struct cpu_cache *cache)
{
	uint32_t leaf = cache_leaf(), sharing;
	struct cpuid r;

	if (leaf == 0 || number >= LEVELS_MOST)
		return false;
	r = cpuid(leaf, number);
	if ((r.eax & 31) < CACHE_DATA || (r.eax & 31) > CACHE_UNIFIED)
		return false;
	cache->type = (enum cache_type)(r.eax & 31);
	cache->level = r.eax >> 5 & 7;
	sharing = r.eax >> 14 & 0xfff;
	for (cache->shared_bits = 0; sharing >> cache->shared_bits != 0;)
		cache->shared_bits++;
	cache->line = (r.ebx & 0xfff) + 1;
	cache->partitions = (r.ebx >> 12 & 0x3ff) + 1;
	cache->ways = (r.ebx >> 22) + 1;
	cache->sets = r.ecx + 1;
	return true;
}

bool topology_share(const struct cpu_cache *cache, cpu_id_t a, cpu_id_t b)
{
	return apic_id(a) >> cache->shared_bits == apic_id(b) >> cache->shared_bits;
}
