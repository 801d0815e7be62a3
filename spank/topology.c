/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slurmd looks at the node's CPUs when it starts and keeps what it saw in a file. tools/slurmd.c
 * says why that must be all of them, and does it; here it is found and run.
 */
#include "enclave.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs `pisces slurmd`; what it says is in slurmd's log. Returns 0 or an error number. */
static int run_tool(char *path)
{
	char daemon[32], line[512];
	char *argv[] = {(char *)PISCES_TOOL_PATH, (char *)"slurmd", daemon, path, NULL};
	char *environment[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	posix_spawn_file_actions_t actions;
	int fds[2], status, error;
	FILE *says;
	pid_t pid;

	snprintf(daemon, sizeof(daemon), "--daemon=%d", (int)getpid());
	if (pipe2(fds, O_CLOEXEC) < 0)
		return errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDERR_FILENO);
	error = posix_spawn(&pid, argv[0], &actions, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	says = error ? NULL : fdopen(fds[0], "r");
	while (says && fgets(line, sizeof(line), says)) {
		line[strcspn(line, "\n")] = '\0';
		slurm_info("%s", line);
	}
	if (says)
		fclose(says);
	else
		close(fds[0]);
	while (!error && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return error;
}

void topology_put_right(void)
{
	char path[PATH_MAX];
	int error;

	if (!conf_spool_file("hwloc_topo_whole.xml", path) || access(path, F_OK) < 0) {
		slurm_info("enclave: hwloc_topo_whole.xml is not in slurmd's spool directory: do not "
			   "restart slurmd while enclaves have CPUs");
		return;
	}
	error = run_tool(path);
	if (error)
		slurm_error("enclave: %s: %s", PISCES_TOOL_PATH, strerror(error));
}
