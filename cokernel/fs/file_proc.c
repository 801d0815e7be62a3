/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of /proc about the machine. */
#include "arch/cpu.h"
#include "arch/time.h"
#include "arch/topology.h"
#include "boot/boot.h"
#include "fs/files.h"
#include "fs/linux.h"
#include "fs/own.h"
#include "fs/page_cache.h"
#include "fs/staged.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/page.h"
#include "task/process.h"
#include "task/thread.h"

#define TICK (NSEC_PER_SEC / 100)
#define TEMPLATE_MOST 0x4000u

WRITER(meminfo)
{
	uint64_t total = page_total() / 1024, free = page_free_bytes() / 1024;
	uint64_t cached = page_cache_bytes() / 1024;

	(void)number;
	text_add(text, "MemTotal:       %8lu kB\n", total);
	text_add(text, "MemFree:        %8lu kB\n", free);
	text_add(text, "MemAvailable:   %8lu kB\n", free + cached);
	text_add(text, "Buffers:        %8u kB\n", 0);
	text_add(text, "Cached:         %8lu kB\n", cached);
	text_add(text, "SwapTotal:      %8u kB\n", 0);
	text_add(text, "SwapFree:       %8u kB\n", 0);
}

/* No CPU is ever taken away for something else, so all times are the program's. */
WRITER(stat)
{
	uint64_t used = process_cpu_time(process_current()) / TICK;
	uint64_t boot = (time_realtime() - time_now()) / NSEC_PER_SEC;
	uint32_t cpu;

	(void)number;
	text_add(text, "cpu  %lu 0 0 0 0 0 0 0 0 0\n", used);
	for (cpu = tree_number_next(TREE_CPU, 0); cpu != UINT32_MAX;
	     cpu = tree_number_next(TREE_CPU, cpu + 1))
		text_add(text, "cpu%u 0 0 0 0 0 0 0 0 0 0\n", cpu);
	text_add(text, "intr 0\nctxt 0\nbtime %lu\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n",
		 boot);
}

/* ---- /proc/cpuinfo: Linux's first CPU is the template, since all are alike ---- */

/* CPUs and cores of the package that CPU is in. */
static void count_package(cpu_id_t of, uint32_t *cpus, uint32_t *cores)
{
	cpu_id_t cpu, other;
	bool first;

	*cpus = *cores = 0;
	FOR_EACH_ONLINE_CPU(cpu) {
		if (topology_package(cpu) != topology_package(of))
			continue;
		(*cpus)++;
		first = true;
		FOR_EACH_ONLINE_CPU(other) {
			if (other < cpu && topology_package(other) == topology_package(of) &&
			    topology_core(other) == topology_core(cpu))
				first = false;
		}
		*cores += first;
	}
}

static bool begins(const char *line, const char *key)
{
	size_t length = strlen(key);

	return strncmp(line, key, length) == 0 && (line[length] == '\t' || line[length] == ':');
}

static void add_line(struct text *text, const char *line, size_t length, cpu_id_t cpu)
{
	uint32_t cpus, cores;

	count_package(cpu, &cpus, &cores);
	if (begins(line, "processor"))
		text_add(text, "processor\t: %u\n", boot_block->cpus[cpu].linux_cpu);
	else if (begins(line, "physical id"))
		text_add(text, "physical id\t: %u\n", topology_package(cpu));
	else if (begins(line, "siblings"))
		text_add(text, "siblings\t: %u\n", cpus);
	else if (begins(line, "core id"))
		text_add(text, "core id\t\t: %u\n", topology_core(cpu));
	else if (begins(line, "cpu cores"))
		text_add(text, "cpu cores\t: %u\n", cores);
	else if (begins(line, "apicid") || begins(line, "initial apicid"))
		text_add(text, "%s: %u\n", line[0] == 'a' ? "apicid\t\t" : "initial apicid\t",
			 boot_block->cpus[cpu].apic_id);
	else
		text_add_bytes(text, line, length);
}

static void add_cpu(struct text *text, const char *template, size_t size, cpu_id_t cpu)
{
	const char *line = template, *end = template + size, *next;

	while (line < end && *line != '\n') {
		for (next = line; next < end && *next != '\n'; next++)
			;
		if (next == end)
			break;
		add_line(text, line, (size_t)(next + 1 - line), cpu);
		line = next + 1;
	}
	text_add(text, "\n");
}

char *own_cpuinfo_template(void)
{
	char *template = heap_alloc(TEMPLATE_MOST);
	int64_t size;

	if (!template)
		return NULL;
	size = linux_read_file("/proc/cpuinfo", template, TEMPLATE_MOST - 1);
	template[size < 0 ? 0 : size] = '\0';
	return template;
}

WRITER(cpuinfo)
{
	const struct staged *staged = staged_current();
	bool kept = staged && staged->started;
	char *template = kept ? staged->cpuinfo : own_cpuinfo_template();
	uint32_t cpu;

	(void)number;
	for (cpu = tree_number_next(TREE_CPU, 0); template && *template && cpu != UINT32_MAX;
	     cpu = tree_number_next(TREE_CPU, cpu + 1))
		add_cpu(text, template, strlen(template), cpu_of_number(cpu));
	if (!kept)
		heap_free(template);
}
