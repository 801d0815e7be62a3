/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "task/interval.h"

#include "arch/cpu.h"
#include "arch/time.h"
#include "lib/list.h"
#include "task/process.h"
#include "task/signal.h"
#include "task/thread.h"

static const int signals[INTERVALS] = {
	[INTERVAL_REAL] = SIGNAL_ALRM,
	[INTERVAL_VIRTUAL] = SIGNAL_VTALRM,
	[INTERVAL_PROF] = SIGNAL_PROF,
};

static nsec_t now_of(const struct interval *interval)
{
	return interval->clock == INTERVAL_REAL ? time_now() :
						  process_cpu_time(interval->process);
}

static nsec_t after(nsec_t now, nsec_t span)
{
	return span > NSEC_FOREVER - now ? NSEC_FOREVER : now + span;
}

/* To when its clock can be at the target at the earliest; NOW is the clock's. */
static void arm(struct interval *interval, nsec_t now)
{
	nsec_t left = interval->target > now ? interval->target - now : 0;

	if (interval->clock == INTERVAL_REAL) {
		timer_arm(&interval->timer, interval->target);
		return;
	}
	left /= cpu_count;
	timer_arm(&interval->timer, after(time_now(), max_u64(left, INTERVAL_LEAST)));
}

static void expired(struct timer *timer)
{
	struct interval *interval = CONTAINER_OF(timer, struct interval, timer);
	struct signal_info info = { .signo = signals[interval->clock],
				    .code = SIGNAL_CODE_KERNEL };
	nsec_t now = now_of(interval), period = interval->period, late;

	if (now >= interval->target) {
		signal_send_process(interval->process, &info);
		if (!period)
			return;
		/* Periods that were missed are not made up for, nor are those left out. */
		late = now - interval->target;
		if (interval->clock == INTERVAL_REAL && period < timer_period_least())
			late += timer_period_least();
		interval->target += period * (1 + late / period);
	}
	if (__atomic_load_n(&interval->on, __ATOMIC_SEQ_CST))
		arm(interval, now);
}

void intervals_init(struct process *process)
{
	unsigned int i;

	for (i = 0; i < INTERVALS; i++) {
		timer_init(&process->intervals[i].timer, expired);
		process->intervals[i].process = process;
		process->intervals[i].clock = (enum interval_clock)i;
	}
}

/* Returns ns that were left, 0 if it was not set. */
static nsec_t stop(struct interval *interval)
{
	nsec_t now, left = 0;

	__atomic_store_n(&interval->on, false, __ATOMIC_SEQ_CST);
	if (timer_cancel(&interval->timer)) {
		now = now_of(interval);
		left = interval->target > now ? interval->target - now : 1;
	}
	/* A callback that ran just then may have armed it again, but will not once more. */
	timer_cancel(&interval->timer);
	return left;
}

void intervals_stop(struct process *process)
{
	unsigned int i;

	for (i = 0; i < INTERVALS; i++)
		stop(&process->intervals[i]);
}

void interval_get(enum interval_clock clock, nsec_t *left, nsec_t *period)
{
	struct process *process = process_current();
	struct interval *interval = &process->intervals[clock];
	nsec_t now = now_of(interval);

	*left = *period = 0;
	lock_take(&process->timers_lock);
	if (interval->timer.armed) {
		*left = interval->target > now ? interval->target - now : 1000;
		*period = interval->period;
	}
	lock_drop(&process->timers_lock);
}

void interval_set(enum interval_clock clock, nsec_t value, nsec_t period, nsec_t *left,
		  nsec_t *old)
{
	struct process *process = process_current();
	struct interval *interval = &process->intervals[clock];
	nsec_t now;

	lock_take(&process->timers_lock);
	*left = stop(interval);
	*old = interval->said;
	interval->said = interval->period = period;
	if (value) {
		now = now_of(interval);
		interval->target = after(now, value);
		__atomic_store_n(&interval->on, true, __ATOMIC_SEQ_CST);
		arm(interval, now);
	}
	lock_drop(&process->timers_lock);
}
