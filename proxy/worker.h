/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads that execute what may block: a call that waits never delays
 * another. As many as calls can be on their way, made when they are needed.
 */
#ifndef PROXY_WORKER_H
#define PROXY_WORKER_H

#include "call.h"

/*
 * Prepares the pool. All signals that are blocked in the caller stay so in the
 * workers. Main thread, as are all functions here.
 */
void worker_open(struct channel *channel);

/*
 * A place for a call with tag TAG. Does not return if the co-kernel has more
 * calls on their way than it may, or two with one tag.
 */
struct call *worker_take_call(uint64_t tag);

/* Is CALL, which has not been submitted, the only one on its way? */
bool worker_is_alone(const struct call *call);

/* Gives the place back: the call was answered without a worker. */
void worker_give_call(struct call *call);

/* Has CALL, from worker_take_call(), executed and answered by a worker. */
void worker_submit(struct call *call);

/* Ends the call with TAG by EINTR if it is on its way and blocks. */
void worker_cancel(uint64_t tag);

/*
 * Cancels again what could not be cancelled yet. True while there is any: call it again in
 * a few ms. Main thread only.
 */
bool worker_cancel_again(void);

/*
 * Ends all calls that block and waits until none is in progress, so that the
 * output of a program that ends is where it belongs. A call that the kernel does
 * not let go of is not waited for longer than two seconds.
 */
void worker_close(void);

/* The signal that the workers use among themselves; the program cannot have it. */
int worker_signal(void);

#endif
