/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/own_nodes.h"

#include "arch/cpu.h"
#include "boot/boot.h"
#include "fs/text.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/policy.h"

#define FOLDER "/sys/devices/system/node/"

enum file {
	NONE,
	ONLINE,
	WITH_CPUS,
	WITH_MEMORY,
	CPU_LIST,
	CPU_MAP,
	MEMORY,
};

static const struct {
	const char *name;
	enum file file;
	bool of_node; /* below "nodeN/" */
} files[] = {
	{ "online", ONLINE, false },
	{ "possible", ONLINE, false },
	{ "has_cpu", WITH_CPUS, false },
	{ "has_memory", WITH_MEMORY, false },
	{ "has_normal_memory", WITH_MEMORY, false },
	{ "cpulist", CPU_LIST, true },
	{ "cpumap", CPU_MAP, true },
	{ "meminfo", MEMORY, true },
};

/* The file that PATH names; *NODE: of which node. */
static enum file parse(const char *path, node_id_t *node)
{
	size_t folder = sizeof(FOLDER) - 1;
	bool of_node;

	if (strncmp(path, FOLDER, folder) != 0)
		return NONE;
	path += folder;
	of_node = strncmp(path, "node", 4) == 0;
	if (of_node) {
		path += 4;
		*node = 0;
		if (*path < '0' || *path > '9')
			return NONE;
		for (; *path >= '0' && *path <= '9' && *node < PISCES_MAX_NODES; path++)
			*node = *node * 10 + (node_id_t)(*path - '0');
		if (*path++ != '/' || *node >= PISCES_MAX_NODES)
			return NONE;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++) {
		if (files[i].of_node == of_node && strcmp(files[i].name, path) == 0)
			return files[i].file;
	}
	return NONE;
}

bool own_is_node_file(const char *path)
{
	node_id_t node;

	return parse(path, &node) != NONE;
}

static uint64_t nodes_with_cpus(void)
{
	uint64_t nodes = 0;
	cpu_id_t cpu;

	FOR_EACH_ONLINE_CPU(cpu)
		nodes |= 1ull << (boot_block->cpus[cpu].node % PISCES_MAX_NODES);
	return nodes;
}

/* Linux's numbers of the enclave's CPUs on NODE. */
static void cpus_of(node_id_t node, uint64_t set[PISCES_CPU_WORDS])
{
	cpu_id_t cpu;

	FOR_EACH_ONLINE_CPU(cpu) {
		uint32_t number = boot_block->cpus[cpu].linux_cpu;

		if (boot_block->cpus[cpu].node == node && number < PISCES_MAX_CPUS)
			set[number / 64] |= 1ull << (number % 64);
	}
}

/* As many kB as MemTotal and so on say, in the form of Linux's. */
static void add_memory(struct text *text, node_id_t node)
{
	uint64_t total = page_node_total_bytes(node) / 1024, free = page_node_free_bytes(node) / 1024;

	text_add(text, "Node %u MemTotal:       %8lu kB\n", node, total);
	text_add(text, "Node %u MemFree:        %8lu kB\n", node, free);
	text_add(text, "Node %u MemUsed:        %8lu kB\n", node, total - free);
}

void own_write_node_file(const char *path, struct text *text)
{
	uint64_t cpus[PISCES_CPU_WORDS] = { 0 }, nodes;
	node_id_t node = 0;

	switch (parse(path, &node)) {
	case ONLINE:
		nodes = policy_all_nodes() | nodes_with_cpus();
		text_add_list(text, &nodes, 1);
		break;
	case WITH_CPUS:
		nodes = nodes_with_cpus();
		text_add_list(text, &nodes, 1);
		break;
	case WITH_MEMORY:
		nodes = policy_all_nodes();
		text_add_list(text, &nodes, 1);
		break;
	case CPU_LIST:
		cpus_of(node, cpus);
		text_add_list(text, cpus, PISCES_CPU_WORDS);
		break;
	case CPU_MAP:
		cpus_of(node, cpus);
		text_add_mask(text, cpus, PISCES_CPU_WORDS);
		break;
	case MEMORY:
		add_memory(text, node);
		break;
	case NONE:
		break;
	}
}
