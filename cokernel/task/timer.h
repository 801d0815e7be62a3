/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deadlines of a CPU: the earliest one arms its timer; none, and the timer is
 * silent. Callbacks run with interrupts off in timer_interrupt() on that CPU.
 */
#ifndef CK_TASK_TIMER_H
#define CK_TASK_TIMER_H

#include "lib/list.h"
#include "lib/types.h"

struct timer {
	struct list link;
	nsec_t deadline;
	void (*expired)(struct timer *timer);
	cpu_id_t cpu; /* where it was armed last; changed under the lock of that CPU's list */
	bool armed;
};

struct cpu;

/* What CPU needs for its timers, if it has it not yet. False: out of memory. */
bool timer_prepare_cpu(struct cpu *cpu);

/* The timers of FROM, a CPU that has parked, become this CPU's. */
void timer_adopt(cpu_id_t from);

void timer_init(struct timer *timer, void (*expired)(struct timer *timer));

/* On the calling CPU; re-arms. One owner at a time: not concurrently with itself. */
void timer_arm(struct timer *timer, nsec_t deadline);

/*
 * The least period, in ns, of a timer that is armed again on the calling CPU by its own callback
 * as a program has said: with less, and many of them, the CPU would do nothing else.
 */
nsec_t timer_period_least(void);

/* True: it was armed and will not run. False: it ran, or runs now and is over on return. */
bool timer_cancel(struct timer *timer);

#endif
