/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "task/posix_timer.h"
#include "task/process.h"

#include <stdarg.h>

#include "arch/cpu.h"
#include "arch/time.h"
#include "arch/tlb.h"
#include "boot/boot.h"
#include "channel/channel.h"
#include "channel/control.h"
#include "fs/staged.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/heap.h"
#include "mm/page.h"
#include "task/sched.h"
#include "task/signal_file.h"
#include "task/thread.h"
#include "task/usage.h"

/* As the proxy exits when the enclave failed, not the program. */
#define STATUS_FAILED 125

static struct list processes = LIST_INIT(processes);
static struct lock processes_lock = LOCK_INIT;

/* The process of TASK with a reference taken, or NULL. */
static struct process *find(uint32_t task)
{
	struct process *found = NULL;
	struct list *pos;

	lock_take(&processes_lock);
	LIST_FOR_EACH(pos, &processes) {
		if (LIST_ENTRY(pos, struct process, link)->task == task) {
			found = LIST_ENTRY(pos, struct process, link);
			process_get(found);
			break;
		}
	}
	lock_drop(&processes_lock);
	return found;
}

bool process_for_each(bool (*fn)(struct process *process, void *argument), void *argument)
{
	struct list *pos;
	bool go_on = true;

	lock_take(&processes_lock);
	LIST_FOR_EACH(pos, &processes) {
		go_on = fn(LIST_ENTRY(pos, struct process, link), argument);
		if (!go_on)
			break;
	}
	lock_drop(&processes_lock);
	return go_on;
}

bool process_may_reach(const struct process *process)
{
	const struct process *self = process_current();

	return process == self || self->uid == 0 ||
	       (process->uid == self->uid && process->gid == self->gid);
}

void process_get(struct process *process)
{
	__atomic_fetch_add(&process->references, 1, __ATOMIC_RELAXED);
}

