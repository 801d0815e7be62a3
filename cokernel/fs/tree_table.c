/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/files.h"
#include "fs/tree.h"

#define CPU "/sys/devices/system/cpu/"
#define TOPOLOGY CPU "cpu%/topology/"
#define CACHE CPU "cpu%/cache/index%/"
#define NODE "/sys/devices/system/node/"

#define OF_CPU { TREE_CPU }
#define OF_CACHE { TREE_CPU, TREE_CACHE }
#define OF_NODE { TREE_NODE }
#define OF_THREAD { TREE_THREAD }

const struct tree_entry tree_table[] = {
	{ "/proc/cpuinfo", write_cpuinfo, { 0 } },
	{ "/proc/meminfo", write_meminfo, { 0 } },
	{ "/proc/stat", write_stat, { 0 } },

	{ "/proc/self/cmdline", write_self_cmdline, { 0 } },
	{ "/proc/self/comm", write_self_comm, { 0 } },
	{ "/proc/self/environ", write_self_environ, { 0 } },
	{ "/proc/self/maps", write_self_maps, { 0 } },
	{ "/proc/self/stat", write_self_stat, { 0 } },
	{ "/proc/self/status", write_self_status, { 0 } },
	{ "/proc/self/task/%/comm", write_thread_comm, OF_THREAD },
	{ "/proc/self/task/%/stat", write_thread_stat, OF_THREAD },
	{ "/proc/self/task/%/status", write_thread_status, OF_THREAD },

	/* Control groups of the proxy do not bind the enclave's CPUs and memory. */
	{ "/proc/self/cgroup", NULL, { 0 } },
	{ "/proc/self/cpuset", NULL, { 0 } },

	{ CPU "kernel_max", write_highest_cpu, { 0 } },
	{ CPU "offline", write_no_cpus, { 0 } },
	{ CPU "online", write_cpus, { 0 } },
	{ CPU "possible", write_cpus, { 0 } },
	{ CPU "present", write_cpus, { 0 } },
	{ TOPOLOGY "core_cpus", write_core_map, OF_CPU },
	{ TOPOLOGY "core_cpus_list", write_core_list, OF_CPU },
	{ TOPOLOGY "core_id", write_core_id, OF_CPU },
	{ TOPOLOGY "core_siblings", write_package_map, OF_CPU },
	{ TOPOLOGY "core_siblings_list", write_package_list, OF_CPU },
	{ TOPOLOGY "die_cpus", write_package_map, OF_CPU },
	{ TOPOLOGY "die_cpus_list", write_package_list, OF_CPU },
	{ TOPOLOGY "die_id", write_die_id, OF_CPU },
	{ TOPOLOGY "package_cpus", write_package_map, OF_CPU },
	{ TOPOLOGY "package_cpus_list", write_package_list, OF_CPU },
	{ TOPOLOGY "physical_package_id", write_package_id, OF_CPU },
	{ TOPOLOGY "thread_siblings", write_core_map, OF_CPU },
	{ TOPOLOGY "thread_siblings_list", write_core_list, OF_CPU },
	{ CACHE "coherency_line_size", write_cache_line, OF_CACHE },
	{ CACHE "level", write_cache_level, OF_CACHE },
	{ CACHE "number_of_sets", write_cache_sets, OF_CACHE },
	{ CACHE "physical_line_partition", write_cache_partitions, OF_CACHE },
	{ CACHE "shared_cpu_list", write_cache_list, OF_CACHE },
	{ CACHE "shared_cpu_map", write_cache_map, OF_CACHE },
	{ CACHE "size", write_cache_size, OF_CACHE },
	{ CACHE "type", write_cache_type, OF_CACHE },
	{ CACHE "ways_of_associativity", write_cache_ways, OF_CACHE },

	{ NODE "has_cpu", write_nodes_with_cpus, { 0 } },
	{ NODE "has_memory", write_nodes_with_memory, { 0 } },
	{ NODE "has_normal_memory", write_nodes_with_memory, { 0 } },
	{ NODE "online", write_nodes, { 0 } },
	{ NODE "possible", write_nodes, { 0 } },
	{ NODE "node%/cpulist", write_node_list, OF_NODE },
	{ NODE "node%/cpumap", write_node_map, OF_NODE },
	{ NODE "node%/distance", write_node_distance, OF_NODE },
	{ NODE "node%/meminfo", write_node_memory, OF_NODE },
};

const unsigned int tree_entries = ARRAY_SIZE(tree_table);
