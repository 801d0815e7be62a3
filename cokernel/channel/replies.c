/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replies: who waits for one, how, and who is rung.
 *
 * A thread first looks at the ring for a while (channel_linger(): its call is `watched`),
 * then it sleeps. All replies are taken by channel_poll_locked(), for whomever they are,
 * and it leaves the ring announced (ring.h) if a call is on its way that is not watched,
 * since its thread sleeps, and only then. So
 *   - who gives up looking polls before it sleeps, under one hold of the lock: its call
 *     is not watched any more, and there is an announcement that it waits behind;
 *   - who takes another's bell away with its own reply, because the proxy rang for the two
 *     of them at once, announces again for the other, who is asleep;
 *   - while all look nobody is rung.
 * And a bell may find no reply, since somebody has taken it before, but an announcement
 * that went with it (ring.h): channel_poll_all() makes a new one.
 */
#include "arch/cpu.h"
#include "boot/boot.h"
#include "channel/calls.h"
#include "channel/control.h"
#include "channel/internal.h"
#include "lib/errno.h"
#include "task/hotplug.h"
#include "task/sched.h"
#include "task/thread.h"

/* Messages that answer no call of ours, in a channel's life, before it counts as broken. */
#define STRANGERS_MOST 1000u

/*
 * How long a thread looks for its reply before it sleeps: what a call takes that need not
 * wait for anything, and about what a sleep and the bell cost. Nobody else wants the CPU.
 */
#define LINGER_US 100u

static struct list channels = LIST_INIT(channels);
static struct lock channels_lock = LOCK_INIT;

void channel_list_add(struct channel *channel)
{
	lock_take(&channels_lock);
	list_append(&channels, &channel->link);
	lock_drop(&channels_lock);
}

void channel_list_remove(struct channel *channel)
{
	lock_take(&channels_lock);
	list_remove(&channel->link);
	lock_drop(&channels_lock);
}

static struct channel_call *find_call(struct channel *channel, uint64_t tag)
{
	struct channel_call *call;

	for (call = channel->table; call < channel->table + PISCES_CHANNEL_CALLS; call++) {
		if (call->used && !call->done && call->tag == tag)
			return call;
	}
	return NULL;
}

/* Gets all replies that have come; replies.lock is held. False: the ring is broken. */
static bool drain(struct channel *channel)
{
	struct pisces_message message;
	struct channel_call *call;
	enum pisces_ring_result got;

	while ((got = pisces_ring_get(&channel->answers, &message)) == PISCES_RING_OK) {
		call = message.type == PISCES_MSG_REPLY ? find_call(channel, message.tag) : NULL;
		if (!call) {
			/* Ignored, but not for ever: this loop has to end. */
			if (++channel->strangers > STRANGERS_MOST)
				return false;
			continue;
		}
		call->result = (int64_t)message.arg[0];
		/* No errno of Linux; and cut to an int it might be none at all. */
		if (call->result < -4095)
			call->result = -EIO;
		__atomic_store_n(&call->done, true, __ATOMIC_RELEASE);
		channel->outstanding--;
		if (call->watched) {
			call->watched = false;
			channel->watched--;
		}
		/* Of a thread that broke off nobody waits, and the slot is gone with it. */
		if (!call->abandoned && call->caller->waiting_on == &channel->replies)
			wake_thread(&channel->replies, call->caller, 0);
	}
	return got == PISCES_RING_AGAIN;
}

/* All that is on its way is watched: nobody is to be rung. replies.lock is held. */
static void silence(struct channel *channel)
{
	if (!channel->announced)
		return;
	pisces_ring_stay_awake(&channel->answers);
	__atomic_store_n(&channel->announced, false, __ATOMIC_RELAXED);
}

bool channel_poll_locked(struct channel *channel, const struct channel_call *own)
{
	for (;;) {
		if (!drain(channel))
			return false;
		if (channel->outstanding == channel->watched) {
			silence(channel);
			return true;
		}
		if (own && !own->done)
			channel->bell_cpu = sched_quiet_cpu(true, this_cpu()->index);
		else
			channel->bell_cpu = sched_quiet_cpu(false, channel->bell_cpu);
		__atomic_store_n(&channel->announced, true, __ATOMIC_RELAXED);
		if (pisces_ring_may_sleep(&channel->answers, channel->bell_cpu))
			return true;
	}
}

/* Has the running thread, or its CPU, something else to do than to look for a reply? */
static bool is_wanted(const struct channel *channel)
{
	return !sched_is_alone() || thread_has_work(thread_current()) || control_stopping() ||
	       hotplug_leaving() || __atomic_load_n(&channel->abandoned, __ATOMIC_RELAXED) ||
	       __atomic_load_n(&channel->broken, __ATOMIC_RELAXED);
}

