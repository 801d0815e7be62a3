/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan: what an enclave will take from Linux. Decides all, does nothing. */
#include "plan.h"

#include "internal.h"
#include "plan-parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* PUs of the map, and how the allocation stands to them. */
struct sets {
	struct pisces_cpuset online;
	struct pisces_cpuset allocated;	 /* and online */
	struct pisces_cpuset missing;	 /* allocated, not online */
	struct pisces_cpuset candidates; /* allocated, and Linux can give them away */
	struct pisces_cpuset shared;	 /* on cores that other enclaves share */
	struct pisces_cpuset avoid;	 /* these, and the core of CPU 0 */
	struct pisces_cpuset system;	 /* for the system's programs, and online */
	struct pisces_cpuset kept;	 /* allocated, and kept for proxies, as they have no other */
	bool whole_node;		 /* nothing in particular was allocated */
	bool has_cpu_0;			 /* it was allocated */
};

/* Adds CPU and its SMT siblings to SET. */
static void add_core_of(const struct pisces_map *map, uint32_t cpu, struct pisces_cpuset *set)
{
	for (uint32_t i = 0; i < map->pu_count; i++) {
		if (map->pus[i].cpu != cpu)
			continue;
		for (uint32_t j = 0; j < map->pu_count; j++) {
			if (map->pus[j].core == map->pus[i].core)
				pisces_cpuset_add(set, map->pus[j].cpu);
		}
	}
}

/* The highest CPU that is online stays, where CPU 0 is offline. */
static void remove_last(struct sets *sets)
{
	for (unsigned int cpu = PISCES_MAX_CPUS; cpu-- > 0;) {
		if (!pisces_cpuset_has(&sets->online, cpu))
			continue;
		sets->candidates.word[cpu / 64] &= ~(1ull << cpu % 64);
		return;
	}
}

/* Keeps a core of the candidates for proxies: one that is not whole anyway, or the last. */
static void keep_core(const struct pisces_map *map, struct sets *sets)
{
	uint32_t keep = 0, cpu;
	bool shared = false;

	for (uint32_t i = 0; i < map->pu_count && !shared; i++) {
		if (!pisces_cpuset_has(&sets->candidates, map->pus[i].cpu))
			continue;
		keep = map->pus[i].cpu;
		shared = pisces_cpuset_has(&sets->avoid, keep);
	}
	add_core_of(map, keep, &sets->kept);
	for (cpu = 0; cpu < PISCES_CPU_WORDS; cpu++)
		sets->kept.word[cpu] &= sets->candidates.word[cpu];
	/* If there is but one core, of that one CPU. */
	if (pisces_cpuset_count(&sets->kept) == pisces_cpuset_count(&sets->candidates)) {
		memset(&sets->kept, 0, sizeof(sets->kept));
		pisces_cpuset_add(&sets->kept, keep);
	}
	for (cpu = 0; cpu < PISCES_CPU_WORDS; cpu++)
		sets->candidates.word[cpu] &= ~sets->kept.word[cpu];
}

/* Would nothing be left where proxies may run? */
static bool must_keep(const struct sets *sets, const struct pisces_allocation *allocation,
		      const struct pisces_request *request)
{
	unsigned int can = pisces_cpuset_count(&sets->candidates);

	return allocation->others && can > 0 && pisces_cpuset_count(&sets->system) == 0 &&
	       can == pisces_cpuset_count(&sets->allocated) &&
	       (request->cpus == 0 || request->cpus >= can);
}

static struct sets make_sets(const struct pisces_map *map, const struct pisces_request *request,
			     const struct pisces_allocation *allocation)
{
	struct sets sets = {.whole_node = pisces_cpuset_count(&allocation->cpus) == 0};

	for (uint32_t i = 0; i < map->pu_count; i++)
		pisces_cpuset_add(&sets.online, map->pus[i].cpu);
	for (unsigned int i = 0; i < PISCES_CPU_WORDS; i++) {
		uint64_t asked = sets.whole_node ? sets.online.word[i] : allocation->cpus.word[i];

		sets.allocated.word[i] = asked & sets.online.word[i];
		sets.missing.word[i] = asked & ~sets.online.word[i];
		sets.system.word[i] = allocation->system.word[i] & sets.online.word[i];
	}
	sets.has_cpu_0 = pisces_cpuset_has(&sets.allocated, 0);
	sets.candidates = sets.allocated;
	/* Linux has things on CPU 0 that it can move nowhere else; and it needs one CPU. */
	if (pisces_cpuset_has(&sets.online, 0))
		sets.candidates.word[0] &= ~1ull;
	else
		remove_last(&sets);
	sets.shared = sets.avoid = allocation->shared;
	add_core_of(map, 0, &sets.avoid);
	if (must_keep(&sets, allocation, request))
		keep_core(map, &sets);
	return sets;
}

