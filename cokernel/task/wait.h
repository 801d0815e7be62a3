/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sleeping and waking. The pattern that loses no wake-up:
 *
 *	lock_take(&queue->lock);
 *	while (!condition)
 *		result = wait_on(queue, deadline, true);  // drops and takes the lock
 *	lock_drop(&queue->lock);
 */
#ifndef CK_TASK_WAIT_H
#define CK_TASK_WAIT_H

#include "lib/list.h"
#include "lib/lock.h"
#include "lib/types.h"

struct thread;

struct wait_queue {
	struct lock lock;
	struct list waiters;
};

#define WAIT_QUEUE_INIT(name) { LOCK_INIT, LIST_INIT((name).waiters) }

/* What ends a wait besides its waker and its deadline. */
enum wait_mode {
	WAIT_CERTAIN,	    /* nothing */
	WAIT_ENDING,	    /* the end of the process, but not that of the thread alone */
	WAIT_KILLABLE,	    /* the end of the thread, or the process */
	WAIT_INTERRUPTIBLE, /* that and signals to deliver */
};

void wait_queue_init(struct wait_queue *queue);

/*
 * Blocks the running thread until it is woken: 0; the clock reaches DEADLINE
 * (CLOCK_MONOTONIC, NSEC_FOREVER: never): -ETIMEDOUT; INTERRUPTIBLE and a signal
 * is to be delivered or the process ends: -EINTR. Called and returns with
 * queue->lock held.
 */
int wait_on(struct wait_queue *queue, nsec_t deadline, bool interruptible);
int wait_on_mode(struct wait_queue *queue, nsec_t deadline, enum wait_mode mode);

/*
 * The same in three steps, for a condition that cannot be checked under the lock
 * (a word of a program's memory): wait_begin() queues the running thread, with
 * queue->lock held; wait_sleep() sleeps as wait_on(), without it; wait_finish()
 * takes the thread out of whatever queue it is in by then (futex_requeue moves
 * it) and says how it ended: as wait_on(), and -EAGAIN if nobody woke it and
 * nothing else happened.
 */
void wait_begin(struct wait_queue *queue, enum wait_mode mode);
void wait_sleep(nsec_t deadline);
int wait_finish(void);

/* Wakes the first waiter, or all; queue->lock is held. Returns how many. */
unsigned int wake_one(struct wait_queue *queue);
unsigned int wake_all(struct wait_queue *queue);

/* Wakes this waiter of QUEUE, whose lock is held, with RESULT for its wait_on(). */
void wake_thread(struct wait_queue *queue, struct thread *thread, int result);

/* Moves a waiter to another queue; both locks are held. */
void wait_move(struct thread *thread, struct wait_queue *to);

/* Makes THREAD look whether a signal or its end concerns its wait. */
void wait_interrupt(struct thread *thread);

/* For the scheduler, under the run queue's lock: need THREAD sleep no more? */
bool wait_is_over(const struct thread *thread);

#endif
