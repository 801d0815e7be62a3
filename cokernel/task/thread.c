/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "task/thread.h"

#include "arch/cpu.h"
#include "arch/time.h"
#include "arch/user.h"
#include "boot/boot.h"
#include "channel/channel.h"
#include "fs/mapped_file.h"
#include "fs/staged.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/heap.h"
#include "task/futex.h"
#include "task/process.h"
#include "task/sched.h"

/* Threads by number. */
/* Of one process: there is room for some 32,000 kernel stacks (arch/stack.h), for all of them. */
#define THREADS_MOST 2048u

#define TABLE_SIZE 256u
static struct list table[TABLE_SIZE];
static struct lock table_lock = LOCK_INIT;

/* Numbers of our own start above Linux's largest pid, so that no proxy's is among them. */
#define TID_FIRST 0x400000u
#define TID_LAST 0x3fffffffu /* what a robust or PI futex has room for */
static uint32_t last_tid = TID_FIRST - 1;

struct thread *thread_current(void)
{
	return this_cpu()->current;
}

struct process *process_current(void)
{
	return this_cpu()->current->process;
}

static struct list *bucket_of(tid_t tid)
{
	struct list *bucket = &table[tid % TABLE_SIZE];

	if (!bucket->next)
		list_init(bucket);
	return bucket;
}

/* table_lock is held. */
static struct thread *find_locked(tid_t tid)
{
	struct list *pos;
	struct thread *thread;

	LIST_FOR_EACH(pos, bucket_of(tid)) {
		thread = LIST_ENTRY(pos, struct thread, all_link);
		if (thread->tid == tid)
			return thread;
	}
	return NULL;
}

tid_t tid_allocate(void)
{
	tid_t tid;

	lock_take(&table_lock);
	do {
		last_tid = last_tid >= TID_LAST ? TID_FIRST : last_tid + 1;
	} while (find_locked(last_tid));
	tid = last_tid;
	lock_drop(&table_lock);
	return tid;
}

struct thread *thread_find(tid_t tid)
{
	struct thread *thread;

	lock_take(&table_lock);
	thread = find_locked(tid);
	if (thread)
		thread_get(thread);
	lock_drop(&table_lock);
	return thread;
}

void thread_get(struct thread *thread)
{
	__atomic_fetch_add(&thread->references, 1, __ATOMIC_RELAXED);
}

