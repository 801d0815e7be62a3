/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where topologies come from: this machine, a synthetic description, an XML file. */
#include "internal.h"
#include "map.h"
#include "plan.h"
#include "topology.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Linux needs tens of milliseconds for each CPU that comes or goes; a load takes a few. */
#define LOADS_MOST 100u
#define ONLINE_SIZE 4096u

hwloc_topology_t pisces_topology_new(struct pisces_error *error)
{
	hwloc_topology_t topology;

	if (hwloc_topology_init(&topology) < 0) {
		pisces_fail(error, "hwloc does not start: %s", strerror(errno));
		return NULL;
	}
	/* A cgroup of the caller is no limit: the allocation says what may be taken. */
	hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
	/* Drawings put boxes of their own into it. */
	hwloc_topology_set_type_filter(topology, HWLOC_OBJ_MISC, HWLOC_TYPE_FILTER_KEEP_ALL);
	return topology;
}

uint64_t pisces_meminfo_bytes(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	uint64_t kib;

	if (!at || sscanf(at + strlen(name), " %" SCNu64, &kib) != 1)
		return 0;
	return kib * 1024;
}

/*
 * What can be had of each NUMA node now: what is free, and what Linux can drop or
 * write back. Only the module finds out for sure; this is to say no early.
 */
void pisces_free_memory(uint64_t free[PISCES_MAX_NODES])
{
	struct pisces_cpuset nodes = {0}; /* a set of numbers, as any other */
	char path[64], text[4096];

	if (pisces_read_text("/sys/devices/system/node/online", text, sizeof(text)) == 0)
		pisces_cpuset_parse(text, &nodes);
	for (unsigned int node = 0; node < PISCES_MAX_NODES; node++) {
		free[node] = 0;
		if (node != 0 && !pisces_cpuset_has(&nodes, node))
			continue;
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/meminfo", node);
		if (pisces_read_text(path, text, sizeof(text)) < 0 &&
		    (node != 0 || pisces_read_text("/proc/meminfo", text, sizeof(text)) < 0))
			continue;
		free[node] = pisces_meminfo_bytes(text, "MemFree:") +
			     pisces_meminfo_bytes(text, "Active(file):") +
			     pisces_meminfo_bytes(text, "Inactive(file):") +
			     pisces_meminfo_bytes(text, "SReclaimable:") / 2;
	}
}

/* hwloc gives a node without CPUs those of its neighbour; Linux knows better. */
static void note_nodes_without_cpus(hwloc_topology_t topology)
{
	hwloc_obj_t node = NULL;
	char path[64], text[ONLINE_SIZE];

	while ((node = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, node))) {
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/cpulist",
			 node->os_index);
		if (pisces_read_text(path, text, sizeof(text)) == 0 && text[0] == '\0')
			hwloc_obj_add_info(node, PISCES_INFO_NO_CPUS, "yes");
	}
}

