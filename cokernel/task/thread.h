/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread: what runs on a CPU. It is bound to one CPU while it is runnable;
 * when it wakes up and its CPU is busy it may go to an idle one of its set. Idle
 * threads have no process.
 */
#ifndef CK_TASK_THREAD_H
#define CK_TASK_THREAD_H

#include <pisces/abi.h>

#include "arch/context.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "lib/types.h"
#include "mm/policy.h"
#include "task/signal.h"
#include "task/timer.h"
#include "task/wait.h"

struct process;

enum thread_state {
	THREAD_RUNNABLE, /* in a run queue or running */
	THREAD_BLOCKED,
	THREAD_DEAD,
};

struct thread {
	struct context context;
	struct process *process; /* NULL: idle thread. Holds a reference. */
	tid_t tid;
	cpu_id_t cpu;		 /* changed under the lock of the queue that it names */
	enum thread_state state; /* under the lock of its CPU's run queue */
	struct list run_link;	  /* in its CPU's run queue */
	struct list process_link; /* in process->threads */
	struct list all_link;	  /* in the table of tids */
	unsigned int references;  /* one of its own until it is off its stack */
	bool counted;		  /* among the threads of its CPU */

	/* Of wait.c: what it waits for. */
	struct list wait_link;
	struct wait_queue *waiting_on; /* under that queue's lock; NULL: woken */
	enum wait_mode wait_mode;
	bool timed_out;
	struct timer wait_timer;
	int wait_result;
	uint64_t wait_key; /* of futexes: which word */
	uint64_t wait_object;
	uint32_t wait_bits;

	struct thread_signals signals;
	uint64_t fault_vector; /* of the last exception that became a signal, */
	uint64_t fault_error;  /* for the frames of handlers */
	user_addr_t fault_address;
	nsec_t restart_deadline;   /* of a sleep that is to be restarted; 0: none */
	user_addr_t clear_child_tid; /* CLONE_CHILD_CLEARTID, set_tid_address */
	user_addr_t robust_list;
	user_addr_t rseq; /* 0: not registered */
	uint32_t rseq_signature;
	bool rseq_disturbed; /* it has lost its CPU since it was in user mode */
	uint8_t sched_policy;	     /* as sched_setscheduler said, and */
	int8_t nice;	     /* setpriority: neither changes anything */
	bool resched;		     /* give the CPU to another one on the way out */
	bool leaving;		     /* in thread_exit() */
	bool dying;		     /* its process ends: leave at the next chance */
	bool short_of_memory;	     /* in a call: its process is to end */
	bool firm;		     /* it waits for replies of Linux as long as the proxy lives */
	uint64_t cpus[PISCES_CPU_WORDS]; /* sched_setaffinity: subset of the process's */
	nsec_t cpu_time;	     /* used, up to the last switch */
	nsec_t started_at;	     /* when it was switched to */
	uint64_t switches;
	char name[16];		     /* prctl(PR_SET_NAME) */
	struct policy policy;	     /* set_mempolicy() */

	void (*entry)(void *);
	void *argument;
};

/* The running thread, and its process. */
struct thread *thread_current(void);
struct process *process_current(void);

/*
 * A new thread of PROCESS, numbered TID, on the CPU of CPUS (indices, not empty)
 * that has the fewest threads; NULL: out of memory or 2,048 threads, or the process is ending
 * (ESRCH in *error). It will run ENTRY(ARGUMENT) in the kernel once
 * thread_start() is called. It takes a reference to PROCESS.
 */
struct thread *thread_create(struct process *process, tid_t tid, const uint64_t *cpus,
			     void (*entry)(void *), void *argument, int *error);
void thread_start(struct thread *thread);

/* Undoes thread_create() for a thread that was not started. */
void thread_discard(struct thread *thread);

/* The thread of this number with a reference taken, or NULL. */
struct thread *thread_find(tid_t tid);
void thread_get(struct thread *thread);
void thread_put(struct thread *thread);

/* Ends the running thread; with the last one ends its process with STATUS. */
__noreturn void thread_exit(int wait_status);

/* THREAD is to leave at the next chance; the lock of its process is held. */
void thread_end(struct thread *thread);

/* SELF, the running one and the only one of its process, has its number from now on. */
void thread_lead(struct thread *self);

/* A number that is no thread's, above all pids of Linux. */
tid_t tid_allocate(void);

/* Must it do something else than return to its program? */
static inline bool thread_has_work(const struct thread *thread)
{
	return __atomic_load_n(&thread->dying, __ATOMIC_RELAXED) ||
	       __atomic_load_n(&thread->signals.notify, __ATOMIC_RELAXED);
}

#endif
