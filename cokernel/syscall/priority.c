/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scheduling policies and priorities. There is one policy: threads of a CPU take
 * turns. What a plain user may set is taken, remembered where it can be asked for
 * again, and changes nothing; what she may not is refused.
 */
#include <linux/ioprio.h>
#include <linux/resource.h>

#include "lib/string.h"
#include "syscall/handlers.h"
#include "task/process.h"
#include "task/sched.h"
#include "task/thread.h"

#define SCHED_OTHER 0u
#define SCHED_FIFO 1u
#define SCHED_RR 2u
#define SCHED_BATCH 3u
#define SCHED_IDLE 5u
#define SCHED_DEADLINE 6u
#define RESET_ON_FORK 0x40000000u

#define NICE_MOST 19
#define NICE_LEAST (-20)
#define REAL_TIME_MOST 99

/* struct sched_attr of the ABI, its first version. */
struct user_attributes {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime;
	uint64_t deadline;
	uint64_t period;
};
_Static_assert(sizeof(struct user_attributes) == 48, "struct sched_attr of the ABI");
#define ATTRIBUTES_MOST 4096u

/* The thread that TID names, referenced; 0: the caller. NULL: there is none. */
static struct thread *find(tid_t tid)
{
	if (tid != 0)
		return thread_find(tid);
	thread_get(thread_current());
	return thread_current();
}

static int check_number(uint64_t tid)
{
	struct thread *thread;

	if ((int32_t)tid < 0)
		return -EINVAL;
	thread = find((tid_t)tid);
	if (!thread)
		return -ESRCH;
	thread_put(thread);
	return 0;
}

/* Does POLICY take PRIORITY? 0; -EINVAL; -EPERM for one that needs rights. */
static int check_policy(uint32_t policy, uint32_t priority)
{
	switch (policy & ~RESET_ON_FORK) {
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
		return priority == 0 ? 0 : -EINVAL;
	case SCHED_FIFO:
	case SCHED_RR:
		return priority >= 1 && priority <= REAL_TIME_MOST ? -EPERM : -EINVAL;
	default:
		return -EINVAL;
	}
}

int64_t syscall_sched_getscheduler(const struct syscall_args *args)
{
	struct thread *thread;
	int64_t policy;
	int error = check_number(args->a[0]);

	if (error)
		return error;
	thread = find((tid_t)args->a[0]);
	policy = thread ? thread->sched_policy : SCHED_OTHER;
	if (thread)
		thread_put(thread);
	return policy;
}

/* Sets POLICY and, if it is not negative by more than may be, NICE for thread TID. */
static int set_policy(tid_t tid, uint32_t policy)
{
	struct thread *thread = find(tid);

	if (!thread)
		return -ESRCH;
	if (thread->process != process_current()) {
		thread_put(thread);
		return -EPERM;
	}
	thread->sched_policy = (uint8_t)(policy & ~RESET_ON_FORK);
	thread_put(thread);
	return 0;
}

int64_t syscall_sched_setscheduler(const struct syscall_args *args)
{
	uint32_t priority;
	int error;

	if ((int32_t)args->a[1] < 0 || !args->a[2] || (int32_t)args->a[0] < 0)
		return -EINVAL;
	if (copy_from_user(&priority, args->a[2], sizeof(priority)) != 0)
		return -EFAULT;
	error = check_number(args->a[0]);
	if (!error)
		error = check_policy((uint32_t)args->a[1], priority);
	return error ? error : set_policy((tid_t)args->a[0], (uint32_t)args->a[1]);
}

int64_t syscall_sched_setparam(const struct syscall_args *args)
{
	uint32_t priority;
	int error;

	if (!args->a[1] || (int32_t)args->a[0] < 0)
		return -EINVAL;
	if (copy_from_user(&priority, args->a[1], sizeof(priority)) != 0)
		return -EFAULT;
	error = check_number(args->a[0]);
	return error ? error : check_policy(SCHED_OTHER, priority);
}

int64_t syscall_sched_getparam(const struct syscall_args *args)
{
	const uint32_t priority = 0;
	int error;

	if (!args->a[1])
		return -EINVAL;
	error = check_number(args->a[0]);
	return error ? error : copy_to_user(args->a[1], &priority, sizeof(priority));
}