void thread_put(struct thread *thread)
{
	struct process *process = thread->process;

	if (__atomic_fetch_sub(&thread->references, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	context_destroy(&thread->context);
	heap_free(thread);
	__atomic_fetch_sub(&boot_status->threads, 1, __ATOMIC_RELAXED);
	process_put(process);
}

static void wait_expired(struct timer *timer)
{
	struct thread *thread = CONTAINER_OF(timer, struct thread, wait_timer);

	__atomic_store_n(&thread->timed_out, true, __ATOMIC_RELEASE);
	sched_wake(thread);
}

/* Those of CPUS that the process has; all it has if there is none. process->lock is held. */
static void set_cpus(struct thread *thread, const uint64_t *cpus)
{
	const uint64_t *most = thread->process->cpus;
	uint64_t any = 0;
	unsigned int i;

	for (i = 0; i < PISCES_CPU_WORDS; i++)
		any |= thread->cpus[i] = cpus[i] & most[i];
	if (any == 0)
		memcpy(thread->cpus, most, sizeof(thread->cpus));
}

_Static_assert(offsetof(struct thread, context) == 0, "entry.S finds it by the current thread");

/* The first code of every thread. */
static void begin(void *argument)
{
	struct thread *self = argument;

	sched_begin();
	self->entry(self->argument);
	panic("the entry of thread %u returned", self->tid);
}

struct thread *thread_create(struct process *process, tid_t tid, const uint64_t *cpus,
			     void (*entry)(void *), void *argument, int *error)
{
	struct thread *thread = heap_alloc_zero(sizeof(*thread));
	bool leaving;

	*error = ENOMEM;
	if (!thread)
		return NULL;
	if (!context_init(&thread->context, begin, thread, true)) {
		heap_free(thread);
		return NULL;
	}
	thread->process = process;
	thread->tid = tid;
	thread->context.pid = process->pid;
	thread->context.tid = tid;
	thread->state = THREAD_RUNNABLE;
	thread->references = 1;
	thread->entry = entry;
	thread->argument = argument;
	if (thread_current()->process == process)
		thread->policy = thread_current()->policy;
	thread->signals.altstack_flags = SIGNAL_STACK_DISABLE;
	signal_queue_init(&thread->signals.pending);
	list_init(&thread->run_link);
	list_init(&thread->wait_link);
	list_init(&thread->process_link);
	list_init(&thread->all_link);
	timer_init(&thread->wait_timer, wait_expired);
	lock_take(&process->lock);
	leaving = process->ending ||
		  (thread_current()->process == process && thread_current()->dying);
	if (leaving || process->thread_count >= THREADS_MOST) {
		*error = leaving ? ESRCH : ENOMEM;
		lock_drop(&process->lock);
		context_destroy(&thread->context);
		heap_free(thread);
		return NULL;
	}
	/* From here on hotplug.c finds it, so it must not have a CPU that went before. */
	set_cpus(thread, cpus);
	/* A program begins on its first CPU, and goes on to the others from there. */
	thread->cpu = sched_choose(thread->cpus, process->thread_count == 0 ? PISCES_MAX_CPUS - 1 :
									      this_cpu()->index);
	thread->wait_timer.cpu = thread->cpu;
	process_get(process);
	list_append(&process->threads, &thread->process_link);
	process->thread_count++;
	lock_take(&table_lock);
	list_append(bucket_of(tid), &thread->all_link);
	lock_drop(&table_lock);
	lock_drop(&process->lock);
	sched_count(thread);
	__atomic_fetch_add(&boot_status->threads, 1, __ATOMIC_RELAXED);
	return thread;
}

void thread_start(struct thread *thread)
{
	sched_add(thread);
}

void thread_end(struct thread *thread)
{
	__atomic_store_n(&thread->dying, true, __ATOMIC_SEQ_CST);
	wait_interrupt(thread);
	sched_poke(thread);
}

/* Nobody finds THREAD any more. True: it was the last of its process. */
static bool leave_process(struct thread *thread)
{
	struct process *process = thread->process;
	unsigned int left;

	lock_take(&process->lock);
	list_remove(&thread->process_link);
	left = __atomic_sub_fetch(&process->thread_count, 1, __ATOMIC_SEQ_CST);
	if (thread->leaving)
		process->leaving--;
	process->cpu_time += sched_cpu_time(thread);
	process->switches += thread->switches;
	signal_hand_over(process, thread);
	lock_take(&table_lock);
	list_remove(&thread->all_link);
	lock_drop(&table_lock);
	lock_drop(&process->lock);
	sched_forget(thread);
	if (left == 1)
		process_one_is_left(process);
	return left == 0;
}

void thread_lead(struct thread *self)
{
	struct process *process = self->process;

	lock_take(&process->lock);
	lock_take(&table_lock);
	list_remove(&self->all_link);
	self->tid = process->pid;
	self->context.tid = process->pid;
	list_append(bucket_of(self->tid), &self->all_link);
	lock_drop(&table_lock);
	lock_drop(&process->lock);
}

void thread_discard(struct thread *thread)
{
	leave_process(thread);
	thread_put(thread);
}

/* As the kernel ABI says for CLONE_CHILD_CLEARTID: joiners wait on this word. */
static void clear_tid(struct thread *self)
{
	user_addr_t address = self->clear_child_tid;
	uint32_t zero = 0;

	if (!address)
		return;
	self->clear_child_tid = 0;
	if (copy_to_user(address, &zero, sizeof(zero)) == 0)
		futex_wake(address, 1, FUTEX_ANY, true);
}

/* The others, if there are any, are on their way out too, and make no new ones. */
static bool is_last_to_leave(struct thread *self)
{
	struct process *process = self->process;
	bool last;

	lock_take(&process->lock);
	self->leaving = true;
	last = ++process->leaving == process->thread_count;
	lock_drop(&process->lock);
	return last;
}

void thread_exit(int wait_status)
{
	struct thread *self = thread_current();
	struct process *process = self->process;

	/* Also with all of its process: its locks may be in memory that other processes share. */
	futex_thread_exit();
	if (!process->ending)
		clear_tid(self);
	if (self->tid == process->pid)
		process->leader_status = wait_status;
	/* While it is one of the process yet: CPUs may come and go meanwhile. */
	if (is_last_to_leave(self)) {
		if (process->staged)
			staged_end(process);
		else
			mapped_files_end(process);
	}
	if (leave_process(self))
		process_last_thread_gone(process);
	sched_exit();
}