void channel_linger(struct channel *channel, struct channel_call *call)
{
	uint64_t start, ticks = boot_block->tsc_khz * LINGER_US / 1000;

	if (call->done || is_wanted(channel))
		return;
	/* Whoever sends one call after the other is at work, and does not hang. */
	this_cpu()->status->heartbeat++;
	call->watched = true;
	channel->watched++;
	if (channel->outstanding == channel->watched)
		silence(channel);
	lock_drop(&channel->replies.lock);

	start = rdtsc();
	do {
		/*
		 * As in the idle halt, where it would be otherwise: timers, control messages
		 * and the replies of others do not wait for the end of this. And at least
		 * once in each call, or the many of one that moves gigabytes would keep
		 * them out for seconds.
		 */
		cpu_serve_interrupts();
		if (!pisces_ring_empty(&channel->answers) ||
		    __atomic_load_n(&call->done, __ATOMIC_ACQUIRE) || is_wanted(channel))
			break;
		cpu_relax();
	} while (rdtsc() - start < ticks);

	lock_take(&channel->replies.lock);
	if (call->watched) {
		call->watched = false;
		channel->watched--;
	}
}

static void poll_channel(struct channel *channel)
{
	bool good = true, cancels = false;

	lock_take(&channel->replies.lock);
	if (channel->outstanding != 0 && !channel->broken && !channel->abandoned) {
		good = channel_poll_locked(channel, NULL);
		cancels = channel_send_cancels(channel);
	}
	lock_drop(&channel->replies.lock);
	if (cancels)
		channel_ring_proxy(channel);
	if (!good)
		channel_break(channel, "its proxy broke the ring of replies");
}

/* One that waits for replies and that IS_SO, with a reference; NULL: none is. */
static struct channel *find(bool (*is_so)(struct channel *channel, uint64_t argument),
			    uint64_t argument)
{
	struct channel *channel, *found = NULL;
	struct list *pos;

	lock_take(&channels_lock);
	LIST_FOR_EACH(pos, &channels) {
		channel = LIST_ENTRY(pos, struct channel, link);
		if (__atomic_load_n(&channel->outstanding, __ATOMIC_RELAXED) != 0 &&
		    !channel->broken && !channel->abandoned && is_so(channel, argument)) {
			found = channel;
			__atomic_fetch_add(&channel->references, 1, __ATOMIC_RELAXED);
			break;
		}
	}
	lock_drop(&channels_lock);
	return found;
}

static bool is_ready(struct channel *channel, uint64_t unused)
{
	(void)unused;
	return !pisces_ring_empty(&channel->answers);
}

/*
 * The bell has taken its announcement away, and it was not yet looked at in this turn, or a
 * later one: a proxy that takes each away at once does not keep us here. channels_lock is
 * held.
 */
static bool is_unannounced(struct channel *channel, uint64_t turn)
{
	if (channel->turn >= turn || !__atomic_load_n(&channel->announced, __ATOMIC_RELAXED) ||
	    pisces_ring_is_announced(&channel->answers))
		return false;
	channel->turn = turn;
	return true;
}

void channel_poll_all(void)
{
	static uint64_t turns;
	uint64_t turn = __atomic_add_fetch(&turns, 1, __ATOMIC_RELAXED);
	struct channel *channel;

	while ((channel = find(is_ready, 0)) != NULL ||
	       (channel = find(is_unannounced, turn)) != NULL) {
		poll_channel(channel);
		channel_put(channel);
	}
}

/* A channel whose bell is CPU's, with a reference; NULL: none. */
static struct channel *find_belled(cpu_id_t cpu)
{
	struct channel *channel, *found = NULL;
	struct list *pos;

	lock_take(&channels_lock);
	LIST_FOR_EACH(pos, &channels) {
		channel = LIST_ENTRY(pos, struct channel, link);
		if (__atomic_load_n(&channel->bell_cpu, __ATOMIC_RELAXED) == cpu) {
			found = channel;
			__atomic_fetch_add(&channel->references, 1, __ATOMIC_RELAXED);
			break;
		}
	}
	lock_drop(&channels_lock);
	return found;
}

void channel_bells_gone(cpu_id_t cpu)
{
	struct channel *channel;

	while ((channel = find_belled(cpu)) != NULL) {
		lock_take(&channel->replies.lock);
		channel->bell_cpu = this_cpu()->index;
		lock_drop(&channel->replies.lock);
		/* Says the new name to the proxy, then looks at what came under the old one. */
		poll_channel(channel);
		channel_put(channel);
	}
}

bool channel_may_sleep_all(cpu_id_t cpu)
{
	struct channel *channel = find(is_ready, 0);

	(void)cpu;
	if (!channel)
		return true;
	channel_put(channel);
	return false;
}
