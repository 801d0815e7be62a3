/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/time.h"

#include <linux/time.h>

#include "mm/aspace.h"
#include "lib/string.h"
#include "syscall/handlers.h"
#include "task/process.h"
#include "task/sched.h"
#include "task/thread.h"
#include "task/timer.h"

#define NSEC_PER_USEC 1000ull
#define TIMER_ABSOLUTE 1u
#define TICKS_PER_SEC 100u

int time_from_user(user_addr_t from, nsec_t *span)
{
	struct user_time time;

	if (copy_from_user(&time, from, sizeof(time)) != 0)
		return -EFAULT;
	if (time.seconds < 0 || time.fraction < 0 || time.fraction >= (int64_t)NSEC_PER_SEC)
		return -EINVAL;
	*span = NSEC_FOREVER;
	if (time.seconds < SECONDS_MOST)
		*span = (uint64_t)time.seconds * NSEC_PER_SEC + (uint64_t)time.fraction;
	return 0;
}

int time_to_user(user_addr_t to, nsec_t time)
{
	const struct user_time value = {
		.seconds = (int64_t)(time / NSEC_PER_SEC),
		.fraction = (int64_t)(time % NSEC_PER_SEC),
	};

	return copy_to_user(to, &value, sizeof(value));
}

nsec_t time_after(nsec_t span)
{
	nsec_t now = time_now();

	return span > NSEC_FOREVER - now ? NSEC_FOREVER : now + span;
}

nsec_t deadline_of_call(nsec_t span)
{
	struct thread *self = thread_current();
	nsec_t deadline = self->restart_deadline;

	self->restart_deadline = 0;
	return deadline ? deadline : time_after(span);
}

int sleep_until(nsec_t deadline)
{
	struct wait_queue nobody;
	int result;

	wait_queue_init(&nobody);
	lock_take(&nobody.lock);
	do {
		result = wait_on(&nobody, deadline, true);
	} while (result == 0 || result == -EAGAIN);
	lock_drop(&nobody.lock);
	if (result == -ETIMEDOUT)
		return 0;
	thread_current()->restart_deadline = deadline;
	return -ERESTART_DEADLINE;
}

static int64_t sleep_with_rest(nsec_t deadline, user_addr_t rest)
{
	int result = sleep_until(deadline);
	nsec_t now = time_now();

	/* Useful only if a handler runs; else the call is done again. */
	if (result != 0 && rest && time_to_user(rest, deadline > now ? deadline - now : 0) != 0)
		return -EFAULT;
	return result;
}

int64_t syscall_nanosleep(const struct syscall_args *args)
{
	nsec_t span;
	int error = time_from_user(args->a[0], &span);

	if (error)
		return error;
	return sleep_with_rest(deadline_of_call(span), args->a[1]);
}

/* The thread or process whose CPU time clock ID is: the caller's only. */
static bool read_clock(uint64_t id, nsec_t *time)
{
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
	case CLOCK_REALTIME_ALARM:
		*time = time_realtime();
		return true;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*time = time_now();
		return true;
	case CLOCK_PROCESS_CPUTIME_ID:
		*time = process_cpu_time(process_current());
		return true;
	case CLOCK_THREAD_CPUTIME_ID:
		*time = sched_cpu_time(thread_current());
		return true;
	default:
		return false;
	}
}

/*
 * Clock numbers that clock_getcpuclockid() and pthread_getcpuclockid() make: the
 * complement of a number, then kind of clock and whether it is a thread's.
 */
static bool read_cpu_clock(int32_t id, nsec_t *time)
{
	tid_t number = (tid_t) ~(id >> 3);
	bool of_thread = id & 4, found = false;
	struct thread *thread;

	if (id >= 0 || (id & 3) != 2)
		return false;
	if (!of_thread) {
		*time = process_cpu_time(process_current());
		return number == 0 || number == process_current()->pid;
	}
	thread = thread_find(number ? number : thread_current()->tid);
	if (!thread)
		return false;
	if (thread->process == process_current()) {
		*time = sched_cpu_time(thread);
		found = true;
	}
	thread_put(thread);
	return found;
}

int64_t syscall_clock_gettime(const struct syscall_args *args)
{
	nsec_t time;

	if (!read_clock(args->a[0], &time) && !read_cpu_clock((int32_t)args->a[0], &time))
		return -EINVAL;
	return time_to_user(args->a[1], time);
}

