/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "task/posix_timer.h"

#include "arch/time.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "mm/heap.h"
#include "task/process.h"
#include "task/signal.h"
#include "task/thread.h"
#include "task/timer.h"

#define TIMERS_MOST 1024u
#define OVERRUN_MOST INT32_MAX

struct posix_timer {
	struct list link; /* in process->timers */
	struct process *process;
	int number;
	bool realtime; /* its points in time are CLOCK_REALTIME's */
	struct posix_event event;
	struct timer timer;
	nsec_t interval; /* 0: once. The callback reads it. */
	nsec_t period;	 /* what was set */

	/* Under process->lock. */
	bool pending;	  /* its signal is */
	uint64_t missed;  /* expiries since that was sent */
	int32_t overrun;  /* of the last signal */
};

void posix_timers_init(struct process *process)
{
	process->timers_lock = (struct lock)LOCK_INIT;
	list_init(&process->timers);
	process->timer_count = 0;
	process->next_timer = 0;
}

/* The running process's timer; timers_lock is held. */
static struct posix_timer *find(struct process *process, int number)
{
	struct posix_timer *timer;
	struct list *pos;

	LIST_FOR_EACH(pos, &process->timers) {
		timer = LIST_ENTRY(pos, struct posix_timer, link);
		if (timer->number == number)
			return timer;
	}
	return NULL;
}

/* Sends the timer's signal. False: it went nowhere. */
static bool send(struct posix_timer *timer)
{
	struct signal_info info = { .signo = timer->event.signo, .code = SIGNAL_CODE_TIMER,
				    .own_timer = 1 };
	struct thread *thread;
	bool sent;

	info.timer.timer = timer->number;
	info.timer.value = timer->event.value;
	if (timer->event.notify != POSIX_NOTIFY_THREAD_ID)
		return signal_send_process(timer->process, &info) > 0;
	thread = thread_find(timer->event.tid);
	if (!thread)
		return false;
	sent = thread->process == timer->process && signal_send_thread(thread, &info) > 0;
	thread_put(thread);
	return sent;
}

static void notify(struct posix_timer *timer)
{
	struct process *process = timer->process;
	bool pending;

	lock_take(&process->lock);
	pending = timer->pending;
	if (pending)
		timer->missed++;
	else
		timer->missed = 0;
	timer->pending = true;
	lock_drop(&process->lock);
	if (pending || send(timer))
		return;
	lock_take(&process->lock);
	timer->pending = false;
	lock_drop(&process->lock);
}

static void expired(struct timer *of)
{
	struct posix_timer *timer = CONTAINER_OF(of, struct posix_timer, timer);
	nsec_t interval = __atomic_load_n(&timer->interval, __ATOMIC_SEQ_CST);
	nsec_t next = of->deadline, late = time_now() - next, step;
	nsec_t least = timer_period_least();
	uint64_t unseen;

	if (timer->event.notify != POSIX_NOTIFY_NONE)
		notify(timer);
	if (!interval)
		return;
	/*
	 * Periods that went by unseen count as expiries too; so do those that are so short
	 * that the CPU would do nothing else.
	 */
	unseen = (interval < least ? late + least : late) / interval;
	if (unseen) {
		lock_take(&timer->process->lock);
		timer->missed += unseen;
		lock_drop(&timer->process->lock);
	}
	/* After the end of time it does not expire */
	if (!__builtin_mul_overflow(interval, unseen + 1, &step) &&
	    !__builtin_add_overflow(next, step, &next))
		timer_arm(of, next);
}

/* Stops TIMER; what it was set to. timers_lock is held, under which it is armed. */
static struct posix_setting stop(struct posix_timer *timer)
{
	struct posix_setting was = { .interval = timer->period };
	nsec_t now = time_now();

	__atomic_store_n(&timer->interval, 0, __ATOMIC_SEQ_CST);
	if (timer_cancel(&timer->timer))
		was.value = timer->timer.deadline > now ? timer->timer.deadline - now : 1;
	/* A callback that ran just then may have armed it again, but will not once more. */
	if (timer_cancel(&timer->timer) && was.value == 0)
		was.value = timer->timer.deadline > now ? timer->timer.deadline - now : 1;
	return was;
}

