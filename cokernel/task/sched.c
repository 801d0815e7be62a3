/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "task/sched.h"

#include "arch/context.h"
#include "arch/cpu.h"
#include "arch/crash.h"
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
#include "task/hotplug.h"
#include "task/process.h"
#include "task/run_queue.h"
#include "task/usage.h"

/* After so many slices a thread goes even to a CPU that has just one fewer. */
#define SLICES_OF_TURN 8u

void sched_init(void)
{
	futex_init();
}

static void slice_over(struct timer *timer)
{
	(void)timer;
	this_cpu()->current->resched = true;
}

bool sched_prepare_cpu(struct cpu *cpu)
{
	struct run_queue *queue;
	struct thread *idle;

	if (!timer_prepare_cpu(cpu))
		return false;
	if (cpu->run_queue)
		return true;
	queue = heap_alloc_zero(sizeof(*queue));
	idle = heap_alloc_zero(sizeof(*idle));
	if (!queue || !idle) {
		heap_free(queue);
		heap_free(idle);
		return false;
	}
	list_init(&queue->ready);
	timer_init(&queue->slice, slice_over);
	list_init(&idle->run_link);
	idle->references = 1;
	cpu->idle = idle;
	__atomic_store_n(&cpu->run_queue, queue, __ATOMIC_RELEASE);
	return true;
}

void sched_cancel_cpu(struct cpu *cpu)
{
	heap_free(cpu->run_queue);
	heap_free(cpu->idle);
	heap_free(cpu->timers);
}

void sched_init_cpu(void)
{
	struct cpu *cpu = this_cpu();
	struct run_queue *queue;

	if (!sched_prepare_cpu(cpu))
		panic("no memory for the run queue of CPU %u", cpu->index);
	cpu->idle->cpu = cpu->index;
	cpu->idle->state = THREAD_RUNNABLE;
	cpu->status->task = UINT32_MAX;
	/* The thread's part of a CPU that came back to this index is as its last left it. */
	cpu->current = cpu->idle;
	queue = cpu->run_queue;
	queue->slice.cpu = cpu->index;
	lock_take(&queue->lock);
	queue->closed = false;
	lock_drop(&queue->lock);
}

bool sched_close_cpu(void)
{
	struct run_queue *queue = own_queue();
	bool empty;

	lock_take(&queue->lock);
	empty = list_empty(&queue->ready);
	if (empty) {
		sched_use_aspace(NULL);
		queue->closed = true;
		__atomic_store_n(&queue->idle, false, __ATOMIC_SEQ_CST);
	}
	lock_drop(&queue->lock);
	if (empty)
		timer_cancel(&queue->slice);
	return empty;
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
	if (cpu != this_cpu()->index && idle_needs_kick(cpu))
		cpu_kick(cpu);
}

/* THREAD, which is in no queue and does not run, becomes ready on its CPU. */
static void enqueue_own(struct thread *thread)
{
	struct run_queue *queue;
	cpu_id_t cpu;
	bool tell;

	for (;;) {
		cpu = thread->cpu;
		queue = queue_of(cpu);
		lock_take(&queue->lock);
		if (likely(!queue->closed))
			break;
		/* The CPU left after it was chosen; the thread's set does not have it any more. */
		change_cpu(thread, sched_choose(thread->cpus, cpu));
		lock_drop(&queue->lock);
	}
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
		enqueue_own(previous);
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
	usage_switch(previous->process, now - previous->started_at, next->process);
	previous->cpu_time += now - previous->started_at;
	previous->switches++;
	previous->rseq_disturbed = true;
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
	/* The idle thread keeps it for the while that it may look for a thread of the same. */
	if (next != cpu->idle)
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
	change_cpu(self, to);
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
	to = sched_wake_cpu(thread);
	if (to == thread->cpu && !queue->closed) {
		tell = enqueue(queue, thread);
		lock_drop(&queue->lock);
		if (tell)
			notice(to);
		return;
	}
	/* It is in no queue and does not run, so it stays ours between the two locks. */
	change_cpu(thread, to);
	lock_drop(&queue->lock);
	enqueue_own(thread);
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
	enqueue_own(thread);
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

/*
 * Others wait for this CPU: they get it, or the running thread goes to one that has
 * less to do. Where threads cannot be shared out evenly, they take turns at being fewer.
 */
static void end_slice(struct thread *self)
{
	bool turn = ++own_queue()->slices % SLICES_OF_TURN == 0;
	cpu_id_t to = sched_find_idle_of(self->cpus);

	self->resched = false;
	if (to == CPU_NONE)
		to = sched_lighter_cpu(self->cpus, turn);
	if (to != CPU_NONE)
		sched_migrate(to);
	else
		sched_yield_cpu();
}

void sched_return_to_user(void)
{
	struct thread *self = thread_current();
	struct run_queue *queue;

	for (;;) {
		/* Again after each wait: the CPU may have been taken from its set meanwhile. */
		while (unlikely(!set_has(self->cpus, this_cpu()->index)))
			sched_migrate(sched_choose(self->cpus, this_cpu()->index));
		queue = own_queue();
		if (likely(__atomic_load_n(&queue->ready_count, __ATOMIC_RELAXED) == 0))
			break;
		if (!self->resched) {
			if (!queue->slice.armed)
				timer_arm(&queue->slice, time_now() + SCHED_SLICE);
			break;
		}
		end_slice(self);
	}
}

void sched_run(void)
{
	struct cpu *cpu = this_cpu();
	struct run_queue *queue = cpu->run_queue;
	struct thread *stolen;

	__atomic_store_n(&queue->idle, true, __ATOMIC_SEQ_CST);
	for (;;) {
		idle_linger(queue);
		/* Whoever waits here for a CPU that hangs in control_poll() does not hang itself. */
		cpu->status->heartbeat++;
		if (unlikely(control_stopping())) {
			/* Nobody is to wait for a CPU that has parked to drop one. */
			sched_use_aspace(NULL);
			control_check_stop();
		}
		hotplug_check_leave();
		control_poll();
		channel_poll_all();
		stolen = list_empty(&queue->ready) ? sched_steal() : NULL;
		if (stolen)
			enqueue_own(stolen);
		lock_take(&queue->lock);
		if (!list_empty(&queue->ready)) {
			idle_ends(queue);
			switch_to_next(queue, AFTER_NOTHING);
			continue;
		}
		lock_drop(&queue->lock);
		sched_use_aspace(NULL);

		/*
		 * Interrupts are off until cpu_wait(): a kick or a bell that comes
		 * from here on stays pending and ends it at once. So what has to be
		 * seen is only what came before the announcements.
		 */
		boot_status->memory_free = page_free_bytes();
		if (boot_status->user_tsc != 0)
			crash_at(CRASH_IDLE);
		cpu->status->state = PISCES_CPU_IDLE;
		if (control_may_sleep(cpu->index) && channel_may_sleep_all(cpu->index) &&
		    __atomic_load_n(&queue->ready_count, __ATOMIC_SEQ_CST) == 0 &&
		    !control_stopping() && !hotplug_leaving())
			cpu_wait();
		cpu->status->state = PISCES_CPU_KERNEL;
	}
}