int64_t syscall_clock_getres(const struct syscall_args *args)
{
	nsec_t time;

	if (!read_clock(args->a[0], &time) && !read_cpu_clock((int32_t)args->a[0], &time))
		return -EINVAL;
	return args->a[1] ? time_to_user(args->a[1], 1) : 0;
}

/* Only one clock can be set at all, and that not by a program in an enclave. */
int64_t syscall_clock_settime(const struct syscall_args *args)
{
	nsec_t time;
	int error;

	if (args->a[0] != CLOCK_REALTIME)
		return -EINVAL;
	error = time_from_user(args->a[1], &time);
	return error ? error : -EPERM;
}

int64_t syscall_clock_nanosleep(const struct syscall_args *args)
{
	nsec_t time, now;
	int error = time_from_user(args->a[2], &time);
	bool realtime = args->a[0] == CLOCK_REALTIME || args->a[0] == CLOCK_TAI;

	if (error)
		return error;
	if (!realtime && args->a[0] != CLOCK_MONOTONIC && args->a[0] != CLOCK_BOOTTIME)
		return read_clock(args->a[0], &now) ? -EOPNOTSUPP : -EINVAL;
	if (!(args->a[1] & TIMER_ABSOLUTE))
		return sleep_with_rest(deadline_of_call(time), args->a[3]);
	if (realtime && time != NSEC_FOREVER) {
		now = time_realtime();
		time = time_after(time > now ? time - now : 0);
	}
	error = sleep_until(time);
	/* Done again it waits for the same point in time by itself. */
	thread_current()->restart_deadline = 0;
	return error ? -ERESTARTNOHAND : 0;
}

int64_t syscall_gettimeofday(const struct syscall_args *args)
{
	const uint64_t no_zone = 0;
	nsec_t now = time_realtime();
	const struct user_time value = {
		.seconds = (int64_t)(now / NSEC_PER_SEC),
		.fraction = (int64_t)(now % NSEC_PER_SEC / NSEC_PER_USEC),
	};

	if (args->a[0] && copy_to_user(args->a[0], &value, sizeof(value)) != 0)
		return -EFAULT;
	if (args->a[1] && copy_to_user(args->a[1], &no_zone, sizeof(no_zone)) != 0)
		return -EFAULT;
	return 0;
}

int64_t syscall_time(const struct syscall_args *args)
{
	int64_t now = (int64_t)(time_realtime() / NSEC_PER_SEC);

	if (args->a[0] && copy_to_user(args->a[0], &now, sizeof(now)) != 0)
		return -EFAULT;
	return now;
}

int64_t syscall_times(const struct syscall_args *args)
{
	nsec_t used = process_cpu_time(process_current());
	const uint64_t ticks[4] = { used / (NSEC_PER_SEC / TICKS_PER_SEC) };

	if (args->a[0] && copy_to_user(args->a[0], ticks, sizeof(ticks)) != 0)
		return -EFAULT;
	return (int64_t)(time_now() / (NSEC_PER_SEC / TICKS_PER_SEC));
}

/* struct rusage of the ABI. Time in the co-kernel is not told from the program's own. */
struct user_usage {
	struct user_time user;
	struct user_time system;
	int64_t peak_kib;
	int64_t other[13];
};

int64_t syscall_getrusage(const struct syscall_args *args)
{
	struct process *process = process_current();
	struct user_usage usage;
	nsec_t time;

	memset(&usage, 0, sizeof(usage));
	switch ((int32_t)args->a[0]) {
	case 0: /* RUSAGE_SELF */
		time = process_cpu_time(process);
		break;
	case 1: /* RUSAGE_THREAD */
		time = sched_cpu_time(thread_current());
		break;
	case -1: /* RUSAGE_CHILDREN */
		return copy_to_user(args->a[1], &usage, sizeof(usage));
	default:
		return -EINVAL;
	}
	usage.user.seconds = (int64_t)(time / NSEC_PER_SEC);
	usage.user.fraction = (int64_t)(time % NSEC_PER_SEC / NSEC_PER_USEC);
	usage.peak_kib = (int64_t)(aspace_peak(process->aspace) / 1024);
	return copy_to_user(args->a[1], &usage, sizeof(usage));
}
