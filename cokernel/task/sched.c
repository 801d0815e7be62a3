/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "task/sched.h"

#include "arch/context.h"
#include "arch/cpu.h"
#include "arch/time.h"
#include "arch/tlb.h"
#include "boot/boot.h"
#include "channel/channel.h"
#include "channel/control.h"
#include "lib/lock.h"
#include "lib/print.h"
#include "mm/aspace.h"
#include "mm/heap.h"
#include "mm/page.h"
#include "task/futex.h"
#include "task/process.h"
#include "task/thread.h"
#include "task/timer.h"

/* What the next thread does for the one before it, once that is off its stack. */
enum aftermath {
	AFTER_NOTHING,
	AFTER_EXIT,  /* give its reference back */
	AFTER_MOVE,  /* queue it on its new CPU */
};

struct run_queue {
	struct lock lock; /* held across a switch; dropped by the next thread */
	struct list ready;
	unsigned int ready_count;
	unsigned int threads; /* that have this CPU, in any state; atomic */
	bool idle;	      /* its idle thread runs and looks at `ready` before it halts */
	struct timer slice;
	struct thread *previous;
	enum aftermath aftermath;
};

static struct run_queue *queue_of(cpu_id_t cpu)
{
	return cpu_get(cpu)->run_queue;
}

/* For looking at all CPUs, of which some may be on their way up still: then NULL. */
static struct run_queue *queue_if_up(cpu_id_t cpu)
{
	struct cpu *which = cpu_get(cpu);

	return which ? __atomic_load_n(&which->run_queue, __ATOMIC_ACQUIRE) : NULL;
}

static struct run_queue *own_queue(void)
{
	return this_cpu()->run_queue;
}

static bool set_has(const uint64_t *set, cpu_id_t cpu)
{
	return __atomic_load_n(&set[cpu / 64], __ATOMIC_RELAXED) >> (cpu % 64) & 1;
}

void sched_init(void)
{
	futex_init();
}

static void slice_over(struct timer *timer)
{
	(void)timer;
	this_cpu()->current->resched = true;
}

void sched_init_cpu(void)
{
	struct cpu *cpu = this_cpu();
	struct run_queue *queue = heap_alloc_zero(sizeof(*queue));
	struct thread *idle = heap_alloc_zero(sizeof(*idle));

	if (!queue || !idle)
		panic("no memory for the run queue of CPU %u", cpu->index);
	timer_init_cpu();
	list_init(&queue->ready);
	timer_init(&queue->slice, slice_over);
	list_init(&idle->run_link);
	idle->cpu = cpu->index;
	idle->state = THREAD_RUNNABLE;
	idle->references = 1;
	cpu->idle = idle;
	cpu->current = idle;
	cpu->status->task = UINT32_MAX;
	__atomic_store_n(&cpu->run_queue, queue, __ATOMIC_RELEASE);
}

/* Loads the address space that the next code on this CPU needs; NULL: the kernel's. */
void sched_use_aspace(struct aspace *aspace)
{
	if (this_cpu()->aspace != aspace)
		tlb_load(aspace);
}

/* Wakes CPU for the first thread in its queue; with more its slices are on already. */
static void notice(cpu_id_t cpu)
{
	if (cpu != this_cpu()->index)
		cpu_kick(cpu);
}

/* QUEUE->lock is held. True: its CPU is to be told, after the lock is dropped. */
static bool enqueue(struct run_queue *queue, struct thread *thread)
{
	list_append(&queue->ready, &thread->run_link);
	return queue->ready_count++ == 0;
}

static void enqueue_on(cpu_id_t cpu, struct thread *thread)
{
	struct run_queue *queue = queue_of(cpu);
	bool tell;

	lock_take(&queue->lock);
	tell = enqueue(queue, thread);
	lock_drop(&queue->lock);
	if (tell)
		notice(cpu);
}

/* Drops the lock that the previous thread took, and finishes what it could not. */
static void finish_switch(void)
{
	struct run_queue *queue = own_queue();
	struct thread *previous = queue->previous;
	enum aftermath aftermath = queue->aftermath;

	queue->previous = NULL;
	queue->aftermath = AFTER_NOTHING;
	lock_drop(&queue->lock);
	if (aftermath == AFTER_EXIT)
		thread_put(previous);
	else if (aftermath == AFTER_MOVE)
		enqueue_on(previous->cpu, previous);
}

