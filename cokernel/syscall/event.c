/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors that tell of events: epoll, eventfd, timerfd, inotify. They are the proxy's. */
#include <asm/unistd_64.h>

#include "syscall/describe.h"
#include "syscall/handlers.h"
#include "syscall/pipe.h"
#include "syscall/signal_wait.h"
#include "task/signal.h"
#include "task/signal_file.h"

#define EPOLL_EVENT_SIZE 12
#define EPOLL_DELETE 2u
#define EPOLL_EVENTS_MOST (INT32_MAX / EPOLL_EVENT_SIZE)
#define TIMER_SPEC_SIZE 32

#define NSEC_PER_MSEC 1000000ull

FORWARD(epoll_create1, VALUE)
FORWARD(eventfd2, VALUE)
FORWARD(timerfd_create, VALUE)
FORWARD(inotify_init1, VALUE)
FORWARD(inotify_add_watch, VALUE, PATH)
FORWARD(inotify_rm_watch, VALUE)

int64_t syscall_epoll_create(const struct syscall_args *args)
{
	const struct syscall_args flags = { { 0 } };

	return (int32_t)args->a[0] <= 0 ? -EINVAL : syscall_epoll_create1(&flags);
}

int64_t syscall_timerfd_settime(const struct syscall_args *args)
{
	static const struct description description = {
		__NR_timerfd_settime,
		{ VALUE, VALUE, IN(TIMER_SPEC_SIZE), OUT_OPTIONAL(TIMER_SPEC_SIZE) },
	};

	/* A signal file is one, but the program shall not know. */
	return signal_file_is((int)args->a[0]) ? -EINVAL : describe_call(&description, args->a);
}

int64_t syscall_timerfd_gettime(const struct syscall_args *args)
{
	static const struct description description = { __NR_timerfd_gettime,
							{ VALUE, OUT(TIMER_SPEC_SIZE) } };

	return signal_file_is((int)args->a[0]) ? -EINVAL : describe_call(&description, args->a);
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
	int error;

	if ((uint32_t)args->a[1] != EPOLL_DELETE) {
		/* What is waited for there, is there. */
		error = file_to_linux((int)args->a[2]);
		return error ? error : describe_call(&description, values);
	}
	/* What a deletion has there is not looked at. */
	values[3] = 0;
	return describe_call(&without_event, values);
}

/* Waits for at most SPAN. */
static int64_t epoll_wait_for(const struct syscall_args *args, nsec_t span)
{
	static const struct description description = {
		__NR_epoll_wait, { VALUE, OUT_ARRAY(2, EPOLL_EVENT_SIZE) },
	};
	uint64_t values[6] = { args->a[0], args->a[1], (uint32_t)args->a[2] };
	struct signal_wait wait;
	int32_t most = (int32_t)args->a[2];
	int64_t result;

	if (most <= 0 || most > EPOLL_EVENTS_MOST)
		return -EINVAL;
	signal_wait_begin(&wait, span);
	do {
		values[3] = signal_wait_left(&wait);
		result = describe_call(&description, values);
	} while (signal_wait_again(&wait, result));
	/* Not done again after a handler, whatever SA_RESTART says. */
	return result == -ERESTARTSYS ? -ERESTARTNOHAND : result;
}

static nsec_t span_of(uint64_t milliseconds)
{
	int32_t count = (int32_t)milliseconds;

	return count < 0 ? NSEC_FOREVER : (uint32_t)count * NSEC_PER_MSEC;
}

int64_t syscall_epoll_wait(const struct syscall_args *args)
{
	return epoll_wait_for(args, span_of(args->a[3]));
}

int64_t syscall_epoll_pwait(const struct syscall_args *args)
{
	int error = signal_mask_for_call(args->a[4], args->a[5]);

	if (error)
		return error;
	return signal_mask_after_call(epoll_wait_for(args, span_of(args->a[3])));
}

int64_t syscall_epoll_pwait2(const struct syscall_args *args)
{
	nsec_t span = NSEC_FOREVER;
	int error;

	if (args->a[3]) {
		error = time_from_user(args->a[3], &span);
		if (error)
			return error;
	}
	error = signal_mask_for_call(args->a[4], args->a[5]);
	if (error)
		return error;
	return signal_mask_after_call(epoll_wait_for(args, span));
}
