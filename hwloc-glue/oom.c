/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program's memory in an enclave counts as its proxy's (the module's charge_memory).
 * When Linux is short of memory, its OOM killer would take such a proxy first, though the
 * enclave's memory is none that Linux is short of. oom_score_adj makes up for that: its
 * unit is a thousandth of all memory.
 */
#include "libpisces.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <unistd.h>

/* As low as it goes while the process can still be killed: by itself it may use much, too. */
#define LOWEST (-999L)

static long read_adjustment(const char *path)
{
	char text[16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) <= 0)
		text[0] = '\0';
	close(fd);
	return strtol(text, NULL, 10);
}

void pisces_oom_balance(pid_t pid, const struct pisces_plan *plan)
{
	struct sysinfo info;
	uint64_t bytes = 0, all;
	char path[64];
	long score;
	int fd;

	for (unsigned int i = 0; i < plan->memory_count; i++)
		bytes += plan->memory[i].size;
	if (sysinfo(&info) < 0)
		return;
	all = ((uint64_t)info.totalram + info.totalswap) * info.mem_unit;
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	score = read_adjustment(path) - (long)(bytes / (all / 1000 + 1)) - 1;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	dprintf(fd, "%ld", score < LOWEST ? LOWEST : score);
	close(fd);
}
