/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads, their numbers, and what little there is to say about processes. */
#include <asm/prctl.h>
#include <linux/futex.h>
#include <linux/prctl.h>

#include "arch/context.h"
#include "arch/time.h"
#include "lib/string.h"
#include "syscall/handlers.h"
#include "task/futex.h"
#include "task/process.h"
#include "task/sched.h"
#include "task/thread.h"

int64_t syscall_sched_yield(const struct syscall_args *args)
{
	(void)args;
	sched_yield_cpu();
	return 0;
}

int64_t syscall_getpid(const struct syscall_args *args)
{
	(void)args;
	return process_current()->pid;
}

int64_t syscall_gettid(const struct syscall_args *args)
{
	(void)args;
	return thread_current()->tid;
}

/* As for any process whose parent is in another pid namespace: here, on Linux. */
int64_t syscall_getppid(const struct syscall_args *args)
{
	(void)args;
	return 0;
}

int64_t syscall_wait4(const struct syscall_args *args)
{
	(void)args;
	return -ECHILD;
}

int64_t syscall_waitid(const struct syscall_args *args)
{
	(void)args;
	return -ECHILD;
}

int64_t syscall_exit(const struct syscall_args *args)
{
	thread_exit(WAIT_EXITED((int)args->a[0]));
}

int64_t syscall_exit_group(const struct syscall_args *args)
{
	process_end(process_current(), WAIT_EXITED((int)args->a[0]));
	thread_exit(process_current()->wait_status);
}

int64_t syscall_set_tid_address(const struct syscall_args *args)
{
	thread_current()->clear_child_tid = args->a[0];
	return thread_current()->tid;
}

#define ROBUST_HEAD_SIZE 24u

int64_t syscall_set_robust_list(const struct syscall_args *args)
{
	if (args->a[1] != ROBUST_HEAD_SIZE)
		return -EINVAL;
	thread_current()->robust_list = args->a[0];
	return 0;
}

int64_t syscall_get_robust_list(const struct syscall_args *args)
{
	const uint64_t size = ROBUST_HEAD_SIZE;
	tid_t tid = (tid_t)args->a[0];
	struct thread *thread;
	user_addr_t list;

	thread = thread_find(tid == 0 ? thread_current()->tid : tid);
	if (!thread)
		return -ESRCH;
	list = thread->robust_list;
	if (thread->process != process_current()) {
		thread_put(thread);
		return -EPERM;
	}
	thread_put(thread);
	if (copy_to_user(args->a[1], &list, sizeof(list)) != 0 ||
	    copy_to_user(args->a[2], &size, sizeof(size)) != 0)
		return -EFAULT;
	return 0;
}

int64_t syscall_arch_prctl(const struct syscall_args *args)
{
	uint64_t value;

	switch (args->a[0]) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (args->a[1] >= USER_END)
			return -EPERM;
		if (args->a[0] == ARCH_SET_FS)
			context_set_fs_base(args->a[1]);
		else
			context_set_gs_base(args->a[1]);
		return 0;
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		value = args->a[0] == ARCH_GET_FS ? context_fs_base() : context_gs_base();
		return copy_to_user(args->a[1], &value, sizeof(value));
	default:
		return -EINVAL;
	}
}

int64_t syscall_prctl(const struct syscall_args *args)
{
	struct thread *self = thread_current();
	char name[sizeof(self->name)] = "";
	long length;

	switch (args->a[0]) {
	case PR_SET_NAME:
		length = string_from_user(name, args->a[1], sizeof(name));
		if (length == -EFAULT)
			return -EFAULT;
		/* A longer one is cut. */
		name[sizeof(name) - 1] = '\0';
		memcpy(self->name, name, sizeof(name));
		return 0;
	case PR_GET_NAME:
		return copy_to_user(args->a[1], self->name, sizeof(self->name));
	case PR_GET_DUMPABLE:
		return 1;
	case PR_GET_TIMERSLACK:
		return 1;
	case PR_SET_DUMPABLE:
	case PR_SET_TIMERSLACK:
	case PR_SET_NO_NEW_PRIVS:
		return 0;
	default:
		return -EINVAL;
	}
}

/* ---- futex ---- */

/*
 * The deadline of an operation, from the timespec at AT (0: none). RELATIVE: a
 * span from now; REALTIME: of that clock.
 */
static int futex_deadline(user_addr_t at, bool relative, bool realtime, nsec_t *deadline)
{
	nsec_t time, ahead;
	int error;

	*deadline = NSEC_FOREVER;
	if (!at)
		return 0;
	error = time_from_user(at, &time);
	if (error)
		return error;
	if (relative) {
		*deadline = deadline_of_call(time);
	} else if (realtime && time != NSEC_FOREVER) {
		ahead = time_realtime();
		*deadline = time > ahead ? time_after(time - ahead) : 1;
	} else {
		*deadline = time;
	}
	return 0;
}

/*
 * An interrupted wait: one without an end is begun again after a handler that says so, one with
 * a deadline only if no handler runs. A point in time needs no memory to be waited for again.
 */
static int64_t futex_wait_result(int64_t result, bool timed, bool absolute, nsec_t deadline)
{
	if (result != -EINTR)
		return result;
	if (!timed)
		return -ERESTARTSYS;
	if (absolute)
		return -ERESTARTNOHAND;
	thread_current()->restart_deadline = deadline;
	return -ERESTART_DEADLINE;
}

int64_t syscall_futex(const struct syscall_args *args)
{
	user_addr_t address = args->a[0], second = args->a[4], timeout = args->a[3];
	uint32_t op = (uint32_t)args->a[1], value = (uint32_t)args->a[2];
	uint32_t value2 = (uint32_t)args->a[3], value3 = (uint32_t)args->a[5];
	bool shared = !(op & FUTEX_PRIVATE_FLAG), realtime = op & FUTEX_CLOCK_REALTIME;
	uint32_t command = op & (uint32_t)FUTEX_CMD_MASK;
	nsec_t deadline;
	int64_t result;
	int error;

	switch (command) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		error = futex_deadline(timeout, command == FUTEX_WAIT, realtime, &deadline);
		if (error)
			return error;
		result = futex_wait(address, value, command == FUTEX_WAIT ? FUTEX_ANY : value3,
				    deadline, shared);
		return futex_wait_result(result, timeout != 0, command == FUTEX_WAIT_BITSET,
					 deadline);
	case FUTEX_WAKE:
		return futex_wake(address, value, FUTEX_ANY, shared);
	case FUTEX_WAKE_BITSET:
		return futex_wake(address, value, value3, shared);
	case FUTEX_REQUEUE:
		return futex_requeue(address, value, second, value2, false, 0, shared);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(address, value, second, value2, true, value3, shared);
	case FUTEX_WAKE_OP:
		return futex_wake_op(address, value, second, value2, value3, shared);
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		error = futex_deadline(timeout, false, command == FUTEX_LOCK_PI || realtime,
				       &deadline);
		if (error)
			return error;
		return futex_lock_pi(address, deadline, false, shared);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(address, NSEC_FOREVER, true, shared);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(address, shared);
	default:
		return -ENOSYS;
	}
}
