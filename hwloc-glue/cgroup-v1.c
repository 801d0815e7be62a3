/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cpusets of cgroup v1. Linux takes a CPU that goes offline out of each of them and never
 * puts it back. So their CPUs are noted, with the module, before an enclave takes them,
 * and put back later: new = what the cpuset has + what was noted and is online.
 */
#include "blocks.h"
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATH_SIZE sizeof(((struct pisces_cpuset_note *)0)->path)

/* How deep cgroups may be nested here; Slurm's are 5. */
#define DEPTH_MAX 32

/* Linux enlarges the root of the cpusets some time after a CPU has come online. */
#define RESTORE_LIMIT_S 5

/* Undoes the octal escapes of mountinfo. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; to++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] && text[3]) {
			*to = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
			text += 4;
		} else {
			*to = *text++;
		}
	}
	*to = '\0';
}

bool pisces_cpuset_v1_root(char *path, size_t size)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t room = 0;
	bool found = false;

	if (!mounts)
		return false;
	/* ID PARENT DEVICE ROOT MOUNT-POINT OPTIONS ... - TYPE SOURCE SUPER-OPTIONS */
	while (!found && getline(&line, &room, mounts) > 0) {
		char *rest = strstr(line, " - "), point[512], type[32], options[512];

		if (!rest || sscanf(rest, " - %31s %*s %511s", type, options) != 2 ||
		    sscanf(line, "%*s %*s %*s %*s %511s", point) != 1)
			continue;
		if (strcmp(type, "cpuset") != 0) {
			bool has = false;
			char *save = NULL;

			if (strcmp(type, "cgroup") != 0)
				continue;
			for (char *word = strtok_r(options, ",", &save); word;
			     word = strtok_r(NULL, ",", &save))
				has |= strcmp(word, "cpuset") == 0;
			if (!has)
				continue;
		}
		unescape(point);
		found = strlen(point) < size;
		if (found)
			strcpy(path, point);
	}
	free(line);
	fclose(mounts);
	return found;
}

/* Reads the CPUs of the cpuset PATH, and which of its files says so. -1: there is none. */
static int read_cpus(const char *path, char *file, size_t size, struct pisces_cpuset *cpus)
{
	static const char *const names[] = {"cpuset.cpus", "cpus"};
	char list[8192];

	for (unsigned int i = 0; i < 2; i++) {
		int length = snprintf(file, size, "%s/%s", path, names[i]);

		if (length < 0 || (size_t)length >= size ||
		    pisces_read_text(file, list, sizeof(list)) < 0)
			continue;
		*cpus = (struct pisces_cpuset){{0}};
		return list[0] == '\0' ? 0 : pisces_cpuset_parse(list, cpus);
	}
	return -1;
}

struct walk {
	int fd; /* of the enclave */
	struct pisces_cpuset cpus; /* that are about to go */
	struct pisces_error *error;
};

static int note_one(const struct walk *walk, const char *path)
{
	struct pisces_cpuset_note note = {0};
	struct pisces_cpuset has;
	char file[PATH_SIZE + 16];
	bool any = false;

	if (read_cpus(path, file, sizeof(file), &has) < 0)
		return 0;
	for (unsigned int i = 0; i < PISCES_CPU_WORDS; i++) {
		note.cpus[i] = has.word[i] & walk->cpus.word[i];
		any |= note.cpus[i] != 0;
	}
	if (!any)
		return 0;
	snprintf(note.path, sizeof(note.path), "%s", path);
	if (ioctl(walk->fd, PISCES_IOC_CPUSET_NOTE, &note) == 0)
		return 0;
	return pisces_fail(walk->error,
			   "the cpuset %.200s of cgroup v1 would lose its CPUs for good: the module "
			   "cannot note them (%s)",
			   path, strerror(errno));
}

/* Parents before children: that is also the order in which they are put back. */
static int note_below(const struct walk *walk, const char *path, unsigned int depth)
{
	struct dirent *entry;
	int result = 0;
	DIR *dir = opendir(path);

	if (!dir)
		return 0; /* it has gone meanwhile */
	while (result == 0 && (entry = readdir(dir))) {
		char child[PATH_SIZE];
		struct stat status;
		int length;

		if (entry->d_name[0] == '.' ||
		    fstatat(dirfd(dir), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISDIR(status.st_mode))
			continue;
		length = snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
		if (length < 0 || (size_t)length >= sizeof(child) || depth == DEPTH_MAX)
			result = pisces_fail(walk->error,
					     "the cpuset %.150s/%.50s of cgroup v1 has too long a name "
					     "to be noted: its CPUs would be lost",
					     path, entry->d_name);
		else if ((result = note_one(walk, child)) == 0)
			result = note_below(walk, child, depth + 1);
	}
	closedir(dir);
	return result;
}

int pisces_cpusets_note(int enclave_fd, const struct pisces_cpuset *cpus,
			struct pisces_error *error)
{
	struct walk walk = {.fd = enclave_fd, .cpus = *cpus, .error = error};
	char root[PATH_SIZE];

	if (!pisces_cpuset_v1_root(root, sizeof(root)))
		return 0;
	return note_below(&walk, root, 0);
}

/* Adds the CPUs of the note to its cpuset. False if that should be tried again. */
static bool restore_one(const struct pisces_cpuset_note *note)
{
	struct pisces_cpuset has;
	char file[PATH_SIZE + 16], list[8192];

	if (read_cpus(note->path, file, sizeof(file), &has) < 0)
		return access(note->path, F_OK) < 0 && errno == ENOENT;
	for (unsigned int i = 0; i < PISCES_CPU_WORDS; i++)
		has.word[i] |= note->cpus[i];
	pisces_cpuset_format(&has, list, sizeof(list));
	return pisces_write_text(file, list) == 0 || errno == ENOENT;
}

int pisces_cpusets_restore(int device)
{
	const struct timespec pause = {.tv_nsec = 100000000};
	struct timespec now;
	time_t limit;
	int left;

	clock_gettime(CLOCK_MONOTONIC, &now);
	limit = now.tv_sec + RESTORE_LIMIT_S;
	for (;;) {
		struct pisces_cpuset_note note = {0};

		left = 0;
		while (ioctl(device, PISCES_IOC_CPUSET_NEXT, &note) == 0) {
			if (restore_one(&note))
				ioctl(device, PISCES_IOC_CPUSET_DONE, &note);
			else
				left++;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (!left || now.tv_sec >= limit)
			return left;
		nanosleep(&pause, NULL);
	}
}
