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

/* Some versions declare functions in it that our warnings refuse. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <slurm/slurm.h>
#pragma GCC diagnostic pop

/* In all of Slurm's programs: slurm.conf. Not part of the SPANK interface: may be missing. */
extern slurm_conf_t slurm_conf __attribute__((weak));

/* This slurmd's name of its node: behind -N, or the host's up to the first dot. */
static void own_node(const char *host, char name[HOST_NAME_MAX + 1])
{
	char text[4096], *word, *end;
	FILE *file = fopen("/proc/self/cmdline", "re");
	size_t length = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	if (file)
		fclose(file);
	text[length] = '\0';
	snprintf(name, HOST_NAME_MAX + 1, "%s", host);
	end = text + length;
	for (word = text; word < end; word += strlen(word) + 1) {
		const char *given = word + 2;

		if (strncmp(word, "-N", 2) != 0)
			continue;
		if (!*given)
			given += given + 1 < end;
		if (*given)
			snprintf(name, HOST_NAME_MAX + 1, "%s", given);
	}
}

/* Puts WORD at *AT of TEXT, whose size is PATH_MAX. */
static void append(char *text, size_t *at, const char *word)
{
	while (*word && *at < PATH_MAX - 1)
		text[(*at)++] = *word++;
	text[*at] = '\0';
}

/* The path of file NAME in slurmd's spool directory, by slurm.conf(5). False if it is unknown. */
static bool spool_file(const char *name, char path[PATH_MAX])
{
	char host[HOST_NAME_MAX + 1], node[HOST_NAME_MAX + 1];
	const char *from = &slurm_conf ? slurm_conf.slurmd_spooldir : NULL;
	size_t at = 0;

	if (!from || gethostname(host, sizeof(host)) < 0)
		return false;
	host[strcspn(host, ".")] = '\0';
	own_node(host, node);
	while (*from) {
		char letter[2] = {*from, '\0'};
		const char *word = letter;

		if (from[0] == '%' && (from[1] == 'n' || from[1] == 'h'))
			word = *++from == 'n' ? node : host;
		append(path, &at, word);
		from++;
	}
	append(path, &at, "/");
	append(path, &at, name);
	return true;
}

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

	if (!spool_file("hwloc_topo_whole.xml", path) || access(path, F_OK) < 0) {
		slurm_info("enclave: hwloc_topo_whole.xml is not in slurmd's spool directory: do not "
			   "restart slurmd while enclaves have CPUs");
		return;
	}
	error = run_tool(path);
	if (error)
		slurm_error("enclave: %s: %s", PISCES_TOOL_PATH, strerror(error));
}