/* How many CPUs the enclave gets; 0 with *ERROR if it cannot. */
static unsigned int count_cpus(const struct sets *sets, const struct pisces_request *request,
			       struct pisces_error *error)
{
	unsigned int can = pisces_cpuset_count(&sets->candidates);
	unsigned int missing = pisces_cpuset_count(&sets->missing);
	unsigned int want = request->cpus ? request->cpus : can + missing;
	char list[128], text[96] = "";

	if (missing && want > can) {
		snprintf(text, sizeof(text), "%s %.60s %s", missing == 1 ? "" : "s",
			 pisces_cpuset_format(&sets->missing, list, sizeof(list)),
			 missing == 1 ? "is" : "are");
		pisces_fail(
			error,
			"%u CPU%s to be taken, and CPU%s not online in Linux: wait if another "
			"enclave has it (pisces list), else bring it online or ask for other CPUs",
			want, want == 1 ? " was" : "s were", text);
		return 0;
	}
	if (pisces_cpuset_count(&sets->online) == 1) {
		pisces_fail(error, "one CPU is online in Linux, which needs it: wait if enclaves have "
				   "the others (pisces list), else bring one online");
		return 0;
	}
	if (can == 0 && pisces_cpuset_count(&sets->kept) > 0) {
		pisces_fail(error, "the only CPU that was allocated is needed for the program's "
				   "proxy on Linux: ask for one CPU more, or give proxies a place "
				   "of their own (CoreSpecCount=1 for the node in slurm.conf)");
		return 0;
	}
	if (can == 0) {
		pisces_fail(error, "the only CPU that was allocated is CPU 0, which Linux cannot "
				   "give away: ask for one CPU more, or keep jobs off CPU 0 "
				   "(CpuSpecList=0 for the node in slurm.conf)");
		return 0;
	}
	if (want > can) {
		if (sets->has_cpu_0)
			strcpy(text, ", and CPU 0, which Linux cannot give away");
		pisces_fail(error,
			    "%u CPUs were asked for, and there are %u to take (%s)%s: ask for at "
			    "most %u",
			    want, can, pisces_cpuset_format(&sets->candidates, list, sizeof(list)),
			    text, can);
		return 0;
	}
	return want;
}

static void store_cpus(const struct pisces_map *map, const struct pisces_cpuset *chosen,
		       struct pisces_plan *plan)
{
	for (uint32_t i = 0; i < map->pu_count; i++) {
		const struct pisces_map_pu *pu = &map->pus[i];

		if (!pisces_cpuset_has(chosen, pu->cpu))
			continue;
		plan->cpus[plan->cpu_count++] = (struct pisces_plan_cpu){
			.linux_cpu = pu->cpu,
			.node = map->nodes[pu->node].number,
			.core = pu->core,
		};
	}
}

/* SET less CHOSEN. Returns whether anything is left. */
static bool remains(const struct pisces_cpuset *set, const struct pisces_cpuset *chosen,
		    struct pisces_cpuset *rest)
{
	for (unsigned int i = 0; i < PISCES_CPU_WORDS; i++)
		rest->word[i] = set->word[i] & ~chosen->word[i];
	return pisces_cpuset_count(rest) > 0;
}

/*
 * Where the proxy may run: where the system's own programs do, if there is such a place;
 * else on what the allocation has left; else, where nobody else has CPUs, beside whatever
 * Linux itself does on the core of CPU 0; else anywhere.
 */
static int choose_linux_cpus(const struct pisces_map *map, const struct sets *sets,
			     const struct pisces_cpuset *chosen, struct pisces_plan *plan,
			     struct pisces_error *error)
{
	struct pisces_cpuset first_core = {0};

	if (remains(&sets->system, chosen, &plan->linux_cpus) ||
	    remains(&sets->allocated, chosen, &plan->linux_cpus))
		return 0;
	add_core_of(map, 0, &first_core);
	if (remains(&first_core, chosen, &plan->linux_cpus) ||
	    remains(&sets->online, chosen, &plan->linux_cpus))
		return 0;
	return pisces_fail(
		error, "%u CPUs are all that are online, and Linux needs one: ask for %u at most",
		plan->cpu_count, plan->cpu_count - 1);
}

