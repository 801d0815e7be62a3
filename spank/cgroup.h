/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel was told of a step, in the files of its cgroup: version 2, or
 * a hierarchy of version 1.
 */
#ifndef SPANK_CGROUP_H
#define SPANK_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct cgroup_file {
	const char *name;	   /* in version 2 */
	const char *v1_controller; /* hierarchy of version 1, also its mount point */
	const char *v1_name;
};

/* As configured: it also names CPUs that are away at the moment. */
extern const struct cgroup_file cgroup_cpus;
extern const struct cgroup_file cgroup_memory;

/*
 * Reads the first line, without newline, of FILE of the step that process PID is a
 * task of. False if there is none, or an empty one.
 */
bool cgroup_of_step(pid_t pid, const struct cgroup_file *file, char *line, size_t size);

#endif
