/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who runs: one run queue for each CPU, first come first served, no tick. A CPU
 * with one runnable thread takes no timer interrupt at all; with more it gives
 * each a slice (SCHED_SLICE), behind which a thread may go on where there are fewer.
 *
 * The order of locks in task/, channel/ and syscall/, first to last; who holds
 * one may take those below it, never one above:
 *
 *	list of processes     (process.c)
 *	process->lock
 *	table of threads      (thread.c)
 *	pipe->lock            (fs/pipe.h)
 *	wait_queue->lock      (futex buckets in order of address; a channel's is
 *			       its queue's)
 *	run queue             (sched.c; one at a time)
 *	timers of a CPU       (timer.c; callbacks run without it)
 *
 * No lock is held while a program's memory is copied or an aspace_ function
 * runs: those may wait for other CPUs to give up old translations, and such a
 * CPU could be spinning for that very lock. References are given back (thread_put,
 * process_put) with no lock held, since the last one frees.
 */
#ifndef CK_TASK_SCHED_H
#define CK_TASK_SCHED_H

#include "lib/types.h"

struct thread;
struct aspace;
struct cpu;

#define SCHED_SLICE (10u * 1000 * 1000) /* ns */

void sched_init(void);	   /* once */
void sched_init_cpu(void); /* each CPU: makes the running boot code its idle thread */

/*
 * What CPU needs for sched_init_cpu(), made beforehand, if it has it not from the CPU
 * that was there before. False: out of memory. sched_cancel_cpu() undoes it for a CPU
 * that never came up.
 */
bool sched_prepare_cpu(struct cpu *cpu);
void sched_cancel_cpu(struct cpu *cpu);

/*
 * The idle thread of this CPU, which no thread has in its set any more: from now on
 * nothing comes into its queue. False: something is still there.
 */
bool sched_close_cpu(void);

/* The idle loop of this CPU: runs threads; when there are none, serves rings and halts. */
__noreturn void sched_run(void);

/*
 * Puts a new thread, whose CPU is chosen, into its run queue. Its state is RUNNABLE
 * and nobody else knows it yet.
 */
void sched_add(struct thread *thread);

/*
 * Makes THREAD look again at what it waits for (a spurious wake is harmless) and
 * its CPU notice. A blocked thread goes to an idle CPU of its set if its own is busy.
 */
void sched_wake(struct thread *thread);

/*
 * The same for a waiter that is woken: also clears thread->waiting_on, under the
 * run queue's lock, so that THREAD cannot have run on and ended before this is over.
 */
void sched_wake_waiter(struct thread *thread);

/* If THREAD runs on another CPU, makes it pass through return_to_user() soon. */
void sched_poke(struct thread *thread);

/* Gives the CPU away; the running thread stays runnable. */
void sched_yield_cpu(void);

/* Sleeps until wait_is_over() says so: for wait.c. */
void sched_block(void);

/* The running thread's set of CPUs no longer has this one: goes on on CPU TO. */
void sched_migrate(cpu_id_t to);

/* Ends the running thread, whose reference is given back once it is off its stack. */
__noreturn void sched_exit(void);

/* First thing of a new thread on its own stack. */
void sched_begin(void);

/* The running process got (or gives up) its address space. */
void sched_use_aspace(struct aspace *aspace);

/* On the way to user mode: gives the CPU to another thread if the slice is over. */
void sched_return_to_user(void);

/*
 * The CPU of SET (indices) where a new thread disturbs least: the fewest threads,
 * then the nearest after AFTER. SET is not empty, but it may change meanwhile.
 */
cpu_id_t sched_choose(const uint64_t *set, cpu_id_t after);

/* THREAD counts for its CPU in sched_choose(), until sched_forget(). */
void sched_count(struct thread *thread);
void sched_forget(struct thread *thread);

/*
 * Where a bell disturbs least: this CPU if it idles, or will when the running thread
 * blocks (BLOCKING: it is about to); else another idle one; else OTHER.
 */
cpu_id_t sched_quiet_cpu(bool blocking, cpu_id_t other);
bool sched_is_idle(cpu_id_t cpu);
cpu_id_t sched_find_idle(void); /* any idle CPU, or CPU_NONE */

/* Does no other thread want the running one's CPU? Others may at any time. */
bool sched_is_alone(void);

/* CPU time of a thread so far, the running stretch included. */
nsec_t sched_cpu_time(const struct thread *thread);

#endif
