/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers of timer_create(2). The signal of one is pending at most once; expiries that
 * come meanwhile are counted, and the count is told with the signal.
 */
#ifndef CK_TASK_POSIX_TIMER_H
#define CK_TASK_POSIX_TIMER_H

#include "lib/types.h"

struct process;
struct signal_info;

#define SIGNAL_CODE_TIMER (-2)

enum posix_notify {
	POSIX_NOTIFY_SIGNAL = 0,
	POSIX_NOTIFY_NONE = 1,
	POSIX_NOTIFY_THREAD = 2, /* the C library makes one: a signal for the kernel */
	POSIX_NOTIFY_THREAD_ID = 4,
};

/* What a timer does when it expires. */
struct posix_event {
	enum posix_notify notify;
	int signo;
	uint64_t value;
	tid_t tid; /* THREAD_ID: of this process */
};

/* ns; 0: not set, and once. */
struct posix_setting {
	nsec_t value;
	nsec_t interval;
};

void posix_timers_init(struct process *process);

/* The last thread has gone. */
void posix_timers_free(struct process *process);

/*
 * Of the running process. EVENT NULL: SIGALRM with the timer's number. A number, or
 * -EAGAIN: too many, or no memory. The others: -EINVAL for a number that is none.
 */
int64_t posix_timer_create(const struct posix_event *event, bool realtime);
int posix_timer_delete(int number);
int posix_timer_get(int number, struct posix_setting *now);
int64_t posix_timer_overrun(int number);

/* NEW->value: a span, or the point in time of its clock if ABSOLUTE. */
int posix_timer_set(int number, const struct posix_setting *new, bool absolute,
		    struct posix_setting *old);

/* For signal.c, under process->lock: INFO, taken from a queue, goes to its thread; fills it in. */
void posix_timer_delivered(struct process *process, struct signal_info *info);

/* The same: all of SET that was pending is forgotten. */
void posix_timers_dropped(struct process *process, uint64_t set);

#endif
