/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "syscall/signal_wait.h"

#include <asm/unistd_64.h>

#include "arch/time.h"
#include "channel/channel.h"
#include "fs/abi_poll.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "syscall/handlers.h"
#include "task/process.h"
#include "task/signal_file.h"
#include "task/thread.h"

#define NSEC_PER_MSEC 1000000ull

#define TIMER_ABSOLUTE 1u

/* struct itimerspec of the ABI. */
struct timer_setting {
	struct user_time interval;
	struct user_time value;
};

#define EXPIRY_MSEC 1000u /* of a timer that was over when it was set: mostly none */

/*
 * Sets the timer that FD is: long over, or never. One that is over becomes readable by an
 * interrupt of Linux's, which may be a moment later: it is waited for.
 */
static int64_t set_timer(int fd, bool readable)
{
	const struct timer_setting setting = { .value.fraction = readable ? 1 : 0 };
	const struct poll_entry entry = { .fd = fd, .events = POLL_IN };
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	int64_t result = channel_buffer_take_all(channel, sizeof(setting), &buffer);

	if (result < 0)
		return result;
	memcpy(buffer.memory, &setting, sizeof(setting));
	result = channel_call_own(__NR_timerfd_settime, (uint64_t)fd, TIMER_ABSOLUTE,
				  buffer.offset, PISCES_CHANNEL_NULL, 0, 0);
	if (result == 0 && readable) {
		memcpy(buffer.memory, &entry, sizeof(entry));
		result = channel_call_own(__NR_poll, buffer.offset, 1, EXPIRY_MSEC, 0, 0, 0);
	}
	channel_buffer_give(channel, &buffer);
	return result;
}

/* Makes on Linux readable what can be read here, and nothing else. */
static void set_timers(void)
{
	struct signal_file_change change;

	if (signal_files_begin() != 0)
		return;
	/* The signals that break off what is to come are those that this is about. */
	thread_current()->firm = true;
	while (signal_files_next(&change)) {
		if (set_timer(change.fd, change.readable) == -ERESTARTSYS) {
			/* So will the wait be that this is for. */
			signal_files_failed(&change);
			break;
		}
		signal_file_put(change.file);
	}
	thread_current()->firm = false;
	signal_files_end();
}

void signal_wait_begin(struct signal_wait *wait, nsec_t span)
{
	wait->span = span;
	wait->again = false;
	/* Also if there are no signal files: another thread may make one meanwhile. */
	signal_watch(true);
	wait->deadline = time_after(span);
	if (unlikely(signal_files_exist()))
		set_timers();
}

uint64_t signal_wait_left(const struct signal_wait *wait)
{
	nsec_t now, span = wait->span;

	if (span == NSEC_FOREVER)
		return UINT64_MAX;
	if (wait->again) {
		now = time_now();
		span = wait->deadline > now ? wait->deadline - now : 0;
	}
	return min_u64((span + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC, INT32_MAX);
}

bool signal_wait_again(struct signal_wait *wait, int64_t result)
{
	if (result == -ERESTARTSYS && signal_files_exist() && !signal_really_pending()) {
		wait->again = true;
		set_timers();
		return true;
	}
	signal_watch(false);
	return false;
}
