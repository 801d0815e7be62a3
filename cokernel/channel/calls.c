/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls and replies. All state of a call is under channel->replies.lock; a reply
 * is matched by its tag against our own table, so a proxy can answer only what it
 * was asked, once.
 */
#include "channel/calls.h"

#include <asm/unistd_64.h>

#include "arch/cpu.h"
#include "arch/crash.h"
#include "boot/boot.h"
#include "channel/internal.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "task/process.h"
#include "task/sched.h"
#include "task/thread.h"

void channel_ring_proxy(struct channel *channel)
{
	if (!pisces_ring_must_wake(&channel->calls))
		return;
	__atomic_fetch_or(&boot_status->task_bells[channel->task / 64 % PISCES_TASK_WORDS],
			  1ull << (channel->task % 64), __ATOMIC_SEQ_CST);
	linux_ring();
}

/*
 * May a CANCEL take a slot? Only if all calls that can still be sent, and the last
 * message, have theirs: so that those never find the ring full. replies.lock is held.
 */
static bool room_for_cancel(const struct channel *channel)
{
	uint32_t used = channel->calls.index -
			__atomic_load_n(&channel->calls.ring->tail, __ATOMIC_ACQUIRE);

	return used + 1 + (PISCES_CHANNEL_CALLS - channel->outstanding) + 1 <=
	       PISCES_CHANNEL_SLOTS;
}

bool channel_send_cancels(struct channel *channel)
{
	struct pisces_message message = { .type = PISCES_MSG_CANCEL };
	struct channel_call *call;
	bool sent = false;

	for (call = channel->table; call < channel->table + PISCES_CHANNEL_CALLS; call++) {
		if (!call->used || !call->cancel || call->done)
			continue;
		if (!room_for_cancel(channel))
			break;
		message.tag = call->tag;
		if (pisces_ring_put(&channel->calls, &message) != PISCES_RING_OK)
			break;
		call->cancel = false;
		sent = true;
	}
	return sent;
}

/* Takes a free call, waiting for one; the last one is for reports. 0 or -errno. */
static int reserve_call(struct channel *channel, enum wait_mode mode)
{
	unsigned int kept = mode == WAIT_CERTAIN ? 0 : 1;
	int result = 0;

	lock_take(&channel->space.lock);
	while (channel->free_calls <= kept && result == 0) {
		if (channel->abandoned || channel->broken)
			result = -EIO;
		else if (wait_on_mode(&channel->space, NSEC_FOREVER, mode) == -EINTR)
			result = -ERESTARTSYS;
	}
	if (result == 0)
		channel->free_calls--;
	lock_drop(&channel->space.lock);
	return result;
}

static void return_call(struct channel *channel)
{
	lock_take(&channel->space.lock);
	channel->free_calls++;
	wake_all(&channel->space);
	lock_drop(&channel->space.lock);
}

/* Sends the call; replies.lock is held. NULL: the ring is broken. */
static struct channel_call *send_call(struct channel *channel, uint32_t nr, const uint64_t args[6])
{
	struct pisces_message message = { .type = PISCES_MSG_CALL, .number = nr };
	struct channel_call *call = channel->table;
	unsigned int i;

	while (call->used)
		call++;
	ASSERT(call < channel->table + PISCES_CHANNEL_CALLS);
	*call = (struct channel_call){
		.used = true,
		.nr = nr,
		.tag = channel->next_tag++,
		.caller = thread_current(),
	};
	for (i = 0; i < 6; i++)
		message.arg[i] = args[i];
	message.tag = call->tag;
	if (pisces_ring_put(&channel->calls, &message) != PISCES_RING_OK) {
		call->used = false;
		return NULL;
	}
	channel->outstanding++;
	return call;
}

/* Sleeps until CALL is done; replies.lock is held. 0, -EIO, or -EINTR: broken off. */
static int await_reply(struct channel *channel, struct channel_call *call, enum wait_mode mode)
{
	bool cancelled = false;

	channel_linger(channel, call);
	while (!call->done) {
		if (channel->abandoned || channel->broken)
			return -EIO;
		if (!channel_poll_locked(channel, call))
			return -EPROTO;
		if (call->done)
			break;
		if (wait_on_mode(&channel->replies, NSEC_FOREVER, mode) != -EINTR || call->done)
			continue;
		if (__atomic_load_n(&process_current()->ending, __ATOMIC_SEQ_CST))
			return -EINTR;
		/*
		 * The reply comes in any case; other signals change nothing any more, nor does
		 * an execve() that ends this thread: it waits for us, and uses the channel then.
		 */
		mode = thread_current()->dying ? WAIT_ENDING : WAIT_KILLABLE;
		if (cancelled)
			continue;
		cancelled = true;
		call->cancel = true;
		if (channel_send_cancels(channel)) {
			lock_drop(&channel->replies.lock);
			channel_ring_proxy(channel);
			lock_take(&channel->replies.lock);
		}
	}
	return 0;
}

