/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of channel/ share about a channel. */
#ifndef CK_CHANNEL_INTERNAL_H
#define CK_CHANNEL_INTERNAL_H

#include <pisces/channel.h>
#include <pisces/ring.h>

#include "channel/channel.h"
#include "lib/list.h"
#include "task/thread.h"
#include "task/wait.h"

#define DATA_PAGES (PISCES_CHANNEL_MAX_SIZE / 0x1000u)

/* A call that the proxy has, or has answered; under replies.lock. */
struct channel_call {
	bool used;
	bool done;
	bool abandoned; /* its thread is gone; the slot stays taken */
	bool cancel;	/* to be sent when the ring has room for it */
	bool watched;	/* its thread looks for the reply and does not sleep */
	uint32_t nr;
	uint64_t tag;
	int64_t result;
	struct thread *caller;
};

struct channel {
	struct list link; /* in the list of all; calls.c */
	uint32_t references;
	struct process *process; /* not a reference: a process outlives its channel's use */
	uint32_t task;
	phys_addr_t base;
	uint64_t size;
	uint8_t *memory;
	struct pisces_channel_layout layout;

	struct wait_queue replies; /* its lock: both rings and the table of calls */
	struct pisces_ring_end calls;
	struct pisces_ring_end answers;
	struct channel_call table[PISCES_CHANNEL_CALLS];
	unsigned int outstanding; /* sent and not answered; of these */
	unsigned int watched;	  /* so many are */
	bool announced;		  /* the proxy was asked to ring for the next */
	uint64_t turn;		  /* of channel_poll_all(), under its lock */
	uint64_t next_tag;
	cpu_id_t bell_cpu; /* as told to the proxy last */
	unsigned int strangers;
	bool abandoned; /* the proxy is gone */
	bool broken;	/* the proxy broke the rules */
	enum channel_phase phase; /* of the process itself, so without a lock */

	struct wait_queue space; /* its lock: the two below */
	unsigned int free_calls;
	uint64_t data_pages;
	uint64_t free_pages;
	uint64_t taken[DATA_PAGES / 64]; /* one bit a page */
};

/* What breaks off the waits of the running thread for a call. */
static inline enum wait_mode channel_wait_mode(const struct channel *channel)
{
	if (__atomic_load_n(&channel->phase, __ATOMIC_ACQUIRE) == CHANNEL_LAST)
		return WAIT_CERTAIN;
	return thread_current()->firm ? WAIT_KILLABLE : WAIT_INTERRUPTIBLE;
}

/* buffer.c */
void channel_space_init(struct channel *channel);

/* calls.c: tells Linux that the proxy has something to get, if it asked to be told. */
void channel_ring_proxy(struct channel *channel);

/* Sends the CANCELs that wait for room; replies.lock is held. True: ring the proxy. */
bool channel_send_cancels(struct channel *channel);

/*
 * replies.c: gets replies until there are none, and asks to be rung for the next one if a
 * thread sleeps until it comes; on this CPU if that is the running one, for its call OWN.
 * replies.lock is held. False: the ring is broken.
 */
bool channel_poll_locked(struct channel *channel, const struct channel_call *own);

/*
 * Looks for the reply to CALL, the running thread's, for as long as that is better than to
 * sleep; then the caller polls. replies.lock is held, but not meanwhile.
 */
void channel_linger(struct channel *channel, struct channel_call *call);

#endif
