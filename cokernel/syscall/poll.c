/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * poll(2) and select(2) are sent as poll. Its time limit is counted on Linux, in
 * milliseconds; without descriptors they are sleeps and stay inside, and so do they with
 * descriptors that are all ours.
 */
#include <asm/unistd_64.h>

#include "arch/time.h"
#include "channel/channel.h"
#include "fs/abi_poll.h"
#include "fs/staged.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "syscall/describe.h"
#include "syscall/handlers.h"
#include "syscall/poll_inside.h"
#include "syscall/signal_wait.h"
#include "task/process.h"
#include "task/signal.h"
#include "task/thread.h"

#define NSEC_PER_MSEC 1000000ull

/* As many as are sent. */
#define POLL_MOST 4096u

/* No descriptor: waits for SPAN or a signal. */
static int64_t sleep_for(nsec_t span)
{
	int error = sleep_until(span == NSEC_FOREVER ? NSEC_FOREVER : deadline_of_call(span));

	return error;
}

/*
 * COUNT entries of the program's, which are looked at here if they can be: then true, and
 * *RESULT. False: it is Linux's to do, for *SPAN.
 */
static bool look_inside(user_addr_t from, uint64_t count, nsec_t *span, int64_t *result)
{
	const struct staged *staged = process_current()->staged;
	uint64_t size = count * sizeof(struct poll_entry);
	struct poll_entry *entries;
	bool done = true;

	if (!poll_inside_can() || (!staged && count > POLL_MOST))
		return false;
	*result = -EINVAL;
	if (staged && count > staged->descriptor_limit)
		return true;
	*result = -ENOMEM;
	entries = heap_alloc(size);
	if (!entries)
		return true;
	*result = -EFAULT;
	if (copy_from_user(entries, from, size) == 0)
		done = poll_inside(entries, count, span, result);
	if (done && *result >= 0 && copy_to_user(from, entries, size) != 0)
		*result = -EFAULT;
	heap_free(entries);
	return done;
}

static int64_t interrupted(int64_t result)
{
	/* Not done again after a handler, whatever SA_RESTART says. */
	return result == -ERESTARTSYS ? -ERESTARTNOHAND : result;
}

static int64_t poll_for(user_addr_t entries, uint64_t count, nsec_t span)
{
	static const struct description description = {
		__NR_poll,
		{ { .kind = ARG_INOUT_ARRAY, .length = 1, .size = sizeof(struct poll_entry) } },
	};
	uint64_t values[6] = { entries, count };
	struct signal_wait wait;
	int64_t result;

	if (count == 0)
		return sleep_for(span);
	if (look_inside(entries, count, &span, &result))
		return result;
	signal_wait_begin(&wait, span);
	do {
		values[2] = signal_wait_left(&wait);
		result = describe_call(&description, values);
	} while (signal_wait_again(&wait, result));
	return interrupted(result);
}

int64_t syscall_poll(const struct syscall_args *args)
{
	int32_t limit = (int32_t)args->a[2];
	nsec_t span = NSEC_FOREVER;

	if (limit >= 0)
		span = (uint32_t)limit * NSEC_PER_MSEC;
	return poll_for(args->a[0], (uint32_t)args->a[1], span);
}

int signal_mask_for_call(user_addr_t from, uint64_t size)
{
	struct thread_signals *signals = &thread_current()->signals;
	signal_set_t set;

	if (!from)
		return 0;
	if (size != sizeof(set))
		return -EINVAL;
	if (copy_from_user(&set, from, sizeof(set)) != 0)
		return -EFAULT;
	signals->saved = signals->blocked;
	signals->restore_saved = true;
	signal_set_blocked(set);
	return 0;
}

int64_t signal_mask_after_call(int64_t result)
{
	struct thread_signals *signals = &thread_current()->signals;

	if (signals->restore_saved && result != -ERESTARTNOHAND && result != -ERESTART_DEADLINE) {
		signals->restore_saved = false;
		signal_set_blocked(signals->saved);
	}
	return result;
}

static int span_from_user(user_addr_t from, nsec_t *span)
{
	*span = NSEC_FOREVER;
	return from ? time_from_user(from, span) : 0;
}

int64_t syscall_ppoll(const struct syscall_args *args)
{
	nsec_t span;
	int error = span_from_user(args->a[2], &span);

	if (!error)
		error = signal_mask_for_call(args->a[3], args->a[4]);
	if (error)
		return error;
	return signal_mask_after_call(poll_for(args->a[0], (uint32_t)args->a[1], span));
}

/* ---- select ---- */

#define SELECT_MOST 1024u
#define SELECT_WORDS (SELECT_MOST / 64)

struct select_sets {
	uint64_t set[3][SELECT_WORDS]; /* to read, to write, exceptional */
};

static const int16_t select_events[3] = { POLL_IN, POLL_OUT, POLL_PRIORITY };
/* What makes a descriptor ready for each of them. */
static const int16_t select_found[3] = {
	POLL_IN | POLL_HANG_UP | POLL_ERROR,
	POLL_OUT | POLL_ERROR,
	POLL_PRIORITY,
};

static uint64_t set_bytes(uint64_t count)
{
	return align_up(count, 64) / 8;
}