/* Sends a call, for which one is reserved. NULL: the proxy is gone, or its ring is broken. */
static struct channel_call *begin(struct channel *channel, uint32_t nr, const uint64_t args[6])
{
	struct channel_call *call;

	this_cpu()->status->forwarded++;

	lock_take(&channel->replies.lock);
	if (channel->abandoned || channel->broken) {
		lock_drop(&channel->replies.lock);
		return_call(channel);
		return NULL;
	}
	call = send_call(channel, nr, args);
	if (!call) {
		lock_drop(&channel->replies.lock);
		channel_break(channel, "its proxy broke the ring of calls");
		return NULL;
	}
	lock_drop(&channel->replies.lock);
	channel_ring_proxy(channel);
	if (nr == __NR_read)
		crash_at(CRASH_IO);
	return call;
}

/* Waits for its reply. The result, or -errno; CALL is given back, or abandoned. */
static int64_t end(struct channel *channel, struct channel_call *call, enum wait_mode mode)
{
	int64_t result;
	int error;

	lock_take(&channel->replies.lock);
	error = await_reply(channel, call, thread_current()->firm ? WAIT_CERTAIN : mode);
	if (error && !call->done) {
		/* The proxy may answer yet: the slot stays, so that its tag stays known. */
		call->abandoned = true;
		lock_drop(&channel->replies.lock);
		if (error == -EPROTO) {
			channel_break(channel, "its proxy broke the ring of replies");
			error = -EIO;
		}
		return error;
	}
	result = call->result;
	call->used = false;
	lock_drop(&channel->replies.lock);
	return_call(channel);
	return result == -EINTR ? -ERESTARTSYS : result;
}

int64_t channel_call_mode(struct channel *channel, uint32_t nr, const uint64_t args[6],
			  enum wait_mode mode)
{
	struct channel_call *call;
	int error = reserve_call(channel, mode);

	if (error)
		return error;
	call = begin(channel, nr, args);
	return call ? end(channel, call, mode) : -EIO;
}

struct channel_call *channel_call_begin(struct channel *channel, uint32_t nr,
					const uint64_t args[6])
{
	bool room;

	if (__atomic_load_n(&channel->phase, __ATOMIC_ACQUIRE) == CHANNEL_SEALED)
		return NULL;
	lock_take(&channel->space.lock);
	room = channel->free_calls > PISCES_CHANNEL_CALLS / 2;
	if (room)
		channel->free_calls--;
	lock_drop(&channel->space.lock);
	return room ? begin(channel, nr, args) : NULL;
}

int64_t channel_call_end(struct channel *channel, struct channel_call *call)
{
	return end(channel, call, channel_wait_mode(channel));
}

int64_t channel_call(struct channel *channel, uint32_t nr, const uint64_t args[6])
{
	if (__atomic_load_n(&channel->phase, __ATOMIC_ACQUIRE) == CHANNEL_SEALED)
		return -ENOSYS;
	return channel_call_mode(channel, nr, args, channel_wait_mode(channel));
}

int64_t channel_call_own(uint32_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
			 uint64_t f)
{
	const uint64_t args[6] = { a, b, c, d, e, f };

	return channel_call(process_current()->channel, nr, args);
}

void channel_send_exit(struct channel *channel, int wait_status, nsec_t cpu_time,
		       uint64_t peak_kib)
{
	struct pisces_message message = {
		.type = PISCES_MSG_TASK_EXIT,
		.arg = { (uint64_t)wait_status, cpu_time, peak_kib },
	};
	bool sent;

	lock_take(&channel->replies.lock);
	sent = !channel->abandoned &&
	       pisces_ring_put(&channel->calls, &message) == PISCES_RING_OK;
	channel->abandoned = true;
	lock_drop(&channel->replies.lock);
	if (sent)
		channel_ring_proxy(channel);
}