/*
 * Goes on with the first ready thread, or the idle thread. The lock of this
 * CPU's queue is held, and dropped when this returns. The running thread has its
 * state set, and is in the queue again if it is to go on here.
 */
static void switch_to_next(struct run_queue *queue, enum aftermath aftermath)
{
	struct cpu *cpu = this_cpu();
	struct thread *previous = cpu->current;
	struct thread *next = cpu->idle;
	nsec_t now;

	if (!list_empty(&queue->ready)) {
		next = LIST_ENTRY(queue->ready.next, struct thread, run_link);
		list_remove(&next->run_link);
		queue->ready_count--;
	}
	previous->resched = false;
	if (queue->ready_count > 0)
		timer_arm(&queue->slice, time_now() + SCHED_SLICE);
	else if (queue->slice.armed)
		timer_cancel(&queue->slice);
	if (next == previous) {
		lock_drop(&queue->lock);
		return;
	}

	now = time_now();
	previous->cpu_time += now - previous->started_at;
	previous->switches++;
	next->started_at = now;
	__atomic_store_n(&queue->idle, next == cpu->idle, __ATOMIC_SEQ_CST);
	if (previous == cpu->idle)
		control_bell_away(cpu->index);
	cpu->status->switches++;
	cpu->status->task = next->process ? next->process->task : UINT32_MAX;
	/* A full barrier: see sched_poke(). */
	__atomic_store_n(&cpu->current, next, __ATOMIC_SEQ_CST);
	queue->previous = previous;
	queue->aftermath = aftermath;
	sched_use_aspace(next->process ? next->process->aspace : NULL);
	context_switch(&previous->context, &next->context);
	finish_switch();
}

void sched_begin(void)
{
	finish_switch();
}

void sched_yield_cpu(void)
{
	struct run_queue *queue = own_queue();
	struct thread *self = thread_current();

	lock_take(&queue->lock);
	if (list_empty(&queue->ready)) {
		self->resched = false;
		lock_drop(&queue->lock);
		return;
	}
	enqueue(queue, self);
	switch_to_next(queue, AFTER_NOTHING);
}

void sched_block(void)
{
	struct thread *self = thread_current();
	struct run_queue *queue;

	for (;;) {
		queue = own_queue();
		lock_take(&queue->lock);
		if (wait_is_over(self)) {
			lock_drop(&queue->lock);
			return;
		}
		self->state = THREAD_BLOCKED;
		switch_to_next(queue, AFTER_NOTHING);
	}
}

void sched_exit(void)
{
	struct run_queue *queue = own_queue();

	lock_take(&queue->lock);
	thread_current()->state = THREAD_DEAD;
	switch_to_next(queue, AFTER_EXIT);
	panic("a dead thread runs");
}

void sched_migrate(cpu_id_t to)
{
	struct run_queue *queue = own_queue();
	struct thread *self = thread_current();

	if (to == this_cpu()->index)
		return;
	lock_take(&queue->lock);
	__atomic_fetch_sub(&queue->threads, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&queue_of(to)->threads, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&self->cpu, to, __ATOMIC_RELEASE);
	switch_to_next(queue, AFTER_MOVE);
}

/* Takes the lock of the run queue of THREAD's CPU, which may change meanwhile. */
static struct run_queue *lock_queue_of(struct thread *thread)
{
	struct run_queue *queue;
	cpu_id_t cpu;

	for (;;) {
		cpu = __atomic_load_n(&thread->cpu, __ATOMIC_ACQUIRE);
		queue = queue_of(cpu);
		lock_take(&queue->lock);
		if (__atomic_load_n(&thread->cpu, __ATOMIC_RELAXED) == cpu)
			return queue;
		lock_drop(&queue->lock);
	}
}

bool sched_is_idle(cpu_id_t cpu)
{
	struct run_queue *queue = queue_if_up(cpu);

	return queue && __atomic_load_n(&queue->idle, __ATOMIC_SEQ_CST) &&
	       __atomic_load_n(&queue->ready_count, __ATOMIC_RELAXED) == 0;
}

