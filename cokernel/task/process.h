/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process: a program with its address space and threads, one for each task
 * that Linux announced. It lives from TASK_NEW until its last thread is gone,
 * held by references: one of the list of tasks until then, one of each thread.
 * The last reference frees it and tells Linux (TASK_ENDED).
 */
#ifndef CK_TASK_PROCESS_H
#define CK_TASK_PROCESS_H

#include <pisces/abi.h>

#include "fs/file_table.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "lib/types.h"
#include "task/interval.h"
#include "task/signal.h"
#include "task/timer.h"
#include "task/wait.h"

struct aspace;
struct channel;
struct own_directories;
struct signal_files;
struct staged;
struct thread;

/* What there was when a page could not be had: bytes. */
struct memory_shortage {
	user_addr_t address;
	uint64_t mapping; /* around it */
	uint64_t resident, reserved;
	uint64_t total, free; /* of the enclave; total 0: it did not happen */
};

struct process {
	uint32_t task; /* number given by the module */
	uint32_t references;
	struct list link; /* in the list of all */
	struct lock lock; /* threads, signals, state */
	struct aspace *aspace; /* NULL until the program is loaded */
	struct channel *channel;
	tid_t pid; /* of its proxy in Linux */
	uint32_t uid, gid;
	uint32_t umask; /* as the proxy has it */
	uint64_t cpus[PISCES_CPU_WORDS]; /* indices */
	struct list threads;
	unsigned int thread_count;
	unsigned int leaving; /* of these: in thread_exit() */
	bool started;

	struct signal_action actions[SIGNAL_COUNT];
	struct signal_queue pending;
	struct signal_files *signal_files; /* task/signal_file.h; on the heap, or NULL */
	bool stopped; /* SIGSTOP: threads wait in stop_queue until SIGCONT */
	struct wait_queue stop_queue;

	struct wait_queue alone_queue; /* who waits until it is the only thread */

	bool ending; /* exit_group or a fatal signal: all threads leave */
	bool orphan; /* the proxy is gone: nothing is sent to it any more */
	int wait_status; /* as waitpid(2) gives it; of who was first to say */
	int leader_status; /* of the first thread, if it left by itself */

	struct lock timers_lock; /* all timers, but for expiry; before the lock of the process */
	struct interval intervals[INTERVALS]; /* of setitimer */
	struct list timers;	 /* of timer_create; under both locks */
	unsigned int timer_count;
	int next_timer;

	struct own_directories *directories; /* open ones of fs/own_dir.c, on the heap, or NULL */
	bool barriers, barriers_rseq; /* membarrier: registered */
	bool places_fixed; /* ADDR_NO_RANDOMIZE, for what it executes */
	bool told_no_fork;

	nsec_t cpu_time; /* of ended threads */
	uint64_t switches;
	nsec_t start_time;
	uint64_t stack_limit;
	char path[256]; /* of the program, as in AT_EXECFN */
	char *executable; /* the same as /proc/self/exe has it; on the heap, or NULL */
	user_addr_t stack_top;
	/* Strings on its stack: arguments up to environment, that up to its end. */
	user_addr_t arguments, environment, environment_end;
	struct file_table file_table; /* memory files among its descriptors */
	struct list mapped_files; /* that it maps shared (fs/mapped_file.h) */
	bool record_locks; /* it takes those of fcntl() */
	struct staged *staged; /* of staged I/O, on the heap; NULL: its I/O is forwarded */
	bool short_of_memory;		 /* it dies of that: */
	struct memory_shortage shortage;
};

/* channel/control.c calls these as the module asks. */
void process_task_new(uint32_t task, phys_addr_t channel, uint64_t size, uint32_t uid, uint32_t gid,
		      tid_t pid);
void process_task_cpus(uint32_t task, uint32_t word, uint64_t bits);
void process_task_start(uint32_t task);
void process_task_signal(uint32_t task, const struct signal_info *info);
void process_task_kill(uint32_t task);

/* FN for each process, under the lock of the list, until it says false. Returns the last answer. */
bool process_for_each(bool (*fn)(struct process *process, void *argument), void *argument);

/*
 * May the running process look into PROCESS, at its memory and descriptors? As ptrace(2) is
 * asked on Linux.
 */
bool process_may_reach(const struct process *process);

void process_get(struct process *process);
void process_put(struct process *process); /* no lock held */

/* Makes all threads leave; the first call decides the status. Any thread may call. */
void process_end(struct process *process, int wait_status);

/* thread_exit(): the last thread is leaving and still runs. */
void process_last_thread_gone(struct process *process);

/*
 * alone.c: ends all threads but the running one, and makes that the first thread. 0, or
 * -EINTR: it is to leave itself.
 */
int process_alone(void);

/* For leave_process(): only one thread is left. */
void process_one_is_left(struct process *process);

/* CPU time of all its threads, ended ones too. */
nsec_t process_cpu_time(struct process *process);

/* A line for the user's stderr through the proxy ("enclave: " is put before it
 * there), and for the console. From a thread of PROCESS that may sleep. */
void process_report(struct process *process, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The program's name without its folders. */
const char *process_name(const struct process *process);

/* out_of_memory.c: says so if the process died of that. From its last thread. */
void out_of_memory_report(struct process *process);

/* THREAD, the running one, comes out of a call that found no memory: its process ends. */
void out_of_memory_end(struct thread *thread);

/* exec.c: the entry of a program's first thread. */
void exec_main(void *process);

/* Encodings of wait statuses. */
#define WAIT_EXITED(code) (((code) & 0xff) << 8)
#define WAIT_SIGNALED(signal) ((signal) & 0x7f)

#endif
