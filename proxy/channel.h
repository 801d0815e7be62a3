/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proxy's end of a task's channel. The co-kernel at the other end is not
 * trusted: an impossible ring ends the proxy, an impossible offset gets EFAULT.
 */
#ifndef PROXY_CHANNEL_H
#define PROXY_CHANNEL_H

#include <pthread.h>

#include <pisces/channel.h>

#include "task.h"

struct channel {
	struct task *task;
	uint8_t *data; /* shared with the co-kernel, which may change it at any time */
	uint64_t data_size;
	struct pisces_ring_end calls; /* main thread */
	struct pisces_ring_end replies;
	pthread_mutex_t reply_lock; /* of replies */
};

/* Maps the channel of TASK. Returns 0 or a negative errno; -EPROTO: it is not one. */
int channel_open(struct channel *channel, struct task *task);

/* The next message; main thread. */
enum pisces_ring_result channel_next(struct channel *channel, struct pisces_message *message);

/*
 * Waits awake, for a moment, for the next message; main thread, which must announce its
 * sleep after this even if it had done so before. 0: it is there; else -errno.
 */
int channel_linger(struct channel *channel);

/* Announces that the main thread goes to sleep. False: something has come, get it. */
bool channel_may_sleep(struct channel *channel);

/*
 * Answers call TAG with RESULT, or a negative errno. Any thread. Does not return
 * if there is no room: a co-kernel that gets no more calls than it may, and takes
 * its replies, never lets that happen.
 */
void channel_reply(struct channel *channel, uint64_t tag, int64_t result);

/* LENGTH bytes of the data area at OFFSET; NULL if they are not all in it. */
void *channel_data(const struct channel *channel, uint64_t offset, uint64_t length);

/* The co-kernel broke the rules: says so and ends the proxy. */
_Noreturn void channel_broken(const char *how);

#endif
