/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interval timers of setitimer(2): one by the clock, two by the CPU time of the process.
 * Nothing ticks here, so one of CPU time is looked at when the time that is left of it could
 * have been used up by all CPUs at the earliest, and at most every INTERVAL_LEAST.
 */
#ifndef CK_TASK_INTERVAL_H
#define CK_TASK_INTERVAL_H

#include "task/timer.h"

struct process;

#define INTERVAL_LEAST 1000000u /* ns */

/* Numbers of the ABI. A program's own time is not told from what the co-kernel does for it. */
enum interval_clock {
	INTERVAL_REAL,
	INTERVAL_VIRTUAL,
	INTERVAL_PROF,
	INTERVALS,
};

struct interval {
	struct timer timer;
	struct process *process;
	enum interval_clock clock;
	bool on; /* the callback may arm it again */
	nsec_t target; /* of its clock */
	nsec_t period; /* 0: once */
	nsec_t said; /* the period that setitimer said last */
};

void intervals_init(struct process *process);

/* The last thread has gone. */
void intervals_stop(struct process *process);

/* Of the running process: ns that are left and the period; 0: it is not set. */
void interval_get(enum interval_clock clock, nsec_t *left, nsec_t *period);

/* Sets it to VALUE ns from now (0: off); what was before in *LEFT and *OLD, the period. */
void interval_set(enum interval_clock clock, nsec_t value, nsec_t period, nsec_t *left,
		  nsec_t *old);

#endif
