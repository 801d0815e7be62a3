/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "slurmd-find.h"

#include "libpisces.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* slurmd starts within this; and it is looked for that often. */
#define START_LIMIT_S 60
#define LOOK_AGAIN_NS 100000000

/* A slurmd that becomes a daemon leaves its first process within this. */
#define STAYS_MS 1000

/* The whole of file NAME of process PID, cut at SIZE - 1 and ended with 0. -1: there is none. */
static ssize_t read_of(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	length = read(fd, text, size - 1);
	close(fd);
	text[length < 0 ? 0 : length] = '\0';
	return length;
}

bool slurmd_program(pid_t pid, struct slurmd_program *program)
{
	char path[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	length = readlink(path, program->executable, sizeof(program->executable) - 1);
	if (length < 0)
		return false;
	program->executable[length] = '\0';
	length = read_of(pid, "cmdline", program->command, sizeof(program->command));
	program->command_length = length > 0 ? (size_t)length : 0;
	return length > 0;
}

static bool runs(pid_t pid, const struct slurmd_program *program)
{
	struct slurmd_program other;

	return pid > 1 && slurmd_program(pid, &other) &&
	       strcmp(other.executable, program->executable) == 0 &&
	       other.command_length == program->command_length &&
	       memcmp(other.command, program->command, program->command_length) == 0;
}

/* The number behind KEY ("\nPPid:") in the status of process PID, read to BASE; 0 without. */
static uint64_t status_of(pid_t pid, const char *key, int base)
{
	char text[4096];
	const char *at;

	if (read_of(pid, "status", text, sizeof(text)) <= 0)
		return 0;
	at = strstr(text, key);
	return at ? strtoull(at + strlen(key), NULL, base) : 0;
}

/* The process that runs PROGRAM and is no child of another that does; 0: there is none. */
static pid_t find(const struct slurmd_program *program)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	if (!proc)
		return 0;
	while (!found && (entry = readdir(proc))) {
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;

		if (runs(pid, program) && !runs((pid_t)status_of(pid, "\nPPid:", 10), program))
			found = pid;
	}
	closedir(proc);
	return found;
}

/* Does PID catch SIGHUP? */
static bool catches(pid_t pid)
{
	return status_of(pid, "\nSigCgt:", 16) >> (SIGHUP - 1) & 1;
}

/*
 * Is PID's first thread where a signal is seen at once? Up to 22.05 that is accept(2): before,
 * slurmd only looks at what signals have said when the next message has come.
 */
static bool accepts(pid_t pid)
{
	char where[128];

	return read_of(pid, "wchan", where, sizeof(where)) > 0 && strstr(where, "accept");
}

/* Sends SIGHUP to PID. True if it is there still after a while. */
static bool reload(pid_t pid, const struct slurmd_program *program)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ended = {.fd = pidfd, .events = POLLIN};
	bool stays;

	/* Looked at again: now it cannot become another process. */
	stays = pidfd >= 0 && runs(pid, program) &&
		syscall(SYS_pidfd_send_signal, pidfd, SIGHUP, NULL, 0) == 0 &&
		poll(&ended, 1, STAYS_MS) == 0;
	if (pidfd >= 0)
		close(pidfd);
	return stays;
}

bool slurmd_reload(const struct slurmd_program *program)
{
	const struct timespec pause = {.tv_nsec = LOOK_AGAIN_NS};
	const uint64_t most = START_LIMIT_S * 1000 * PISCES_MS;
	const uint64_t limit = pisces_now_ns() + most;
	uint64_t caught = 0;

	for (; pisces_now_ns() < limit; nanosleep(&pause, NULL)) {
		pid_t pid = find(program);

		if (pid == 0 || !catches(pid)) {
			caught = 0;
			continue;
		}
		if (!caught)
			caught = pisces_now_ns();
		/* Later versions have a thread for signals, and wait elsewhere. */
		if (!accepts(pid) && pisces_now_ns() < caught + most / 6)
			continue;
		if (reload(pid, program))
			return true;
	}
	return false;
}
