/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tasks use, for Linux to read at any time (struct pisces_task_usage): it has no
 * other way to know, as a CPU that runs a program is not interrupted to ask.
 */
#ifndef CK_TASK_USAGE_H
#define CK_TASK_USAGE_H

#include <pisces/status.h>

#include "lib/types.h"

struct process;

void usage_init(void); /* from the boot block */

/* The running CPU goes from PREVIOUS, which had it for RAN, to NEXT; NULL: to or from no process. */
void usage_switch(const struct process *previous, nsec_t ran, const struct process *next);

/* Where the memory of PROCESS is told. */
struct pisces_task_usage *usage_of(const struct process *process);

/* PROCESS has given its memory back. */
void usage_end(const struct process *process);

#endif
