/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Slurm gave to a step on this node.
 *
 * CPUs: Slurm speaks of cores by numbers of its own, so what the kernel was told
 * is asked first, the cpuset of the step's cgroup. A site without task/cgroup is
 * asked for the step's cores, and failing that the task for its affinity.
 *
 * Where proxies may run: slurmd has told (daemon.c), by its own place; else nowhere but on
 * the step's own.
 *
 * Memory: that of the job, less what other enclaves of the job already have, and
 * no more than that of the step.
 */
#include "enclave.h"
#include "cgroup.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1024ull * 1024ull)

static bool cpus_of_cgroup(pid_t pid, struct pisces_cpuset *cpus)
{
	char list[4096];

	memset(cpus, 0, sizeof(*cpus));
	return cgroup_of_step(pid, &cgroup_cpus, list, sizeof(list)) &&
	       pisces_cpuset_parse(list, cpus) == 0 && pisces_cpuset_count(cpus) > 0;
}

bool allocation_cpus_of_slurm(spank_t spank, struct pisces_cpuset *cpus)
{
	char *cores = NULL, *list = NULL;

	if (!xcpuinfo_abs_to_mac ||
	    spank_get_item(spank, S_STEP_ALLOC_CORES, &cores) != ESPANK_SUCCESS || !cores ||
	    xcpuinfo_abs_to_mac(cores, &list) != 0 || !list)
		return false;
	memset(cpus, 0, sizeof(*cpus));
	/* The list is Slurm's to free, by a function that is not for plugins: it stays. */
	return pisces_cpuset_parse(list, cpus) == 0 && pisces_cpuset_count(cpus) > 0;
}

static bool cpus_of_task(pid_t pid, struct pisces_cpuset *cpus)
{
	const size_t size = CPU_ALLOC_SIZE(PISCES_MAX_CPUS);
	cpu_set_t *set = CPU_ALLOC(PISCES_MAX_CPUS);
	unsigned int cpu;

	memset(cpus, 0, sizeof(*cpus));
	if (set && sched_getaffinity(pid, size, set) == 0)
		for (cpu = 0; cpu < PISCES_MAX_CPUS; cpu++)
			if (CPU_ISSET_S(cpu, size, set))
				pisces_cpuset_add(cpus, cpu);
	CPU_FREE(set);
	return pisces_cpuset_count(cpus) > 0;
}

/*
 * The node's specialized CPUs. Not where slurmd is on CPUs of jobs, which is how it
 * looks with SlurmdOffSpec.
 */
static void system_cpus(struct pisces_allocation *allocation)
{
	const char *list = getenv(SYSTEM_CPUS_VARIABLE);

	allocation->others = true;
	if (!list || pisces_cpuset_parse(list, &allocation->system) != 0 ||
	    pisces_cpuset_intersects(&allocation->system, &allocation->cpus))
		memset(&allocation->system, 0, sizeof(allocation->system));
}

/* Bytes that enclaves of JOB have on this node, and how many they are. */
static uint64_t memory_in_use(uint32_t job, unsigned int *enclaves)
{
	struct pisces_error error;
	struct pisces_info *list;
	int count = pisces_list(&list, &error);
	uint64_t bytes = 0;
	int i;

	*enclaves = 0;
	for (i = 0; i < count; i++) {
		if (list[i].job != job || list[i].memory == 0)
			continue;
		bytes += list[i].memory;
		(*enclaves)++;
	}
	free(list);
	return bytes;
}

/* The limit of the step's memory in bytes; UINT64_MAX if there is none. */
static uint64_t memory_of_cgroup(pid_t pid)
{
	unsigned long long bytes;
	char line[64], *end;

	if (!cgroup_of_step(pid, &cgroup_memory, line, sizeof(line)))
		return UINT64_MAX;
	bytes = strtoull(line, &end, 10);
	/* "max", or what version 1 writes for it, which is below 2^63. */
	return end == line || bytes > INT64_MAX / 2 ? UINT64_MAX : bytes;
}

static int memory_of_step(spank_t spank, pid_t pid, uint64_t *bytes, struct pisces_error *error)
{
	uint64_t step = 0, all = 0, limit, used;
	char all_text[32], used_text[32];
	unsigned int enclaves;
	uint32_t id = 0;

	spank_get_item(spank, S_STEP_ALLOC_MEM, &step);
	spank_get_item(spank, S_JOB_ALLOC_MEM, &all);
	spank_get_item(spank, S_JOB_ID, &id);
	/* Not a limit for who says how much. */
	*bytes = options_request()->memory ? 0 : plugin_args.default_mem;
	if (all == 0)
		return 0;

	/* Several steps share what the job has. */
	used = memory_in_use(id, &enclaves);
	if (used >= all * MIB) {
		snprintf(error->text, sizeof(error->text),
			 "the job has %s on this node, and %u enclave%s of it ha%s %s: give each "
			 "its share by --mem or --enclave-mem",
			 pisces_size_format(all * MIB, all_text, sizeof(all_text)), enclaves,
			 enclaves == 1 ? "" : "s", enclaves == 1 ? "s" : "ve",
			 pisces_size_format(used, used_text, sizeof(used_text)));
		return -1;
	}
	*bytes = all * MIB - used;
	/* 22.05 knows the step's share but does not tell plugins; the kernel does. */
	limit = step != 0 ? step * MIB : memory_of_cgroup(pid);
	if (limit < *bytes)
		*bytes = limit;
	return 0;
}

int allocation_of_step(spank_t spank, pid_t task_pid,
		       struct pisces_allocation *allocation, struct pisces_error *error)
{
	if (!cpus_of_cgroup(task_pid, &allocation->cpus) &&
	    !allocation_cpus_of_slurm(spank, &allocation->cpus) &&
	    !cpus_of_task(task_pid, &allocation->cpus)) {
		snprintf(error->text, sizeof(error->text),
			 "it cannot be found out which CPUs the step has: see the log of slurmd");
		return -1;
	}
	system_cpus(allocation);
	return memory_of_step(spank, task_pid, &allocation->memory, error);
}
