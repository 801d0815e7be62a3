/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What sched.c, which switches, and sched_place.c, which says where, share. */
#ifndef CK_TASK_RUN_QUEUE_H
#define CK_TASK_RUN_QUEUE_H

#include "arch/cpu.h"
#include "lib/list.h"
#include "lib/lock.h"
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
	bool awake;	      /* and looks at `ready_count` now: no kick is needed */
	bool closed;	      /* its CPU has left: who was to go here goes elsewhere */
	struct timer slice;
	unsigned int slices; /* that have ended; its CPU's alone */
	nsec_t idled;	     /* how long its CPU had nothing to do, the last time; its CPU's alone */
	struct thread *previous;
	enum aftermath aftermath;
};

static inline struct run_queue *queue_of(cpu_id_t cpu)
{
	return cpu_get(cpu)->run_queue;
}

/* For looking at all CPUs, of which some may be on their way up still: then NULL. */
static inline struct run_queue *queue_if_up(cpu_id_t cpu)
{
	struct cpu *which = cpu_get(cpu);

	return which ? __atomic_load_n(&which->run_queue, __ATOMIC_ACQUIRE) : NULL;
}

static inline struct run_queue *own_queue(void)
{
	return this_cpu()->run_queue;
}

static inline bool set_has(const uint64_t *set, cpu_id_t cpu)
{
	return __atomic_load_n(&set[cpu / 64], __ATOMIC_RELAXED) >> (cpu % 64) & 1;
}

/* QUEUE->lock is held. True: its CPU is to be told, after the lock is dropped. */
static inline bool enqueue(struct run_queue *queue, struct thread *thread)
{
	list_append(&queue->ready, &thread->run_link);
	return queue->ready_count++ == 0;
}

/*
 * Makes THREAD, which is in no queue and does not run, one of CPU TO. The lock of the
 * queue that it counts for is held.
 */
static inline void change_cpu(struct thread *thread, cpu_id_t to)
{
	__atomic_fetch_sub(&queue_of(thread->cpu)->threads, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&queue_of(to)->threads, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&thread->cpu, to, __ATOMIC_RELEASE);
}

/* ---- idle.c ---- */

/* This CPU got something to do. */
void idle_ends(struct run_queue *queue);

/*
 * This CPU has nothing to do: waits awake for a thread, or an interrupt, for as long as is
 * worth it. Called, and returns, with interrupts off; serves them meanwhile.
 */
void idle_linger(struct run_queue *queue);

/* Does CPU, which is another one and in whose queue a thread was just put, need a kick? */
bool idle_needs_kick(cpu_id_t cpu);

/* ---- sched_place.c ---- */

/* An idle CPU online of SET (NULL: any), or CPU_NONE. */
cpu_id_t sched_find_idle_of(const uint64_t *set);

/*
 * The CPU of SET that has so many fewer threads to run than this one that the running
 * thread, whose slice is over, should go there: two fewer, and with TURN one, or CPU_NONE.
 */
cpu_id_t sched_lighter_cpu(const uint64_t *set, bool turn);

/* Where THREAD, which is blocked and wakes up, goes. */
cpu_id_t sched_wake_cpu(const struct thread *thread);

/*
 * This CPU has nothing to do: a thread from one that has too much, to be put into this
 * CPU's queue; or NULL.
 */
struct thread *sched_steal(void);

#endif
