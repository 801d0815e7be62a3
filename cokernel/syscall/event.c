/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors that tell of events: epoll, eventfd, timerfd, inotify. They are the proxy's. */
#include <asm/unistd_64.h>

#include "syscall/describe.h"
#include "syscall/handlers.h"
#include "task/signal.h"

#define EPOLL_EVENT_SIZE 12
#define EPOLL_DELETE 2u
#define EPOLL_EVENTS_MOST (INT32_MAX / EPOLL_EVENT_SIZE)
#define TIMER_SPEC_SIZE 32

FORWARD(epoll_create1, VALUE)
FORWARD(eventfd2, VALUE)
FORWARD(timerfd_create, VALUE)
FORWARD(timerfd_settime, VALUE, VALUE, IN(TIMER_SPEC_SIZE), OUT_OPTIONAL(TIMER_SPEC_SIZE))
FORWARD(timerfd_gettime, VALUE, OUT(TIMER_SPEC_SIZE))
FORWARD(inotify_init1, VALUE)
FORWARD(inotify_add_watch, VALUE, PATH)
FORWARD(inotify_rm_watch, VALUE)

int64_t syscall_epoll_create(const struct syscall_args *args)
{
	const struct syscall_args flags = { { 0 } };

	return (int32_t)args->a[0] <= 0 ? -EINVAL : syscall_epoll_create1(&flags);
}

int64_t syscall_eventfd(const struct syscall_args *args)
{
	const struct syscall_args all = { { args->a[0], 0 } };

	return syscall_eventfd2(&all);
}

int64_t syscall_inotify_init(const struct syscall_args *args)
{
	const struct syscall_args flags = { { 0 } };

	(void)args;
	return syscall_inotify_init1(&flags);
}

int64_t syscall_epoll_ctl(const struct syscall_args *args)
{
	static const struct description description = {
		__NR_epoll_ctl, { VALUE, VALUE, VALUE, IN(EPOLL_EVENT_SIZE) },
	};
	static const struct description without_event = {
		__NR_epoll_ctl, { VALUE, VALUE, VALUE, IN_OPTIONAL(EPOLL_EVENT_SIZE) },
	};
	uint64_t values[6] = { args->a[0], args->a[1], args->a[2], args->a[3] };

	if ((uint32_t)args->a[1] != EPOLL_DELETE)
		return describe_call(&description, values);
	/* What a deletion has there is not looked at. */
	values[3] = 0;
	return describe_call(&without_event, values);
}

/* Waits for at most MILLISECONDS (below 0: for ever). */
static int64_t epoll_wait_for(const struct syscall_args *args, int32_t milliseconds)
{
	static const struct description description = {
		__NR_epoll_wait, { VALUE, OUT_ARRAY(2, EPOLL_EVENT_SIZE) },
	};
	const uint64_t values[6] = { args->a[0], args->a[1], (uint32_t)args->a[2],
				     (uint64_t)(int64_t)milliseconds };
	int32_t most = (int32_t)args->a[2];
	int64_t result;

	if (most <= 0 || most > EPOLL_EVENTS_MOST)
		return -EINVAL;
	result = describe_call(&description, values);
	/* Not done again after a handler, whatever SA_RESTART says. */
	return result == -ERESTARTSYS ? -ERESTARTNOHAND : result;
}

int64_t syscall_epoll_wait(const struct syscall_args *args)
{
	return epoll_wait_for(args, (int32_t)args->a[3]);
}

int64_t syscall_epoll_pwait(const struct syscall_args *args)
{
	int error = signal_mask_for_call(args->a[4], args->a[5]);

	if (error)
		return error;
	return signal_mask_after_call(epoll_wait_for(args, (int32_t)args->a[3]));
}

int64_t syscall_epoll_pwait2(const struct syscall_args *args)
{
	int32_t milliseconds = -1;
	nsec_t span;
	int error;

	if (args->a[3]) {
		error = time_from_user(args->a[3], &span);
		if (error)
			return error;
		/* Rounded up, since it must not be early. */
		milliseconds = (int32_t)min_u64((span + 999999) / 1000000, INT32_MAX);
		if (span == NSEC_FOREVER)
			milliseconds = -1;
	}
	error = signal_mask_for_call(args->a[4], args->a[5]);
	if (error)
		return error;
	return signal_mask_after_call(epoll_wait_for(args, milliseconds));
}
