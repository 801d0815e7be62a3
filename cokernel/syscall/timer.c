/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timer_create(2) and its kin: arguments and answers of task/posix_timer.c. */
#include <linux/time.h>

#include "lib/string.h"
#include "syscall/handlers.h"
#include "task/posix_timer.h"
#include "task/process.h"
#include "task/signal.h"
#include "task/thread.h"

#define TIMER_ABSOLUTE 1u

/* struct sigevent of the ABI, as far as it is used. */
struct user_event {
	uint64_t value;
	int32_t signo;
	int32_t notify;
	int32_t tid;
	uint8_t pad[44];
};
_Static_assert(sizeof(struct user_event) == 64, "struct sigevent of the ABI");

/* struct itimerspec */
struct user_setting {
	struct user_time interval;
	struct user_time value;
};

static bool is_own_thread(tid_t tid)
{
	struct thread *thread = thread_find(tid);
	bool own;

	if (!thread)
		return false;
	own = thread->process == process_current();
	thread_put(thread);
	return own;
}

static int load_event(user_addr_t from, struct posix_event *event)
{
	struct user_event user;

	if (copy_from_user(&user, from, sizeof(user)) != 0)
		return -EFAULT;
	switch (user.notify) {
	case POSIX_NOTIFY_THREAD_ID:
		if (!is_own_thread((tid_t)user.tid))
			return -EINVAL;
		/* fall through */
	case POSIX_NOTIFY_SIGNAL:
	case POSIX_NOTIFY_THREAD:
		if (user.signo < 1 || user.signo > (int32_t)SIGNAL_COUNT)
			return -EINVAL;
		break;
	case POSIX_NOTIFY_NONE:
		user.signo = SIGNAL_ALRM; /* is never sent */
		break;
	default:
		return -EINVAL;
	}
	event->notify = (enum posix_notify)user.notify;
	event->signo = user.signo;
	event->value = user.value;
	event->tid = (tid_t)user.tid;
	return 0;
}

/* Clocks that a timer can have. Of CPU time: EOPNOTSUPP, since nothing ticks. */
static int check_clock(uint64_t clock, bool *realtime)
{
	*realtime = clock == CLOCK_REALTIME || clock == CLOCK_TAI;
	switch ((int32_t)clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
		return 0;
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		return -EPERM;
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

int64_t syscall_timer_create(const struct syscall_args *args)
{
	struct posix_event event;
	int32_t number;
	int64_t result;
	bool realtime;
	int error = check_clock(args->a[0], &realtime);

	if (!error && args->a[1])
		error = load_event(args->a[1], &event);
	if (error)
		return error;
	result = posix_timer_create(args->a[1] ? &event : NULL, realtime);
	if (result < 0)
		return result;
	number = (int32_t)result;
	if (copy_to_user(args->a[2], &number, sizeof(number)) != 0) {
		posix_timer_delete(number);
		return -EFAULT;
	}
	return 0;
}

static int store_setting(user_addr_t to, const struct posix_setting *setting)
{
	if (time_to_user(to + offsetof(struct user_setting, interval), setting->interval) != 0 ||
	    time_to_user(to + offsetof(struct user_setting, value), setting->value) != 0)
		return -EFAULT;
	return 0;
}

int64_t syscall_timer_settime(const struct syscall_args *args)
{
	struct posix_setting new, old;
	user_addr_t at = args->a[2];
	int error;

	if (!at)
		return -EINVAL;
	error = time_from_user(at + offsetof(struct user_setting, interval), &new.interval);
	if (!error)
		error = time_from_user(at + offsetof(struct user_setting, value), &new.value);
	if (!error)
		error = posix_timer_set((int)args->a[0], &new, args->a[1] & TIMER_ABSOLUTE, &old);
	if (error)
		return error;
	return args->a[3] ? store_setting(args->a[3], &old) : 0;
}

int64_t syscall_timer_gettime(const struct syscall_args *args)
{
	struct posix_setting now;
	int error = posix_timer_get((int)args->a[0], &now);

	return error ? error : store_setting(args->a[1], &now);
}

int64_t syscall_timer_getoverrun(const struct syscall_args *args)
{
	return posix_timer_overrun((int)args->a[0]);
}

int64_t syscall_timer_delete(const struct syscall_args *args)
{
	return posix_timer_delete((int)args->a[0]);
}