int64_t syscall_sched_setattr(const struct syscall_args *args)
{
	struct user_attributes attributes = { 0 };
	const uint32_t known = sizeof(attributes);
	uint32_t size;
	int error;

	if (!args->a[1] || (int32_t)args->a[0] < 0 || args->a[2])
		return -EINVAL;
	if (copy_from_user(&size, args->a[1], sizeof(size)) != 0)
		return -EFAULT;
	if (size == 0)
		size = known;
	if (size < known || size > ATTRIBUTES_MOST)
		return copy_to_user(args->a[1], &known, sizeof(known)) != 0 ? -EFAULT : -E2BIG;
	if (copy_from_user(&attributes, args->a[1], sizeof(attributes)) != 0)
		return -EFAULT;
	error = check_number(args->a[0]);
	if (error)
		return error;
	if (attributes.policy == SCHED_DEADLINE)
		return -EPERM;
	if (attributes.nice < NICE_LEAST || attributes.nice > NICE_MOST)
		return -EINVAL;
	error = check_policy(attributes.policy, attributes.priority);
	return error ? error : set_policy((tid_t)args->a[0], attributes.policy);
}

int64_t syscall_sched_getattr(const struct syscall_args *args)
{
	struct user_attributes attributes = { .size = sizeof(attributes) };
	struct thread *thread;
	int error;

	if (!args->a[1] || (int32_t)args->a[0] < 0 || args->a[2] < sizeof(attributes) ||
	    args->a[2] > PAGE_SIZE || args->a[3])
		return -EINVAL;
	error = check_number(args->a[0]);
	if (error)
		return error;
	thread = find((tid_t)args->a[0]);
	if (!thread)
		return -ESRCH;
	attributes.policy = thread->sched_policy;
	attributes.nice = thread->nice;
	thread_put(thread);
	return copy_to_user(args->a[1], &attributes, sizeof(attributes));
}

static int64_t priority_limit(uint64_t policy, int64_t real_time)
{
	switch (policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return real_time;
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
	case SCHED_DEADLINE:
		return 0;
	default:
		return -EINVAL;
	}
}

int64_t syscall_sched_get_priority_max(const struct syscall_args *args)
{
	return priority_limit(args->a[0], REAL_TIME_MOST);
}

int64_t syscall_sched_get_priority_min(const struct syscall_args *args)
{
	return priority_limit(args->a[0], 1);
}

int64_t syscall_sched_rr_get_interval(const struct syscall_args *args)
{
	int error = check_number(args->a[0]);

	return error ? error : time_to_user(args->a[1], SCHED_SLICE);
}

/* ---- nice ---- */

/* The one whom WHICH and WHO name: our own process, users and groups are the caller alone. */
static struct thread *find_by(uint64_t which, uint64_t who, int *error)
{
	struct process *process = process_current();
	struct thread *thread = NULL;

	*error = -ESRCH;
	switch (which) {
	case PRIO_PROCESS:
		thread = find((tid_t)who);
		break;
	case PRIO_PGRP:
		thread = find(who == process->pid ? 0 : (tid_t)who);
		break;
	case PRIO_USER:
		if (who == 0 || who == process->uid)
			thread = find(0);
		break;
	default:
		*error = -EINVAL;
	}
	return thread;
}

int64_t syscall_getpriority(const struct syscall_args *args)
{
	struct thread *thread;
	int64_t nice;
	int error;

	thread = find_by(args->a[0], args->a[1], &error);
	if (!thread)
		return error;
	nice = thread->nice;
	thread_put(thread);
	/* So that no result is negative. */
	return 20 - nice;
}

int64_t syscall_setpriority(const struct syscall_args *args)
{
	int64_t nice = (int32_t)args->a[2];
	struct thread *thread;
	int error;

	thread = find_by(args->a[0], args->a[1], &error);
	if (!thread)
		return error;
	if (nice > NICE_MOST)
		nice = NICE_MOST;
	if (nice < NICE_LEAST)
		nice = NICE_LEAST;
	error = 0;
	if (thread->process != process_current())
		error = -EPERM;
	else if (nice < thread->nice)
		error = -EACCES;
	else
		thread->nice = (int8_t)nice;
	thread_put(thread);
	return error;
}

/* ---- of input and output: Linux does that for the proxy ---- */

int64_t syscall_ioprio_get(const struct syscall_args *args)
{
	int error;

	if (args->a[0] < IOPRIO_WHO_PROCESS || args->a[0] > IOPRIO_WHO_USER)
		return -EINVAL;
	error = args->a[0] == IOPRIO_WHO_PROCESS ? check_number(args->a[1]) : 0;
	return error;
}

int64_t syscall_ioprio_set(const struct syscall_args *args)
{
	uint64_t class = IOPRIO_PRIO_CLASS(args->a[2]);

	if (args->a[0] < IOPRIO_WHO_PROCESS || args->a[0] > IOPRIO_WHO_USER)
		return -EINVAL;
	if (class == IOPRIO_CLASS_RT)
		return -EPERM;
	if (class > IOPRIO_CLASS_IDLE)
		return -EINVAL;
	return args->a[0] == IOPRIO_WHO_PROCESS ? check_number(args->a[1]) : 0;
}
