/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of the node itself: CPUs, memory, kernel, what it runs in. */
#include "internal.h"
#include "plan.h"

#include <cpuid.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void check_cpus(struct pisces_report *report)
{
	struct pisces_cpuset online, plug = {0};
	char text[4096], list[128];
	unsigned int count;

	if (pisces_read_text("/sys/devices/system/cpu/online", text, sizeof(text)) < 0 ||
	    pisces_cpuset_parse(text, &online) < 0) {
		pisces_report(report, PISCES_CHECK_BAD, "CPUs", "mount -t sysfs sysfs /sys",
			      "/sys/devices/system/cpu/online cannot be read");
		return;
	}
	for (unsigned int cpu = 1; cpu < PISCES_MAX_CPUS; cpu++) {
		snprintf(text, sizeof(text), "/sys/devices/system/cpu/cpu%u/online", cpu);
		if (pisces_cpuset_has(&online, cpu) && access(text, F_OK) == 0)
			pisces_cpuset_add(&plug, cpu);
	}
	count = pisces_cpuset_count(&plug);
	if (count > 0)
		pisces_report(report, PISCES_CHECK_OK, "CPUs", "", "Linux can give away %s",
			      pisces_cpuset_format(&plug, list, sizeof(list)));
	else if (pisces_cpuset_count(&online) < 2)
		pisces_report(report, PISCES_CHECK_BAD, "CPUs",
			      "end enclaves that have the others (pisces list), or use a node with "
			      "two or more",
			      "one CPU is online, and Linux keeps it");
	else
		pisces_report(
			report, PISCES_CHECK_BAD, "CPUs",
			"boot a kernel with CONFIG_HOTPLUG_CPU=y (all kernels of distributions)",
			"Linux cannot take its CPUs offline");
}

/* Does the running kernel have FUNCTION? */
static bool kernel_has(const char *function)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char *line = NULL;
	bool found = false;
	size_t size = 0, length = strlen(function);

	if (!file)
		return false;
	while (!found && getline(&line, &size, file) > 0) {
		const char *name = strrchr(line, ' ');

		found = name && strncmp(name + 1, function, length) == 0 &&
			(name[1 + length] == '\n' || name[1 + length] == '_');
	}
	free(line);
	fclose(file);
	return found;
}

static void check_contig(struct pisces_report *report)
{
	/* A loaded module is the proof: it would not have been linked. */
	if (access("/sys/module/pisces", F_OK) == 0 || kernel_has("alloc_contig_range"))
		pisces_report(report, PISCES_CHECK_OK, "taking memory", "",
			      "this kernel can free contiguous memory (CONFIG_CONTIG_ALLOC)");
	else
		pisces_report(report, PISCES_CHECK_BAD, "taking memory",
			      "boot a kernel with CONFIG_CONTIG_ALLOC=y (Debian's has it)",
			      "this kernel has no alloc_contig_range()");
}

static void check_memory(struct pisces_report *report)
{
	uint64_t free[PISCES_MAX_NODES], most = 0;
	char text[192], size[32];
	size_t used = 0;

	pisces_free_memory(free);
	text[0] = '\0';
	for (unsigned int node = 0; node < PISCES_MAX_NODES; node++) {
		if (free[node] == 0)
			continue;
		if (free[node] > most)
			most = free[node];
		if (used < sizeof(text))
			used += (size_t)snprintf(
				text + used, sizeof(text) - used, "%sNUMA node %u: %s",
				used ? ", " : "", node,
				pisces_size_format(free[node], size, sizeof(size)));
	}
	if (most >= PISCES_PLAN_MIN_MEMORY)
		pisces_report(report, PISCES_CHECK_OK, "free memory", "", "%s", text);
	else
		pisces_report(report, PISCES_CHECK_BAD, "free memory",
			      "end programs, then echo 1 > /proc/sys/vm/compact_memory",
			      "an enclave needs %s at least; %s",
			      pisces_size_format(PISCES_PLAN_MIN_MEMORY, size, sizeof(size)), text);
}

static void check_cpusets(struct pisces_report *report)
{
	char path[256];

	if (!pisces_cpuset_v1_root(path, sizeof(path))) {
		pisces_report(report, PISCES_CHECK_OK, "cpusets", "",
			      "no cgroup v1 that would forget the CPUs of an enclave");
		return;
	}
	pisces_report(report, PISCES_CHECK_ADVICE, "cpusets",
		      "CgroupPlugin=cgroup/v2 in cgroup.conf, and boot with "
		      "systemd.unified_cgroup_hierarchy=1",
		      "cpusets of cgroup v1 at %.100s lose a CPU that goes offline; pisces reclaim "
		      "puts it back, but not tasks that lost their last one",
		      path);
}

/* Blocks that the module starts a program for must not wait for one that is not there. */
static void check_reclaim(struct pisces_report *report)
{
	char path[256];

	if (pisces_read_text("/sys/module/pisces/parameters/reclaim", path, sizeof(path)) < 0)
		return; /* the module is not loaded, which another check says */
	if (access(path, X_OK) == 0)
		pisces_report(report, PISCES_CHECK_OK, "giving back", "",
			      "the module starts %.100s for memory blocks and cpusets", path);
	else
		pisces_report(report, PISCES_CHECK_ADVICE, "giving back",
			      "echo /usr/bin/pisces > /sys/module/pisces/parameters/reclaim",
			      "there is no program '%.100s' to bring memory blocks online again",
			      path);
}

static bool process_runs(const char *name)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool found = false;

	if (!proc)
		return false;
	while (!found && (entry = readdir(proc))) {
		char path[300], comm[64];

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		found = pisces_read_text(path, comm, sizeof(comm)) == 0 && strcmp(comm, name) == 0;
	}
	closedir(proc);
	return found;
}

static void check_interrupts(struct pisces_report *report)
{
	if (process_runs("irqbalance"))
		pisces_report(report, PISCES_CHECK_OK, "interrupts", "",
			      "irqbalance spreads them again when CPUs come back");
	else
		pisces_report(
			report, PISCES_CHECK_ADVICE, "interrupts",
			"apt-get install irqbalance, or pin them to CPUs that stay with Linux",
			"those of a CPU that leaves stay elsewhere when it comes back");
}

static void check_hypervisor(struct pisces_report *report)
{
	unsigned int eax, ebx, ecx, edx;
	char name[13] = "", type[16];

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & (1u << 31))) {
		pisces_report(report, PISCES_CHECK_OK, "machine", "", "the hardware itself");
		return;
	}
	__cpuid(0x40000000u, eax, ebx, ecx, edx);
	memcpy(name, &ebx, 4);
	memcpy(name + 4, &ecx, 4);
	memcpy(name + 8, &edx, 4);
	for (char *at = name; *at; at++) {
		if (!isprint((unsigned char)*at))
			*at = '?';
	}
	if (pisces_read_text("/sys/hypervisor/guest_type", type, sizeof(type)) == 0 &&
	    strcmp(type, "PV") == 0)
		pisces_report(report, PISCES_CHECK_BAD, "machine", "boot the guest as HVM or PVH",
			      "a paravirtual Xen guest cannot start CPUs itself");
	else
		pisces_report(report, PISCES_CHECK_OK, "machine", "",
			      "a virtual machine (%s): enclaves work; their times are the host's",
			      name);
}

void pisces_check_node(struct pisces_report *report)
{
	check_cpus(report);
	check_contig(report);
	check_memory(report);
	check_cpusets(report);
	check_reclaim(report);
	check_interrupts(report);
	check_hypervisor(report);
}
