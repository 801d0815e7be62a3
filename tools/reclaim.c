/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pisces reclaim: gives back what has no owner. An enclave is a descriptor, so a job can
 * leave a process behind that holds it, and ending that is enough. What comes back of an
 * enclave and needs user space, memory blocks and cpusets, is libpisces' to give.
 */
#include "tool.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"usage: pisces reclaim [--job=ID | --returned]\n"
	"\n"
	"With --job: kills the processes that hold enclaves of Slurm's job ID, and waits until\n"
	"these are gone; for the epilog. Without: shows enclaves whose owner has died while\n"
	"another process holds them, and who that is; kills nobody.\n"
	"In both cases, and with --returned nothing but this: memory blocks that an enclave\n"
	"has given back go online, and cpusets of cgroup v1 get their CPUs. The module does it\n"
	"itself whenever an enclave ends. Safe at any time. Needs root.\n"
	"The exit code is 0 if nothing is left to reclaim, else 1.\n";

/* An enclave's end is quick; but its CPUs start again, which a loaded node delays. */
#define GONE_LIMIT_S  60
#define LOOK_AGAIN_NS 200000000

/* Is descriptor FD of process PID the enclave ENCLAVE? The module says so in its fdinfo. */
static bool is_enclave(pid_t pid, const char *fd, uint32_t enclave)
{
	static const char key[] = "\npisces-enclave:";
	char path[64], text[512];
	uint32_t number;
	const char *at;
	FILE *file;
	size_t length;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.16s", pid, fd);
	file = fopen(path, "re");
	if (!file)
		return false;
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = '\0';
	at = strstr(text, key);
	return at && sscanf(at + strlen(key), "%" SCNu32, &number) == 1 && number == enclave;
}

/* Does process PID hold enclave ENCLAVE? */
static bool holds(pid_t pid, uint32_t enclave)
{
	char path[64];
	struct dirent *entry;
	bool found = false;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	fds = opendir(path);
	if (!fds)
		return false;
	while (!found && (entry = readdir(fds))) {
		char target[64];
		ssize_t length = readlinkat(dirfd(fds), entry->d_name, target, sizeof(target) - 1);

		if (length <= 0)
			continue;
		target[length] = '\0';
		found = strcmp(target, "anon_inode:[pisces-enclave]") == 0 &&
			is_enclave(pid, entry->d_name, enclave);
	}
	closedir(fds);
	return found;
}

/* Calls VISIT for each process that holds ENCLAVE. Returns how many there are. */
static unsigned int for_each_holder(uint32_t enclave,
				    void (*visit)(pid_t pid, int pidfd, uint32_t enclave))
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	unsigned int count = 0;

	if (!proc)
		return 0;
	while ((entry = readdir(proc))) {
		pid_t pid;
		int pidfd;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		pid = atoi(entry->d_name);
		if (pid <= 1 || pid == getpid())
			continue;
		/* First of all, so that it is this process which is looked at and then killed. */
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		if (pidfd < 0)
			continue;
		if (holds(pid, enclave)) {
			visit(pid, pidfd, enclave);
			count++;
		}
		close(pidfd);
	}
	closedir(proc);
	return count;
}

static void show_holder(pid_t pid, int pidfd, uint32_t enclave)
{
	(void)pidfd;
	printf("enclave %" PRIu32 " is held by process %d\n", enclave, pid);
}

static void kill_holder(pid_t pid, int pidfd, uint32_t enclave)
{
	if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == 0)
		fprintf(stderr, "enclave: killed process %d, which held enclave %" PRIu32 "\n", pid,
			enclave);
	else if (errno != ESRCH)
		fprintf(stderr,
			"enclave: process %d holds enclave %" PRIu32 " and cannot be killed: %s\n",
			pid, enclave, strerror(errno));
}

/* Is this one to be dealt with? JOB 0: those whose owner has died. */
static bool concerns(const struct pisces_info *info, uint32_t job)
{
	if (job)
		return info->job == job;
	return info->state != PISCES_ENCLAVE_ENDING && info->owner_pid > 0 &&
	       kill(info->owner_pid, 0) < 0 && errno == ESRCH;
}

/* Visits the holders of all enclaves of JOB. Returns how many enclaves there are, or -1. */
static int look(uint32_t job, void (*visit)(pid_t pid, int pidfd, uint32_t enclave))
{
	struct pisces_error error;
	struct pisces_info *list;
	int count = pisces_list(&list, &error), left = 0;

	if (count < 0) {
		tool_failed(&error);
		return -1;
	}
	for (int i = 0; i < count; i++) {
		if (!concerns(&list[i], job))
			continue;
		left++;
		for_each_holder(list[i].enclave, visit);
	}
	free(list);
	return left;
}

static int reclaim_job(uint32_t job)
{
	const struct timespec pause = {.tv_nsec = LOOK_AGAIN_NS};
	struct timespec now;
	time_t limit;
	int left;

	clock_gettime(CLOCK_MONOTONIC, &now);
	limit = now.tv_sec + GONE_LIMIT_S;
	for (;;) {
		left = look(job, kill_holder);
		if (left <= 0)
			return left < 0 ? TOOL_FAILED : TOOL_OK;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec >= limit)
			break;
		nanosleep(&pause, NULL);
	}
	fprintf(stderr,
		"enclave: %d enclave%s of job %" PRIu32
		" not gone after %d s: see pisces list and dmesg\n",
		left, left == 1 ? " is" : "s are", job, GONE_LIMIT_S);
	return TOOL_FAILED;
}

static bool parse_job(const char *text, uint32_t *job)
{
	unsigned long value;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value == 0 || value > UINT32_MAX)
		return false;
	*job = (uint32_t)value;
	return true;
}

struct wanted {
	uint32_t job; /* 0: none */
	bool returned;
};

static bool set_option(int option, void *context)
{
	struct wanted *wanted = context;

	if (option == 'r') {
		wanted->returned = true;
		return true;
	}
	if (parse_job(optarg, &wanted->job))
		return true;
	tool_usage("reclaim", "'%s' is not the number of a job", optarg);
	return false;
}

int command_reclaim(int argc, char **argv)
{
	static const struct option options[] = {
		{"job", required_argument, NULL, 'i'},
		{"returned", no_argument, NULL, 'r'},
		TOOL_OPTION_HELP,
		{0},
	};
	struct tool_arguments arguments = {.help = help};
	struct wanted wanted = {0};
	struct pisces_error error;
	int code = tool_arguments(argc, argv, ":h", options, &arguments, set_option, &wanted);

	if (code >= 0)
		return code;
	code = TOOL_OK;
	if (wanted.job && wanted.returned)
		return tool_usage(argv[0], "takes one of --job and --returned");
	if (geteuid() != 0) {
		fprintf(stderr, "enclave: looking into other users' processes needs root\n");
		return TOOL_FAILED;
	}
	/* An epilog runs on nodes without enclaves, too. */
	if (access(PISCES_DEVICE, F_OK) < 0 && errno == ENOENT)
		return TOOL_OK;
	if (wanted.job)
		code = reclaim_job(wanted.job);
	else if (!wanted.returned && look(0, show_holder) != 0)
		code = TOOL_FAILED;
	if (pisces_reclaim(&error) < 0)
		code = tool_failed(&error);
	return code;
}
