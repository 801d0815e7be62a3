/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which process is slurmd, and when it can be told something. */
#ifndef PISCES_SLURMD_FIND_H
#define PISCES_SLURMD_FIND_H

#include <stdbool.h>
#include <sys/types.h>

/* What a slurmd runs as: another one on this node has another command line. */
struct slurmd_program {
	char executable[512];
	char command[2048]; /* as in /proc: words end with 0 */
	size_t command_length;
};

/* That of process PID. False if there is no such process, or it has none. */
bool slurmd_program(pid_t pid, struct slurmd_program *program);

/*
 * Sends SIGHUP to the process that runs PROGRAM, when it catches that and waits for messages.
 * A slurmd that is just becoming a daemon ends and goes on as its child: then to that.
 * False when there was none for 60 s.
 */
bool slurmd_reload(const struct slurmd_program *program);

#endif
