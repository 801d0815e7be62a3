/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /sys/devices/system/cpu */
#include "arch/cpu.h"
#include "arch/topology.h"
#include "boot/boot.h"
#include "fs/files.h"

WRITER(cpus)
{
	struct numbers set = { { 0 } };
	cpu_id_t cpu;

	(void)number;
	FOR_EACH_ONLINE_CPU(cpu)
		numbers_add_cpu(&set, cpu);
	numbers_write_list(text, &set);
}

WRITER(no_cpus)
{
	(void)number;
	text_add(text, "\n");
}

WRITER(highest_cpu)
{
	(void)number;
	text_add(text, "%u\n", PISCES_MAX_CPUS - 1);
}

/* ---- which CPUs share what with one ---- */

static bool same_package(cpu_id_t a, cpu_id_t b)
{
	return topology_package(a) == topology_package(b);
}

static bool same_core(cpu_id_t a, cpu_id_t b)
{
	return boot_block->cpus[a].node == boot_block->cpus[b].node &&
	       boot_block->cpus[a].core == boot_block->cpus[b].core;
}

static struct numbers sharing(uint32_t number, bool (*share)(cpu_id_t, cpu_id_t))
{
	struct numbers set = { { 0 } };
	cpu_id_t self = cpu_of_number(number), cpu;

	FOR_EACH_ONLINE_CPU(cpu) {
		if (share(self, cpu))
			numbers_add_cpu(&set, cpu);
	}
	return set;
}

WRITER(package_id)
{
	text_add(text, "%u\n", topology_package(cpu_of_number(number[0])));
}

WRITER(core_id)
{
	text_add(text, "%u\n", topology_core(cpu_of_number(number[0])));
}

WRITER(die_id)
{
	(void)number;
	text_add(text, "0\n");
}

WRITER(core_map)
{
	struct numbers set = sharing(number[0], same_core);

	numbers_write_map(text, &set);
}

WRITER(core_list)
{
	struct numbers set = sharing(number[0], same_core);

	numbers_write_list(text, &set);
}

WRITER(package_map)
{
	struct numbers set = sharing(number[0], same_package);

	numbers_write_map(text, &set);
}

WRITER(package_list)
{
	struct numbers set = sharing(number[0], same_package);

	numbers_write_list(text, &set);
}

/* ---- caches: the second number is theirs ---- */

static struct cpu_cache cache_of(const uint32_t number[TREE_NUMBERS])
{
	struct cpu_cache cache = { 0 };

	topology_cache(number[1], &cache);
	return cache;
}

static struct numbers sharing_cache(const uint32_t number[TREE_NUMBERS])
{
	struct cpu_cache cache = cache_of(number);
	cpu_id_t self = cpu_of_number(number[0]), cpu;
	struct numbers set = { { 0 } };

	FOR_EACH_ONLINE_CPU(cpu) {
		if (topology_share(&cache, self, cpu))
			numbers_add_cpu(&set, cpu);
	}
	return set;
}

WRITER(cache_level)
{
	text_add(text, "%u\n", cache_of(number).level);
}

WRITER(cache_type)
{
	static const char *const names[] = { "", "Data", "Instruction", "Unified" };

	text_add(text, "%s\n", names[cache_of(number).type]);
}

WRITER(cache_size)
{
	struct cpu_cache cache = cache_of(number);

	text_add(text, "%luK\n", (uint64_t)cache.ways * cache.partitions * cache.line *
					cache.sets / 1024);
}

WRITER(cache_line)
{
	text_add(text, "%u\n", cache_of(number).line);
}

WRITER(cache_sets)
{
	text_add(text, "%u\n", cache_of(number).sets);
}

WRITER(cache_ways)
{
	text_add(text, "%u\n", cache_of(number).ways);
}

WRITER(cache_partitions)
{
	text_add(text, "%u\n", cache_of(number).partitions);
}

WRITER(cache_map)
{
	struct numbers set = sharing_cache(number);

	numbers_write_map(text, &set);
}

WRITER(cache_list)
{
	struct numbers set = sharing_cache(number);

	numbers_write_list(text, &set);
}