int64_t posix_timer_create(const struct posix_event *event, bool realtime)
{
	struct process *process = process_current();
	struct posix_timer *timer = heap_alloc_zero(sizeof(*timer));

	if (!timer)
		return -EAGAIN;
	timer->process = process;
	timer->realtime = realtime;
	timer_init(&timer->timer, expired);
	lock_take(&process->timers_lock);
	if (process->timer_count == TIMERS_MOST) {
		lock_drop(&process->timers_lock);
		heap_free(timer);
		return -EAGAIN;
	}
	process->timer_count++;
	do {
		timer->number = process->next_timer;
		process->next_timer = (process->next_timer + 1) & INT32_MAX;
	} while (find(process, timer->number));
	timer->event = (struct posix_event){
		.notify = POSIX_NOTIFY_SIGNAL,
		.signo = SIGNAL_ALRM,
		.value = (uint64_t)timer->number,
	};
	if (event)
		timer->event = *event;
	lock_take(&process->lock);
	list_append(&process->timers, &timer->link);
	lock_drop(&process->lock);
	lock_drop(&process->timers_lock);
	return timer->number;
}

/* timers_lock is held. */
static void take_out(struct process *process, struct posix_timer *timer)
{
	stop(timer);
	lock_take(&process->lock);
	list_remove(&timer->link);
	lock_drop(&process->lock);
	process->timer_count--;
	heap_free(timer);
}

int posix_timer_delete(int number)
{
	struct process *process = process_current();
	struct posix_timer *timer;

	lock_take(&process->timers_lock);
	timer = find(process, number);
	if (timer)
		take_out(process, timer);
	lock_drop(&process->timers_lock);
	return timer ? 0 : -EINVAL;
}

void posix_timers_free(struct process *process)
{
	lock_take(&process->timers_lock);
	while (!list_empty(&process->timers))
		take_out(process, LIST_ENTRY(process->timers.next, struct posix_timer, link));
	lock_drop(&process->timers_lock);
}

int posix_timer_get(int number, struct posix_setting *now)
{
	struct process *process = process_current();
	struct posix_timer *timer;
	nsec_t deadline, time = time_now();

	*now = (struct posix_setting){ 0 };
	lock_take(&process->timers_lock);
	timer = find(process, number);
	if (timer) {
		now->interval = timer->period;
		deadline = timer->timer.deadline;
		if (timer->timer.armed || timer->interval)
			now->value = deadline > time ? deadline - time : 1;
	}
	lock_drop(&process->timers_lock);
	return timer ? 0 : -EINVAL;
}

int64_t posix_timer_overrun(int number)
{
	struct process *process = process_current();
	struct posix_timer *timer;
	int64_t overrun = -EINVAL;

	lock_take(&process->timers_lock);
	timer = find(process, number);
	if (timer)
		overrun = timer->overrun;
	lock_drop(&process->timers_lock);
	return overrun;
}

static nsec_t after(nsec_t now, nsec_t span)
{
	return span > NSEC_FOREVER - now ? NSEC_FOREVER : now + span;
}

/* When a timer that is set to VALUE expires, on the clock of time_now(). */
static nsec_t deadline_of(const struct posix_timer *timer, nsec_t value, bool absolute)
{
	nsec_t now = time_now(), other;

	if (!absolute)
		return after(now, value);
	if (!timer->realtime || value == NSEC_FOREVER)
		return value;
	other = time_realtime();
	return value > other ? after(now, value - other) : 1;
}

int posix_timer_set(int number, const struct posix_setting *new, bool absolute,
		    struct posix_setting *old)
{
	struct process *process = process_current();
	struct posix_timer *timer;

	lock_take(&process->timers_lock);
	timer = find(process, number);
	if (timer) {
		*old = stop(timer);
		lock_take(&process->lock);
		timer->missed = 0;
		timer->overrun = 0;
		lock_drop(&process->lock);
		timer->period = new->interval;
		if (new->value) {
			timer->interval = new->interval;
			timer_arm(&timer->timer, deadline_of(timer, new->value, absolute));
		}
	}
	lock_drop(&process->timers_lock);
	return timer ? 0 : -EINVAL;
}

void posix_timer_delivered(struct process *process, struct signal_info *info)
{
	struct posix_timer *timer;

	if (!info->own_timer)
		return;
	info->own_timer = 0;
	timer = find(process, info->timer.timer);
	if (!timer)
		return;
	timer->pending = false;
	timer->overrun = (int32_t)min_u64(timer->missed, OVERRUN_MOST);
	timer->missed = 0;
	info->timer.overrun = timer->overrun;
}

void posix_timers_dropped(struct process *process, uint64_t set)
{
	struct posix_timer *timer;
	struct list *pos;

	LIST_FOR_EACH(pos, &process->timers) {
		timer = LIST_ENTRY(pos, struct posix_timer, link);
		if (set & SIGNAL_BIT(timer->event.signo))
			timer->pending = false;
	}
}
