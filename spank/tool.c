/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces(1), where what it does is too much for a daemon of Slurm's. */
#include "enclave.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MOST 8

/* Gives SAY all lines that come from FD, which is closed. */
static void listen_to(int fd, void (*say)(const char *line))
{
	FILE *file = fdopen(fd, "r");
	char line[512];

	if (!file) {
		close(fd);
		return;
	}
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		say(line);
	}
	fclose(file);
}

int tool_run(const char *const words[], void (*say)(const char *line))
{
	char *argv[WORDS_MOST + 2] = { (char *)PISCES_TOOL_PATH };
	char *environment[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	posix_spawn_file_actions_t actions;
	int fds[2], status, error;
	unsigned int i;
	pid_t pid;

	for (i = 0; i < WORDS_MOST && words[i]; i++)
		argv[i + 1] = (char *)words[i];
	if (say && pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	if (say) {
		posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
		posix_spawn_file_actions_adddup2(&actions, fds[1], STDERR_FILENO);
	}
	error = posix_spawn(&pid, argv[0], &actions, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	if (say) {
		close(fds[1]);
		listen_to(fds[0], say);
	}
	if (error) {
		errno = error;
		return -1;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}
