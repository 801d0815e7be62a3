/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "task/timer.h"

#include "arch/cpu.h"
#include "arch/lapic.h"
#include "arch/time.h"
#include "arch/tlb.h"
#include "arch/trap.h"
#include "lib/lock.h"
#include "lib/print.h"
#include "mm/heap.h"

/*
 * Nanoseconds between two expiries of a timer that a program repeats, at least: an interrupt
 * takes some of them. Where there are more timers than FEW, they make no more interrupts than
 * FEW of them could.
 */
#define PERIOD_LEAST 50000u
#define FEW 4u

struct timers {
	struct lock lock;
	struct list armed;	/* by deadline, */
	unsigned int count;	/* so many */
	struct timer *running;	/* its callback runs now, without the lock */
};

bool timer_prepare_cpu(struct cpu *cpu)
{
	struct timers *timers;

	if (cpu->timers)
		return true;
	timers = heap_alloc_zero(sizeof(*timers));
	if (!timers)
		return false;
	list_init(&timers->armed);
	cpu->timers = timers;
	return true;
}

void timer_init(struct timer *timer, void (*expired)(struct timer *timer))
{
	list_init(&timer->link);
	timer->deadline = NSEC_FOREVER;
	timer->expired = expired;
	timer->cpu = 0;
	timer->armed = false;
}

/* Sets this CPU's hardware to its first deadline; timers->lock is held. */
static void program(struct timers *timers)
{
	nsec_t now, deadline;

	if (list_empty(&timers->armed)) {
		lapic_timer_stop();
		return;
	}
	deadline = LIST_ENTRY(timers->armed.next, struct timer, link)->deadline;
	now = time_now();
	/* A deadline that has passed still comes as an interrupt, so that callbacks
	 * only ever run from there. */
	lapic_timer_arm(deadline > now ? deadline - now : 1);
}

/* From the list of TIMERS, whose lock is held. */
static void take_out(struct timers *timers, struct timer *timer)
{
	list_remove(&timer->link);
	timers->count--;
}

/* Into this CPU's list, whose lock is held. */
static void insert(struct timers *timers, struct timer *timer)
{
	struct list *pos;

	__atomic_store_n(&timer->cpu, this_cpu()->index, __ATOMIC_RELEASE);
	LIST_FOR_EACH(pos, &timers->armed) {
		if (LIST_ENTRY(pos, struct timer, link)->deadline > timer->deadline)
			break;
	}
	list_insert_between(&timer->link, pos->prev, pos);
	timers->count++;
	__atomic_store_n(&timer->armed, true, __ATOMIC_RELAXED);
}

nsec_t timer_period_least(void)
{
	const struct timers *timers = this_cpu()->timers;
	nsec_t count = __atomic_load_n(&timers->count, __ATOMIC_RELAXED);

	return PERIOD_LEAST * max_u64(count, FEW) / FEW;
}

void timer_arm(struct timer *timer, nsec_t deadline)
{
	struct timers *timers = this_cpu()->timers;

	timer_cancel(timer);
	if (deadline == NSEC_FOREVER)
		return;
	lock_take(&timers->lock);
	timer->deadline = deadline;
	insert(timers, timer);
	if (timers->armed.next == &timer->link)
		program(timers);
	lock_drop(&timers->lock);
}

/* Takes the lock of the list that TIMER was armed in last, which another CPU may adopt. */
static struct timers *lock_timers_of(struct timer *timer)
{
	struct timers *timers;
	cpu_id_t cpu;

	for (;;) {
		cpu = __atomic_load_n(&timer->cpu, __ATOMIC_ACQUIRE);
		timers = cpu_get(cpu)->timers;
		lock_take(&timers->lock);
		if (__atomic_load_n(&timer->cpu, __ATOMIC_RELAXED) == cpu)
			return timers;
		lock_drop(&timers->lock);
	}
}

bool timer_cancel(struct timer *timer)
{
	struct timers *timers = lock_timers_of(timer);
	bool was_armed, was_first;

	was_armed = timer->armed;
	if (was_armed) {
		was_first = timers->armed.next == &timer->link;
		take_out(timers, timer);
		timer->armed = false;
		if (was_first && timers == this_cpu()->timers)
			program(timers);
	}
	lock_drop(&timers->lock);

	while (__atomic_load_n(&timers->running, __ATOMIC_ACQUIRE) == timer &&
	       timers != this_cpu()->timers) {
		tlb_serve();
		cpu_relax();
	}
	return was_armed;
}

/*
 * One at a time, and both locks at once: at no time is a timer armed and in no list.
 * Nobody else takes two of these locks.
 */
void timer_adopt(cpu_id_t from)
{
	struct timers *old = cpu_get(from)->timers, *own = this_cpu()->timers;
	struct timer *timer;

	lock_take(&old->lock);
	lock_take(&own->lock);
	while (!list_empty(&old->armed)) {
		timer = LIST_ENTRY(old->armed.next, struct timer, link);
		take_out(old, timer);
		insert(own, timer);
	}
	program(own);
	lock_drop(&own->lock);
	lock_drop(&old->lock);
}

void timer_interrupt(void)
{
	struct timers *timers = this_cpu()->timers;
	struct timer *timer;
	nsec_t now = time_now();

	lock_take(&timers->lock);
	while (!list_empty(&timers->armed)) {
		timer = LIST_ENTRY(timers->armed.next, struct timer, link);
		if (timer->deadline > now)
			break;
		take_out(timers, timer);
		timer->armed = false;
		timers->running = timer;
		lock_drop(&timers->lock);
		timer->expired(timer);
		lock_take(&timers->lock);
		__atomic_store_n(&timers->running, NULL, __ATOMIC_RELEASE);
	}
	program(timers);
	lock_drop(&timers->lock);
}
