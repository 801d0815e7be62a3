/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What pipes need of the rest of the co-kernel, for t/unit-pipe.c: threads are those of the
 * host, each a struct thread, and calls to the proxy are made at once, here.
 */
#ifndef UNIT_PIPE_REST_H
#define UNIT_PIPE_REST_H

#include <stdbool.h>
#include <stdint.h>

struct pipe;

/* The calling thread's: a signal has come. */
void interrupt_self(bool now);

/*
 * Until PIPE has the 65,536 bytes that there is room for, whether its writer waits yet or not. After
 * 30 s the test is over.
 */
void await_full(struct pipe *pipe);

extern int broken_pipes; /* SIGPIPE, of all threads */
extern int pages;	 /* that are taken */
extern int pages_most;	 /* there are no more */

#endif
