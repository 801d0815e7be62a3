/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where am I? On which CPUs, with how much memory, under which kernel. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

static void print_cpus(const cpu_set_t *set)
{
	const char *separator = "";
	int first, last;

	for (first = 0; first < CPU_SETSIZE; first = last + 1) {
		last = first;
		if (!CPU_ISSET(first, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		printf(last > first ? "%s%d-%d" : "%s%d", separator, first, last);
		separator = ",";
	}
}

int main(void)
{
	const char *rank = getenv("SLURM_PROCID");
	const char *ranks = getenv("SLURM_NTASKS");
	struct utsname kernel;
	struct sysinfo memory;
	cpu_set_t cpus;

	if (uname(&kernel) != 0 || sysinfo(&memory) != 0 ||
	    sched_getaffinity(0, sizeof(cpus), &cpus) != 0) {
		perror("hello");
		return 1;
	}
	if (rank && ranks)
		printf("Hello from rank %s of %s on %s.\n", rank, ranks, kernel.nodename);
	else
		printf("Hello from %s.\n", kernel.nodename);
	printf("  CPUs:   %d (", CPU_COUNT(&cpus));
	print_cpus(&cpus);
	printf("), now on %d\n", sched_getcpu());
	printf("  Memory: %lu MiB, %lu MiB free\n",
	       memory.totalram / 1024 * memory.mem_unit / 1024,
	       memory.freeram / 1024 * memory.mem_unit / 1024);
	printf("  Kernel: %s %s, %s\n", kernel.sysname, kernel.release, kernel.version);
	return 0;
}