static hwloc_topology_t load_here(struct pisces_error *error)
{
	hwloc_topology_t topology = pisces_topology_new(error);

	if (!topology)
		return NULL;
	/* It binds this process to each PU in turn to ask it, which Linux tells as well. */
	hwloc_topology_set_components(topology, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
	if (hwloc_topology_load(topology) < 0)
		pisces_fail(error, "hwloc cannot read the topology of node %s: %s",
			    pisces_node_name(), strerror(errno));
	else if (!hwloc_topology_is_thissystem(topology))
		pisces_fail(
			error,
			"an environment variable HWLOC_... describes another machine: unset it");
	else {
		note_nodes_without_cpus(topology);
		return topology;
	}
	hwloc_topology_destroy(topology);
	return NULL;
}

/*
 * hwloc reads many files one after the other. If another enclave takes a CPU meanwhile,
 * or gives one back, they do not fit together: so that is read which did not change.
 */
hwloc_topology_t pisces_topology_here(struct pisces_error *error)
{
	static const char online[] = "/sys/devices/system/cpu/online";
	char before[ONLINE_SIZE] = "", after[ONLINE_SIZE] = "";

	for (unsigned int i = 0; i < LOADS_MOST; i++) {
		hwloc_topology_t topology;

		pisces_read_text(online, before, sizeof(before));
		topology = load_here(error);
		pisces_read_text(online, after, sizeof(after));
		if (strcmp(before, after) == 0)
			return topology;
		if (topology)
			hwloc_topology_destroy(topology);
	}
	pisces_fail(error,
		    "the CPUs of node %s come and go so fast that its topology cannot be read "
		    "(%u times, now online: %s): try again",
		    pisces_node_name(), LOADS_MOST, after);
	return NULL;
}

struct pisces_cpuset pisces_cores_of(const struct pisces_cpuset *cpus)
{
	struct pisces_place *places = calloc(PISCES_MAX_CPUS, sizeof(*places));
	struct pisces_cpuset cores = {0};
	struct pisces_error ignored;
	int count = places ? pisces_places(0, places, PISCES_MAX_CPUS, &ignored) : 0;

	for (int i = 0; i < count; i++) {
		for (int j = 0; j < count && pisces_cpuset_has(cpus, places[i].linux_cpu); j++) {
			if (places[j].core == places[i].core)
				pisces_cpuset_add(&cores, places[j].linux_cpu);
		}
	}
	free(places);
	return cores;
}

/* The CPUs whose core has a CPU of an enclave. None without the module. */
static struct pisces_cpuset shared_cpus(void)
{
	struct pisces_cpuset taken = {0};
	struct pisces_info *list;
	struct pisces_error ignored;
	int count = pisces_list(&list, &ignored);

	for (int i = 0; i < count; i++) {
		for (unsigned int word = 0; word < PISCES_CPU_WORDS; word++)
			taken.word[word] |= list[i].cpus[word];
	}
	free(list);
	return pisces_cores_of(&taken);
}

int pisces_plan_here(const struct pisces_request *request,
		     const struct pisces_allocation *allocation, struct pisces_plan *plan,
		     struct pisces_error *error)
{
	struct pisces_allocation with_shared = *allocation;
	uint64_t can[PISCES_MAX_NODES];
	hwloc_topology_t topology;
	int result;

	pisces_await_endings(&allocation->cpus);
	topology = pisces_topology_here(error);
	if (!topology)
		return -1;
	pisces_free_memory(can);
	with_shared.shared = shared_cpus();
	result = pisces_plan_make(topology, can, request, &with_shared, plan, error);
	hwloc_topology_destroy(topology);
	return result;
}

static int set_description(hwloc_topology_t topology, const char *description,
			   struct pisces_error *error)
{
	struct stat file;

	if (stat(description, &file) == 0) {
		if (hwloc_topology_set_xml(topology, description) == 0)
			return 0;
		return pisces_fail(error,
				   "%.128s is not a topology in hwloc's XML (lstopo --of xml)",
				   description);
	}
	if (strchr(description, '/') || !strchr(description, ':'))
		return pisces_fail(error, "%.128s: %s", description, strerror(errno));
	if (hwloc_topology_set_synthetic(topology, description) == 0)
		return 0;
	return pisces_fail(error,
			   "'%.128s' is not a topology in hwloc's synthetic syntax, as 'package:2 "
			   "core:4 pu:2'",
			   description);
}

hwloc_topology_t pisces_topology_for(const char *description, struct pisces_error *error)
{
	hwloc_topology_t topology = pisces_topology_new(error);

	if (!topology)
		return NULL;
	if (set_description(topology, description, error) == 0) {
		if (hwloc_topology_load(topology) == 0)
			return topology;
		pisces_fail(error, "hwloc cannot load the topology '%.128s': %s", description,
			    strerror(errno));
	}
	hwloc_topology_destroy(topology);
	return NULL;
}

int pisces_plan_for(const char *description, const struct pisces_request *request,
		    const struct pisces_allocation *allocation, struct pisces_plan *plan,
		    struct pisces_error *error)
{
	hwloc_topology_t topology = pisces_topology_for(description, error);
	int result;

	if (!topology)
		return -1;
	result = pisces_plan_make(topology, NULL, request, allocation, plan, error);
	hwloc_topology_destroy(topology);
	return result;
}
