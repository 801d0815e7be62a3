/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setitimer(2), getitimer(2) and alarm(2): arguments and answers of task/interval.c. */
#include <linux/time.h>

#include "lib/string.h"
#include "syscall/handlers.h"
#include "task/interval.h"

#define NSEC_PER_USEC 1000ull

_Static_assert(INTERVAL_REAL == ITIMER_REAL && INTERVAL_VIRTUAL == ITIMER_VIRTUAL &&
	       INTERVAL_PROF == ITIMER_PROF, "the clocks have the numbers of the ABI");

/* struct itimerval of the ABI. */
struct user_interval {
	struct user_time interval;
	struct user_time value;
};

static struct user_time to_timeval(nsec_t span)
{
	return (struct user_time){
		.seconds = (int64_t)(span / NSEC_PER_SEC),
		.fraction = (int64_t)(span % NSEC_PER_SEC / NSEC_PER_USEC),
	};
}

static int from_timeval(const struct user_time *time, nsec_t *span)
{
	if (time->seconds < 0 || time->fraction < 0 || time->fraction >= 1000000)
		return -EINVAL;
	*span = (uint64_t)min_u64((uint64_t)time->seconds, SECONDS_MOST) * NSEC_PER_SEC +
		(uint64_t)time->fraction * NSEC_PER_USEC;
	return 0;
}

int64_t syscall_setitimer(const struct syscall_args *args)
{
	struct user_interval new = { 0 }, old;
	nsec_t value, period, left, old_period;

	if (args->a[0] >= INTERVALS)
		return -EINVAL;
	if (args->a[1] && copy_from_user(&new, args->a[1], sizeof(new)) != 0)
		return -EFAULT;
	if (from_timeval(&new.value, &value) || from_timeval(&new.interval, &period))
		return -EINVAL;
	interval_set((enum interval_clock)args->a[0], value, period, &left, &old_period);
	old.interval = to_timeval(old_period);
	old.value = to_timeval(left);
	if (args->a[2] && copy_to_user(args->a[2], &old, sizeof(old)) != 0)
		return -EFAULT;
	return 0;
}

int64_t syscall_getitimer(const struct syscall_args *args)
{
	struct user_interval now;
	nsec_t left, period;

	if (args->a[0] >= INTERVALS)
		return -EINVAL;
	interval_get((enum interval_clock)args->a[0], &left, &period);
	now.value = to_timeval(left);
	now.interval = to_timeval(period);
	return copy_to_user(args->a[1], &now, sizeof(now));
}

int64_t syscall_alarm(const struct syscall_args *args)
{
	nsec_t left, old;

	interval_set(INTERVAL_REAL, (uint32_t)args->a[0] * NSEC_PER_SEC, 0, &left, &old);
	/* A second that has begun counts, so that what is left is not told as nothing. */
	return (int64_t)((left + NSEC_PER_SEC - 1) / NSEC_PER_SEC);
}
