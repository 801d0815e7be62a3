/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside fs/: what writes the files of the table. NUMBER: those of the path. */
#ifndef CK_FS_FILES_H
#define CK_FS_FILES_H

#include <pisces/abi.h>

#include "fs/text.h"
#include "fs/tree.h"

#define WRITER(name) void write_##name(struct text *text, const uint32_t number[TREE_NUMBERS])

/* file_proc.c */
WRITER(meminfo);
WRITER(cpuinfo);
WRITER(stat);

/* file_self.c */
WRITER(self_maps);
WRITER(self_status);
WRITER(self_stat);
WRITER(self_cmdline);
WRITER(self_environ);
WRITER(self_comm);
WRITER(thread_comm);
WRITER(thread_status);
WRITER(thread_stat);

/* file_cpu.c */
WRITER(cpus);
WRITER(no_cpus);
WRITER(highest_cpu);
WRITER(package_id);
WRITER(core_id);
WRITER(die_id);
WRITER(core_map);
WRITER(core_list);
WRITER(package_map);
WRITER(package_list);
WRITER(cache_level);
WRITER(cache_type);
WRITER(cache_size);
WRITER(cache_line);
WRITER(cache_sets);
WRITER(cache_ways);
WRITER(cache_partitions);
WRITER(cache_map);
WRITER(cache_list);

/* file_node.c */
WRITER(nodes);
WRITER(nodes_with_cpus);
WRITER(nodes_with_memory);
WRITER(node_map);
WRITER(node_list);
WRITER(node_memory);
WRITER(node_distance);

/* set.c: sets of Linux's numbers, of CPUs or of NUMA nodes. */
struct numbers {
	uint64_t word[PISCES_CPU_WORDS];
};
void numbers_add(struct numbers *set, uint32_t number);
void numbers_add_cpu(struct numbers *set, cpu_id_t cpu);
void numbers_write_list(struct text *text, const struct numbers *set);
void numbers_write_map(struct text *text, const struct numbers *set); /* of CPUs */

/* The index of the CPU that Linux calls NUMBER. It is there: tree_find() has looked. */
cpu_id_t cpu_of_number(uint32_t number);

#endif