/* An idle CPU of SET (NULL: any), or cpu_count. */
static cpu_id_t find_idle(const uint64_t *set)
{
	cpu_id_t cpu;

	for (cpu = 0; cpu < cpu_count; cpu++) {
		if ((!set || set_has(set, cpu)) && sched_is_idle(cpu))
			return cpu;
	}
	return cpu_count;
}

cpu_id_t sched_find_idle(void)
{
	return find_idle(NULL);
}

cpu_id_t sched_quiet_cpu(bool blocking, cpu_id_t other)
{
	cpu_id_t cpu;

	if (own_queue()->ready_count == 0 && (blocking || own_queue()->idle))
		return this_cpu()->index;
	cpu = find_idle(NULL);
	return cpu < cpu_count ? cpu : other;
}

cpu_id_t sched_choose(const uint64_t *set, cpu_id_t after)
{
	cpu_id_t best = cpu_count, step, cpu;
	uint64_t load, least = UINT64_MAX;

	for (step = 1; step <= cpu_count; step++) {
		cpu = (after + step) % cpu_count;
		if (!set_has(set, cpu))
			continue;
		/* Idle ones first, whatever sleeps there; then those with the fewest threads. */
		load = __atomic_load_n(&queue_of(cpu)->threads, __ATOMIC_RELAXED);
		if (!sched_is_idle(cpu))
			load += 1ull << 32;
		if (load < least) {
			least = load;
			best = cpu;
		}
	}
	ASSERT(best < cpu_count);
	return best;
}

/* Where THREAD, which is blocked and wakes up, goes. */
static cpu_id_t wake_cpu(const struct thread *thread)
{
	cpu_id_t idle;

	if (set_has(thread->cpus, thread->cpu) && sched_is_idle(thread->cpu))
		return thread->cpu;
	idle = find_idle(thread->cpus);
	if (idle < cpu_count)
		return idle;
	if (set_has(thread->cpus, thread->cpu))
		return thread->cpu;
	return sched_choose(thread->cpus, thread->cpu);
}

static void wake(struct thread *thread, bool woken)
{
	struct run_queue *queue = lock_queue_of(thread);
	cpu_id_t to;
	bool tell;

	if (woken)
		__atomic_store_n(&thread->waiting_on, NULL, __ATOMIC_RELEASE);
	if (thread->state != THREAD_BLOCKED) {
		lock_drop(&queue->lock);
		return;
	}
	thread->state = THREAD_RUNNABLE;
	to = wake_cpu(thread);
	if (to == thread->cpu) {
		tell = enqueue(queue, thread);
		lock_drop(&queue->lock);
		if (tell)
			notice(to);
		return;
	}
	/* It is in no queue and does not run, so it stays ours between the two locks. */
	__atomic_fetch_sub(&queue->threads, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&queue_of(to)->threads, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&thread->cpu, to, __ATOMIC_RELEASE);
	lock_drop(&queue->lock);
	enqueue_on(to, thread);
}

void sched_wake(struct thread *thread)
{
	wake(thread, false);
}

void sched_wake_waiter(struct thread *thread)
{
	wake(thread, true);
}

void sched_add(struct thread *thread)
{
	enqueue_on(thread->cpu, thread);
}

void sched_count(struct thread *thread)
{
	thread->counted = true;
	__atomic_fetch_add(&queue_of(thread->cpu)->threads, 1, __ATOMIC_RELAXED);
}

void sched_forget(struct thread *thread)
{
	struct run_queue *queue;

	if (!thread->counted)
		return;
	queue = lock_queue_of(thread);
	thread->counted = false;
	__atomic_fetch_sub(&queue->threads, 1, __ATOMIC_RELAXED);
	lock_drop(&queue->lock);
}

