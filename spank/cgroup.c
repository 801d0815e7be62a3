/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup.h"

#include <stdio.h>
#include <string.h>

#define MOUNT "/sys/fs/cgroup"

const struct cgroup_file cgroup_cpus = { "cpuset.cpus", "cpuset", "cpuset.cpus" };
const struct cgroup_file cgroup_memory = { "memory.max", "memory", "memory.limit_in_bytes" };

static bool read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	bool good = file && fgets(line, (int)size, file);

	if (file)
		fclose(file);
	if (good)
		line[strcspn(line, "\n")] = '\0';
	return good && line[0] != '\0';
}

/* Is NAME in LIST, which is separated by commas? */
static bool is_listed(const char *list, const char *name)
{
	size_t length = strlen(name);
	const char *at;

	for (at = list; *at; at += strcspn(at, ",")) {
		at += *at == ',';
		if (strncmp(at, name, length) == 0 && strchr(",", at[length]))
			return true;
	}
	return false;
}

/* Cuts PATH behind its component "step_..."; false if there is none. */
static bool cut_at_step(char *path)
{
	char *step = NULL, *next = path;

	while ((next = strstr(next, "/step_")) != NULL)
		step = next++;
	if (!step)
		return false;
	step[1 + strcspn(step + 1, "/")] = '\0';
	return true;
}

/*
 * The path of the step of process PID in the hierarchy of CONTROLLER, or, if that
 * is "", of version 2.
 */
static bool find_step(pid_t pid, const char *controller, char *path, size_t size)
{
	char name[64], line[4096];
	bool found = false;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	file = fopen(name, "re");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		/* number:controllers:path */
		char *controllers = strchr(line, ':');
		char *at = controllers ? strchr(++controllers, ':') : NULL;

		if (!at)
			continue;
		*at++ = '\0';
		at[strcspn(at, "\n")] = '\0';
		if (controller[0] == '\0' ? controllers[0] != '\0' :
					    !is_listed(controllers, controller))
			continue;
		found = cut_at_step(at) && snprintf(path, size, "%s", at) < (int)size;
	}
	fclose(file);
	return found;
}

bool cgroup_of_step(pid_t pid, const struct cgroup_file *file, char *line, size_t size)
{
	char step[2048], path[2200];

	if (find_step(pid, "", step, sizeof(step))) {
		/* slurmstepd has a cgroup beside that of the tasks, which has the limits. */
		snprintf(path, sizeof(path), MOUNT "%s/user/%s", step, file->name);
		if (read_line(path, line, size))
			return true;
		snprintf(path, sizeof(path), MOUNT "%s/%s", step, file->name);
		if (read_line(path, line, size))
			return true;
	}
	if (find_step(pid, file->v1_controller, step, sizeof(step))) {
		snprintf(path, sizeof(path), MOUNT "/%s%s/%s", file->v1_controller, step,
			 file->v1_name);
		if (read_line(path, line, size))
			return true;
	}
	return false;
}