void process_put(struct process *process)
{
	if (__atomic_fetch_sub(&process->references, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	if (process->aspace) {
		tlb_unload(process->aspace);
		aspace_destroy(process->aspace);
	}
	file_table_destroy(&process->file_table);
	staged_free(process);
	signal_queue_clear(&process->pending);
	signal_files_free(process);
	channel_close(process->channel);
	usage_end(process);
	boot_status->memory_free = page_free_bytes();
	__atomic_fetch_sub(&boot_status->tasks, 1, __ATOMIC_RELAXED);
	/* Only now may Linux use the channel's pages for something else. */
	control_send_task_ended(process->task, process->wait_status);
	heap_free(process->executable);
	heap_free(process->directories);
	heap_free(process);
}

/* Takes PROCESS off the list, once; gives back the list's reference. */
static void forget(struct process *process)
{
	bool listed;

	lock_take(&processes_lock);
	listed = !list_empty(&process->link);
	list_remove(&process->link);
	lock_drop(&processes_lock);
	if (listed)
		process_put(process);
}

void process_task_new(uint32_t task, phys_addr_t channel, uint64_t size, uint32_t uid, uint32_t gid,
		      tid_t pid)
{
	struct process *process = find(task);

	if (process) {
		print("task %u is announced twice; ignored", task);
		process_put(process);
		return;
	}
	process = heap_alloc_zero(sizeof(*process));
	if (!process) {
		print("task %u: no memory for a process", task);
		control_send_task_ended(task, WAIT_SIGNALED(SIGNAL_KILL));
		return;
	}
	process->task = task;
	process->references = 1;
	process->pid = pid;
	process->uid = uid;
	process->gid = gid;
	process->wait_status = WAIT_SIGNALED(SIGNAL_KILL);
	list_init(&process->threads);
	list_init(&process->mapped_files);
	signal_queue_init(&process->pending);
	wait_queue_init(&process->stop_queue);
	wait_queue_init(&process->alone_queue);
	intervals_init(process);
	posix_timers_init(process);
	process->channel = channel_open(process, channel, size);
	if (!process->channel) {
		print("task %u: no channel at 0x%llx, %llu bytes", task, (unsigned long long)channel,
		      (unsigned long long)size);
		heap_free(process);
		control_send_task_ended(task, WAIT_SIGNALED(SIGNAL_KILL));
		return;
	}
	__atomic_fetch_add(&boot_status->tasks, 1, __ATOMIC_RELAXED);
	lock_take(&processes_lock);
	list_append(&processes, &process->link);
	lock_drop(&processes_lock);
}

void process_task_cpus(uint32_t task, uint32_t word, uint64_t bits)
{
	struct process *process = find(task);

	if (!process)
		return;
	if (word < PISCES_CPU_WORDS && !process->started) {
		/* Only CPUs that there are. */
		process->cpus[word] =
			bits & __atomic_load_n(&cpu_online_set[word], __ATOMIC_SEQ_CST);
	}
	process_put(process);
}

static bool has_cpu(const struct process *process)
{
	uint64_t any = 0;
	unsigned int i;

	for (i = 0; i < PISCES_CPU_WORDS; i++)
		any |= process->cpus[i];
	return any != 0;
}

void process_task_start(uint32_t task)
{
	struct process *process = find(task);
	struct thread *thread;
	int error;

	if (!process)
		return;
	if (process->started) {
		process_put(process);
		return;
	}
	if (!has_cpu(process)) {
		print("task %u has no CPU", task);
		goto no_thread;
	}
	thread = thread_create(process, process->pid, process->cpus, exec_main, process, &error);
	if (!thread) {
		print("task %u: no memory for its first thread", task);
		goto no_thread;
	}
	process->started = true;
	process->start_time = time_now();
	thread_start(thread);
	process_put(process);
	return;

no_thread:
	channel_send_exit(process->channel, process->wait_status, 0, 0);
	forget(process);
	process_put(process);
}

void process_task_signal(uint32_t task, const struct signal_info *info)
{
	struct process *process = find(task);

	if (!process)
		return;
	if (info->signo >= 1 && info->signo <= (int)SIGNAL_COUNT)
		signal_send_process(process, info);
	process_put(process);
}

void process_task_kill(uint32_t task)
{
	struct process *process = find(task);

	if (!process)
		return;
	process->orphan = true;
	/* Its callers come back with -EIO, and the last one out frees all. */
	channel_abandon(process->channel);
	process_end(process, WAIT_SIGNALED(SIGNAL_KILL));
	if (!process->started)
		forget(process);
	process_put(process);
}

void process_end(struct process *process, int wait_status)
{
	struct list *pos;

	lock_take(&process->lock);
	if (!process->ending) {
		process->wait_status = wait_status;
		__atomic_store_n(&process->ending, true, __ATOMIC_SEQ_CST);
	}
	LIST_FOR_EACH(pos, &process->threads)
		thread_end(LIST_ENTRY(pos, struct thread, process_link));
	lock_drop(&process->lock);
}

void process_last_thread_gone(struct process *process)
{
	uint64_t peak = 0;

	intervals_stop(process);
	posix_timers_free(process);
	if (!process->ending)
		process->wait_status = process->leader_status;
	/* The program is content; those who wait for its files are not. */
	if (process->staged && process->staged->failed && process->wait_status == WAIT_EXITED(0))
		process->wait_status = WAIT_EXITED(STATUS_FAILED);
	if (process->aspace)
		peak = aspace_peak(process->aspace);
	out_of_memory_report(process);
	if (!process->orphan)
		channel_send_exit(process->channel, process->wait_status, process->cpu_time,
				  peak / 1024);
	forget(process);
}

nsec_t process_cpu_time(struct process *process)
{
	struct list *pos;
	nsec_t time;

	lock_take(&process->lock);
	time = process->cpu_time;
	LIST_FOR_EACH(pos, &process->threads)
		time += sched_cpu_time(LIST_ENTRY(pos, struct thread, process_link));
	lock_drop(&process->lock);
	return time;
}

const char *process_name(const struct process *process)
{
	const char *name = process->path;
	const char *slash;

	while ((slash = strchr(name, '/')) != NULL && slash[1])
		name = slash + 1;
	return *name ? name : "the program";
}

void process_report(struct process *process, const char *format, ...)
{
	char line[400];
	va_list args;

	va_start(args, format);
	format_text_args(line, sizeof(line), format, args);
	va_end(args);
	print("task %u (pid %u): %s", process->task, process->pid, line);
	if (!process->orphan)
		channel_report(process->channel, line);
}