void sched_poke(struct thread *thread)
{
	cpu_id_t cpu;

	/*
	 * Either we see that THREAD runs, and interrupt it, or it sees on its way to
	 * user mode what the caller has just stored for it.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	cpu = __atomic_load_n(&thread->cpu, __ATOMIC_ACQUIRE);
	if (cpu != this_cpu()->index &&
	    __atomic_load_n(&cpu_get(cpu)->current, __ATOMIC_RELAXED) == thread)
		cpu_kick(cpu);
}

nsec_t sched_cpu_time(const struct thread *thread)
{
	nsec_t time = __atomic_load_n(&thread->cpu_time, __ATOMIC_RELAXED);
	nsec_t start = __atomic_load_n(&thread->started_at, __ATOMIC_RELAXED);
	cpu_id_t cpu = __atomic_load_n(&thread->cpu, __ATOMIC_RELAXED);
	nsec_t now = time_now();

	if (cpu_get(cpu)->current == thread && now > start)
		time += now - start;
	return time;
}

/* Others wait for this CPU: they get it, or the running thread goes to an idle one. */
static void end_slice(struct thread *self)
{
	cpu_id_t idle = find_idle(self->cpus);

	self->resched = false;
	if (idle < cpu_count)
		sched_migrate(idle);
	else
		sched_yield_cpu();
}

void sched_return_to_user(void)
{
	struct thread *self = thread_current();
	struct run_queue *queue;

	if (unlikely(!set_has(self->cpus, this_cpu()->index)))
		sched_migrate(sched_choose(self->cpus, this_cpu()->index));
	queue = own_queue();
	if (likely(__atomic_load_n(&queue->ready_count, __ATOMIC_RELAXED) == 0))
		return;
	if (self->resched)
		end_slice(self);
	else if (!queue->slice.armed)
		timer_arm(&queue->slice, time_now() + SCHED_SLICE);
}

/* A thread that waits in the queue of VICTIM, a busy CPU, and may run on this one. */
static struct thread *steal_from(cpu_id_t victim)
{
	struct run_queue *queue = queue_of(victim);
	struct thread *thread, *found = NULL;
	struct list *pos;

	lock_take(&queue->lock);
	/* An idle CPU is about to run what it has. */
	if (!queue->idle) {
		LIST_FOR_EACH(pos, &queue->ready) {
			thread = LIST_ENTRY(pos, struct thread, run_link);
			if (!set_has(thread->cpus, this_cpu()->index))
				continue;
			list_remove(&thread->run_link);
			queue->ready_count--;
			__atomic_fetch_sub(&queue->threads, 1, __ATOMIC_RELAXED);
			__atomic_fetch_add(&own_queue()->threads, 1, __ATOMIC_RELAXED);
			__atomic_store_n(&thread->cpu, this_cpu()->index, __ATOMIC_RELEASE);
			found = thread;
			break;
		}
	}
	lock_drop(&queue->lock);
	return found;
}

/* This CPU has nothing to do: takes a thread from one that has too much. */
static void steal(void)
{
	struct run_queue *queue;
	struct thread *thread;
	cpu_id_t step, cpu;

	for (step = 1; step < cpu_count; step++) {
		cpu = (this_cpu()->index + step) % cpu_count;
		queue = queue_if_up(cpu);
		if (!queue || __atomic_load_n(&queue->ready_count, __ATOMIC_RELAXED) == 0)
			continue;
		thread = steal_from(cpu);
		if (thread) {
			enqueue_on(this_cpu()->index, thread);
			return;
		}
	}
}

void sched_run(void)
{
	struct cpu *cpu = this_cpu();
	struct run_queue *queue = cpu->run_queue;

	__atomic_store_n(&queue->idle, true, __ATOMIC_SEQ_CST);
	for (;;) {
		/* Whoever waits here for a CPU that hangs in control_poll() does not hang itself. */
		cpu->status->heartbeat++;
		control_check_stop();
		control_poll();
		channel_poll_all();
		if (list_empty(&queue->ready))
			steal();
		lock_take(&queue->lock);
		if (!list_empty(&queue->ready)) {
			switch_to_next(queue, AFTER_NOTHING);
			continue;
		}
		lock_drop(&queue->lock);

		/*
		 * Interrupts are off until cpu_wait(): a kick or a bell that comes
		 * from here on stays pending and ends it at once. So what has to be
		 * seen is only what came before the announcements.
		 */
		boot_status->memory_free = page_free_bytes();
		cpu->status->state = PISCES_CPU_IDLE;
		if (control_may_sleep(cpu->index) && channel_may_sleep_all(cpu->index) &&
		    __atomic_load_n(&queue->ready_count, __ATOMIC_SEQ_CST) == 0 &&
		    !control_stopping())
			cpu_wait();
		cpu->status->state = PISCES_CPU_KERNEL;
	}
}
