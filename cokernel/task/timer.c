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

struct timers {
	struct lock lock;
	struct list armed;	/* by deadline */
	struct timer *running;	/* its callback runs now, without the lock */
};

void timer_init_cpu(void)
{
	struct timers *timers = heap_alloc_zero(sizeof(*timers));

	if (!timers)
		panic("no memory for the timers of CPU %u", this_cpu()->index);
	list_init(&timers->armed);
	this_cpu()->timers = timers;
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

void timer_arm(struct timer *timer, nsec_t deadline)
{
	struct timers *timers = this_cpu()->timers;
	struct list *pos;

	timer_cancel(timer);
	if (deadline == NSEC_FOREVER)
		return;
	lock_take(&timers->lock);
	timer->deadline = deadline;
	timer->cpu = this_cpu()->index;
	LIST_FOR_EACH(pos, &timers->armed) {
		if (LIST_ENTRY(pos, struct timer, link)->deadline > deadline)
			break;
	}
	list_insert_between(&timer->link, pos->prev, pos);
	__atomic_store_n(&timer->armed, true, __ATOMIC_RELAXED);
	if (timers->armed.next == &timer->link)
		program(timers);
	lock_drop(&timers->lock);
}

bool timer_cancel(struct timer *timer)
{
	struct timers *timers = cpu_get(timer->cpu)->timers;
	bool was_armed, was_first;

	lock_take(&timers->lock);
	was_armed = timer->armed;
	if (was_armed) {
		was_first = timers->armed.next == &timer->link;
		list_remove(&timer->link);
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
		list_remove(&timer->link);
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
