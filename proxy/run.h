/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a task fd to the program's end.
 */
#ifndef PROXY_RUN_H
#define PROXY_RUN_H

#include "task.h"

/* Runs the program ARGV[0] by TASK and ends as it does. */
_Noreturn void run(struct task *task, int argc, char *const argv[], char *const environment[]);

#endif
