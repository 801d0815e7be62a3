/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What signals need of the rest of the co-kernel, for t/unit-signal.c: one process of two
 * threads, of which the test says who runs; calls to the proxy are made at once, here.
 */
#ifndef UNIT_SIGNAL_REST_H
#define UNIT_SIGNAL_REST_H

#include "task/process.h"
#include "task/thread.h"

extern struct process process;
extern struct thread threads[2], *running;

/* Done once, when a thread begins to wait; without it, that is the end of the test. */
extern void (*while_waiting)(void);
void begin_to_wait(void);

extern int calls; /* that went to the proxy */

#endif
