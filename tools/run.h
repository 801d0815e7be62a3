/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces run: what its files share. */
#ifndef PISCES_RUN_H
#define PISCES_RUN_H

#include "tool.h"

#include <signal.h>
#include <stdio.h>
#include <sys/types.h>

struct run_options {
	struct pisces_request request;
	struct pisces_allocation allocation;
	unsigned int tasks;
	bool label;
	bool verbose;
	const char *dump; /* file for a core, if the co-kernel dies; or NULL */
	const char *user; /* whose program runs; NULL: the caller's */
	uid_t uid;
	gid_t gid;
	char **program; /* its arguments, NULL-terminated */
};

/* A stream of a task that comes through a pipe, to be labelled. */
struct run_stream {
	int fd; /* -1: not labelled, or at its end */
	FILE *to;
	size_t have;
	char line[4096];
};

struct run_task {
	unsigned int id;
	pid_t pid;
	int status; /* of waitpid(2), once it has ended */
	bool ended;
	struct run_stream out;
	struct run_stream err;
};

/*
 * Reads the command line. Returns -1 if there is something to run, else the exit
 * code: TOOL_OK after help, TOOL_USAGE.
 */
int run_parse(int argc, char **argv, struct run_options *options);

/* The signals that are passed on to the tasks, and SIGCHLD. */
void run_signals(sigset_t *set);

/*
 * Starts the proxy of TASK, which gets TASK_FD and the signal mask MASK. Returns 0;
 * -1 with *ERROR.
 */
int run_start(const struct run_options *options, const struct pisces_plan *plan,
	      struct run_task *task, int task_fd, const sigset_t *mask, struct pisces_error *error);

/*
 * Passes signals on and labels output until all of TASKS have ended. The signals of
 * run_signals() are blocked. Returns the exit code: the highest of the tasks', where
 * death by signal N counts as 128 + N. If the co-kernel of ENCLAVE_FD dies under them,
 * they are given a moment to end by themselves, and the exit code is RUN_DEAD.
 */
int run_wait(int enclave_fd, struct run_task *tasks, unsigned int count);

#define RUN_DEAD 125 /* as the proxy's */

/* Kills the tasks that have been started and not ended yet. */
void run_kill(struct run_task *tasks, unsigned int count);

#endif