static uint32_t make_entries(const struct select_sets *sets, uint64_t count,
			     struct poll_entry *entries)
{
	uint32_t used = 0, fd, i;
	int16_t events;

	for (fd = 0; fd < count; fd++) {
		events = 0;
		for (i = 0; i < 3; i++) {
			if (sets->set[i][fd / 64] >> (fd % 64) & 1)
				events |= select_events[i];
		}
		if (events)
			entries[used++] = (struct poll_entry){ .fd = (int32_t)fd, .events = events };
	}
	return used;
}

/* Bits of ready descriptors; returns how many bits, or -EBADF. */
static int64_t read_entries(const struct poll_entry *entries, uint32_t used,
			    struct select_sets *sets)
{
	int64_t ready = 0;
	uint32_t i, fd, kind;

	memset(sets, 0, sizeof(*sets));
	for (i = 0; i < used; i++) {
		fd = (uint32_t)entries[i].fd;
		if (entries[i].found & POLL_INVALID)
			return -EBADF;
		for (kind = 0; kind < 3; kind++) {
			if (!(entries[i].events & select_events[kind]) ||
			    !(entries[i].found & select_found[kind]))
				continue;
			sets->set[kind][fd / 64] |= 1ull << (fd % 64);
			ready++;
		}
	}
	return ready;
}

/* Sends the entries and gets them back. */
static int64_t call_poll(struct poll_entry *entries, uint32_t used, nsec_t span)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	struct signal_wait wait;
	uint64_t size = used * sizeof(*entries);
	uint32_t i;
	int64_t result;

	if (used == 0)
		return sleep_for(span);
	if (poll_inside(entries, used, &span, &result))
		return result;
	result = channel_buffer_take_all(channel, size, &buffer);
	if (result < 0)
		return result;
	memcpy(buffer.memory, entries, size);
	signal_wait_begin(&wait, span);
	do
		result = channel_call_own(__NR_poll, buffer.offset, used, signal_wait_left(&wait),
					  0, 0, 0);
	while (signal_wait_again(&wait, result));
	/* Only the answers: which descriptors were asked for is known here. */
	for (i = 0; result >= 0 && i < used; i++)
		entries[i].found = ((const struct poll_entry *)buffer.memory)[i].found;
	channel_buffer_give(channel, &buffer);
	return interrupted(result);
}

/* N, and addresses of three sets (0: none) as in ARGS. */
static int64_t select_for(const struct syscall_args *args, nsec_t span)
{
	uint64_t count = args->a[0], bytes;
	struct select_sets *sets;
	struct poll_entry *entries;
	int64_t result = -ENOMEM;
	uint32_t used, i;

	if ((int32_t)count < 0)
		return -EINVAL;
	count = min_u64(count, SELECT_MOST);
	bytes = set_bytes(count);
	sets = heap_alloc_zero(sizeof(*sets));
	entries = heap_alloc(SELECT_MOST * sizeof(*entries));
	if (!sets || !entries)
		goto out;
	result = -EFAULT;
	for (i = 0; i < 3; i++) {
		if (args->a[i + 1] && copy_from_user(sets->set[i], args->a[i + 1], bytes) != 0)
			goto out;
	}
	used = make_entries(sets, count, entries);
	result = call_poll(entries, used, span);
	if (result < 0)
		goto out;
	result = read_entries(entries, used, sets);
	for (i = 0; result >= 0 && i < 3; i++) {
		if (args->a[i + 1] && copy_to_user(args->a[i + 1], sets->set[i], bytes) != 0)
			result = -EFAULT;
	}
out:
	heap_free(entries);
	heap_free(sets);
	return result;
}

int64_t syscall_select(const struct syscall_args *args)
{
	struct user_time time, left = { 0 };
	nsec_t span = NSEC_FOREVER, start = time_now(), used;
	int64_t result;

	if (args->a[4]) {
		if (copy_from_user(&time, args->a[4], sizeof(time)) != 0)
			return -EFAULT;
		if (time.seconds < 0 || time.fraction < 0)
			return -EINVAL;
		span = min_u64((uint64_t)time.seconds, INT32_MAX) * NSEC_PER_SEC +
		       min_u64((uint64_t)time.fraction, INT32_MAX) * 1000ull;
	}
	result = select_for(args, span);
	if (!args->a[4])
		return result;
	used = time_now() - start;
	if (used < span) {
		left.seconds = (int64_t)((span - used) / NSEC_PER_SEC);
		left.fraction = (int64_t)((span - used) % NSEC_PER_SEC / 1000);
	}
	/* As Linux: what is left; a program whose timeval is constant gets its result all the same. */
	if (copy_to_user(args->a[4], &left, sizeof(left)) != 0)
		return result;
	return result;
}

int64_t syscall_pselect6(const struct syscall_args *args)
{
	struct {
		user_addr_t set;
		uint64_t size;
	} mask = { 0 };
	nsec_t span;
	int error = span_from_user(args->a[4], &span);

	if (!error && args->a[5] && copy_from_user(&mask, args->a[5], sizeof(mask)) != 0)
		error = -EFAULT;
	if (!error)
		error = signal_mask_for_call(mask.set, mask.size);
	if (error)
		return error;
	return signal_mask_after_call(select_for(args, span));
}
