/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a thread goes, and where a bell rings. All of this looks at other CPUs' queues
 * without their locks: what it says may be old when it is used, and then a thread waits
 * a little where it need not, or is sent on (enqueue_own() in sched.c).
 */
#include "lib/lock.h"
#include "task/run_queue.h"
#include "task/sched.h"

bool sched_is_idle(cpu_id_t cpu)
{
	struct run_queue *queue = queue_if_up(cpu);

	return queue && __atomic_load_n(&queue->idle, __ATOMIC_SEQ_CST) &&
	       __atomic_load_n(&queue->ready_count, __ATOMIC_RELAXED) == 0;
}

cpu_id_t sched_find_idle_of(const uint64_t *set)
{
	cpu_id_t cpu;

	FOR_EACH_ONLINE_CPU(cpu) {
		if ((!set || set_has(set, cpu)) && sched_is_idle(cpu))
			return cpu;
	}
	return CPU_NONE;
}

cpu_id_t sched_find_idle(void)
{
	return sched_find_idle_of(NULL);
}

cpu_id_t sched_quiet_cpu(bool blocking, cpu_id_t other)
{
	cpu_id_t cpu;

	if (own_queue()->ready_count == 0 && (blocking || own_queue()->idle))
		return this_cpu()->index;
	cpu = sched_find_idle_of(NULL);
	return cpu != CPU_NONE ? cpu : other;
}

bool sched_is_alone(void)
{
	return __atomic_load_n(&own_queue()->ready_count, __ATOMIC_RELAXED) == 0;
}

/* As sched_choose(), or CPU_NONE. */
static cpu_id_t look_for(const uint64_t *set, cpu_id_t after)
{
	cpu_id_t best = CPU_NONE, count = cpu_count, step, cpu;
	uint64_t load, least = UINT64_MAX;

	for (step = 1; step <= count; step++) {
		cpu = (after % count + step) % count;
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
	return best;
}

cpu_id_t sched_choose(const uint64_t *set, cpu_id_t after)
{
	cpu_id_t best;

	/*
	 * SET is never empty, but a program may change it while we look (a thread's, by
	 * sched_setaffinity(2) of another one), CPU by CPU: always to those looked at before.
	 */
	while (unlikely((best = look_for(set, after)) == CPU_NONE))
		lock_relax();
	return best;
}

cpu_id_t sched_lighter_cpu(const uint64_t *set, bool turn)
{
	/* This thread is one more than the queue. It must not make that CPU the fuller one. */
	unsigned int least = own_queue()->ready_count + (turn ? 1 : 0), load;
	struct run_queue *queue;
	cpu_id_t cpu, lightest = CPU_NONE;

	FOR_EACH_ONLINE_CPU(cpu) {
		queue = queue_if_up(cpu);
		if (!queue || cpu == this_cpu()->index || !set_has(set, cpu))
			continue;
		load = __atomic_load_n(&queue->ready_count, __ATOMIC_RELAXED) + !queue->idle;
		if (load < least) {
			least = load;
			lightest = cpu;
		}
	}
	return lightest;
}

cpu_id_t sched_wake_cpu(const struct thread *thread)
{
	cpu_id_t idle;

	if (set_has(thread->cpus, thread->cpu) && sched_is_idle(thread->cpu))
		return thread->cpu;
	idle = sched_find_idle_of(thread->cpus);
	if (idle != CPU_NONE)
		return idle;
	if (set_has(thread->cpus, thread->cpu))
		return thread->cpu;
	return sched_choose(thread->cpus, thread->cpu);
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
			change_cpu(thread, this_cpu()->index);
			found = thread;
			break;
		}
	}
	lock_drop(&queue->lock);
	return found;
}

struct thread *sched_steal(void)
{
	struct run_queue *queue;
	struct thread *thread;
	cpu_id_t count = cpu_count, step, cpu;

	for (step = 1; step < count; step++) {
		cpu = (this_cpu()->index + step) % count;
		queue = queue_if_up(cpu);
		if (!queue || __atomic_load_n(&queue->ready_count, __ATOMIC_RELAXED) == 0)
			continue;
		thread = steal_from(cpu);
		if (thread)
			return thread;
	}
	return NULL;
}