/* The first PU of the plan whose core has a PU that stays with Linux; -1 if there is none. */
static int shared_core(const struct pisces_map *map, const struct pisces_cpuset *chosen,
		       uint32_t *sibling)
{
	for (uint32_t i = 0; i < map->pu_count; i++) {
		if (!pisces_cpuset_has(chosen, map->pus[i].cpu))
			continue;
		for (uint32_t j = 0; j < map->pu_count; j++) {
			if (map->pus[j].core != map->pus[i].core ||
			    pisces_cpuset_has(chosen, map->pus[j].cpu))
				continue;
			*sibling = map->pus[j].cpu;
			return (int)map->pus[i].cpu;
		}
	}
	return -1;
}

/* Adds a sentence to the note of PLAN, as far as there is room. */
__attribute__((format(printf, 2, 3))) static void note(struct pisces_plan *plan, const char *format,
						       ...)
{
	size_t used = strlen(plan->note);
	va_list args;

	if (used > 0 && used + 2 < sizeof(plan->note)) {
		strcpy(plan->note + used, "; ");
		used += 2;
	}
	va_start(args, format);
	vsnprintf(plan->note + used, sizeof(plan->note) - used, format, args);
	va_end(args);
}

/* ADDED: CPUs that nobody asked for, which are there to keep cores whole. */
static void write_notes(const struct pisces_map *map, const struct sets *sets,
			const struct pisces_request *request, const struct pisces_cpuset *chosen,
			const struct pisces_cpuset *added, struct pisces_plan *plan)
{
	uint32_t sibling = 0;
	int shared = shared_core(map, chosen, &sibling);
	char list[64];

	if (sets->has_cpu_0 && !sets->whole_node && request->cpus == 0)
		note(plan,
		     "CPU 0 of the allocation stays with Linux, which cannot give it away: the "
		     "enclave has %u CPU%s (CpuSpecList=0 for the node in slurm.conf keeps jobs off "
		     "CPU 0)",
		     plan->cpu_count, plan->cpu_count == 1 ? "" : "s");
	if (pisces_cpuset_count(&sets->kept) > 0)
		note(plan,
		     "CPU %s of the allocation stays with Linux, for the proxy: the enclave has %u "
		     "CPU%s (CoreSpecCount=1 for the node in slurm.conf gives proxies a place)",
		     pisces_cpuset_format(&sets->kept, list, sizeof(list)), plan->cpu_count,
		     plan->cpu_count == 1 ? "" : "s");
	if (pisces_cpuset_count(added) > 0)
		note(plan, "%u CPUs, not %u: %s came along to keep cores whole (--smt=split)",
		     plan->cpu_count, request->cpus,
		     pisces_cpuset_format(added, list, sizeof(list)));
	/* Who splits cores knows. */
	if (request->split_cores)
		return;
	if (shared >= 0)
		note(plan, "CPU %d shares its core with CPU %u of Linux%s", shared, sibling,
		     pisces_cpuset_has(&sets->allocated, sibling)
			     ? ""
			     : ", which the allocation does not have");
	for (unsigned int i = 0; i < plan->cpu_count; i++) {
		if (!pisces_cpuset_has(&sets->shared, plan->cpus[i].linux_cpu))
			continue;
		note(plan, "CPU %u shares its core with another enclave", plan->cpus[i].linux_cpu);
		break;
	}
}

int pisces_plan_make(hwloc_topology_t topology, const uint64_t free[PISCES_MAX_NODES],
		     const struct pisces_request *request,
		     const struct pisces_allocation *allocation, struct pisces_plan *plan,
		     struct pisces_error *error)
{
	struct pisces_map map;
	struct pisces_cpuset chosen, added = {0};
	uint64_t memory = request->memory ? request->memory : allocation->memory;
	struct sets sets;
	unsigned int count;

	memset(plan, 0, sizeof(*plan));
	if (pisces_map_make(topology, free, &map, error) < 0)
		return -1;
	sets = make_sets(&map, request, allocation);
	count = count_cpus(&sets, request, error);
	if (count == 0)
		return -1;
	/* Where nobody said how much, a node with none is no place all the same. */
	if (memory < PISCES_PLAN_MIN_MEMORY)
		memory = PISCES_PLAN_MIN_MEMORY;
	else if (memory == PISCES_PLAN_NO_MEMORY)
		memory = 0;
	pisces_choose_cpus(&map, &sets.candidates, &sets.avoid, count, memory,
			   request->split_cores, &chosen);
	if (!request->split_cores)
		pisces_complete_cores(&map, &sets.candidates, &chosen, &added);
	store_cpus(&map, &chosen, plan);
	if (choose_linux_cpus(&map, &sets, &chosen, plan, error) < 0)
		return -1;
	if (request->memory != PISCES_PLAN_NO_MEMORY &&
	    pisces_divide_memory(&map, request, allocation, plan, error) < 0)
		return -1;
	write_notes(&map, &sets, request, &chosen, &added, plan);
	return 0;
}
