/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which CPUs come to a running enclave: it completes its cores, then it takes others. */
#include "internal.h"
#include "plan.h"

#include <stdio.h>
#include <string.h>

uint32_t pisces_main_node(const struct pisces_info *info)
{
	uint32_t best = 0;

	for (uint32_t node = 1; node < PISCES_MAX_NODES; node++) {
		if (info->node_memory[node] > info->node_memory[best])
			best = node;
	}
	return best;
}

/* Those of the list in the file PATH that are online; CPU 0 cannot be given away. */
static struct pisces_cpuset cpus_of(const char *path)
{
	struct pisces_cpuset cpus = {0};
	char text[4096];

	if (pisces_read_text(path, text, sizeof(text)) == 0)
		pisces_cpuset_parse(text, &cpus);
	cpus.word[0] &= ~1ull;
	return cpus;
}

/*
 * Moves up to COUNT CPUs from FREE to *CPUS that are the siblings of those that the enclave
 * has: nobody else can have quiet there. Returns how many.
 */
static unsigned int take_siblings(const struct pisces_info *info, unsigned int count,
				  struct pisces_cpuset *free_cpus, struct pisces_cpuset *cpus)
{
	struct pisces_cpuset own, cores;
	unsigned int taken = 0;

	memcpy(own.word, info->cpus, sizeof(own.word));
	cores = pisces_cores_of(&own);
	for (uint32_t cpu = 0; cpu < PISCES_MAX_CPUS && taken < count; cpu++) {
		if (!pisces_cpuset_has(&cores, cpu) || !pisces_cpuset_has(free_cpus, cpu))
			continue;
		free_cpus->word[cpu / 64] &= ~(1ull << cpu % 64);
		pisces_cpuset_add(cpus, cpu);
		taken++;
	}
	return taken;
}

int pisces_change_choose(const struct pisces_info *info, unsigned int count,
			 struct pisces_cpuset *cpus, char *note, struct pisces_error *error)
{
	struct pisces_allocation near = {0}, any = {.cpus = cpus_of("/sys/devices/system/cpu/online")};
	struct pisces_request request;
	struct pisces_plan plan;
	unsigned int siblings;
	char path[64];

	note[0] = '\0';
	siblings = take_siblings(info, count, &any.cpus, cpus);
	if (siblings == count)
		return 0;
	pisces_request_init(&request);
	request.cpus = count - siblings;
	request.memory = PISCES_PLAN_NO_MEMORY;
	snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/cpulist",
		 pisces_main_node(info));
	near.cpus = cpus_of(path);
	for (unsigned int i = 0; i < PISCES_CPU_WORDS; i++)
		near.cpus.word[i] &= any.cpus.word[i];
	/* Near its memory if there are as many, else wherever there are; too few: the plan says so. */
	if (pisces_cpuset_count(&near.cpus) < request.cpus) {
		bool enough = pisces_cpuset_count(&any.cpus) >= request.cpus;

		near = siblings && enough ? any : (struct pisces_allocation){0};
		request.cpus = enough ? request.cpus : count;
	}
	if (pisces_plan_here(&request, &near, &plan, error) < 0)
		return -1;
	for (unsigned int i = 0; i < plan.cpu_count; i++)
		pisces_cpuset_add(cpus, plan.cpus[i].linux_cpu);
	snprintf(note, PISCES_NOTE_LEN, "%s", plan.note);
	return 0;
}
