/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "channel.h"

#include <errno.h>

#include "message.h"

int channel_open(struct channel *channel, struct task *task)
{
	struct pisces_channel_layout at;
	uint64_t size = 0;
	uint8_t *memory = task->ops->map(task, &size);

	if (!memory)
		return -errno;
	if (size < PISCES_CHANNEL_MIN_SIZE || size > PISCES_CHANNEL_MAX_SIZE)
		return -EPROTO;
	at = pisces_channel_layout(size);
	if (!pisces_ring_attach(&channel->calls, (struct pisces_ring *)(memory + at.calls),
				PISCES_CHANNEL_SLOTS) ||
	    !pisces_ring_attach(&channel->replies, (struct pisces_ring *)(memory + at.replies),
				PISCES_CHANNEL_SLOTS))
		return -EPROTO;
	channel->task = task;
	channel->data = memory + at.data;
	channel->data_size = at.data_size;
	pthread_mutex_init(&channel->reply_lock, NULL);
	return 0;
}

enum pisces_ring_result channel_next(struct channel *channel, struct pisces_message *message)
{
	return pisces_ring_get(&channel->calls, message);
}

int channel_linger(struct channel *channel)
{
	/* Announced before a sleep that something else than a call has ended. */
	if (pisces_ring_is_announced(&channel->calls))
		pisces_ring_stay_awake(&channel->calls);
	return channel->task->ops->linger(channel->task, channel->calls.index);
}

bool channel_may_sleep(struct channel *channel)
{
	return pisces_ring_may_sleep(&channel->calls, 0);
}

void channel_reply(struct channel *channel, uint64_t tag, int64_t result)
{
	struct pisces_message message = {
		.type = PISCES_MSG_REPLY,
		.tag = tag,
		.arg = { (uint64_t)result },
	};
	enum pisces_ring_result sent;
	bool wake = false;

	pthread_mutex_lock(&channel->reply_lock);
	sent = pisces_ring_put(&channel->replies, &message);
	if (sent == PISCES_RING_OK)
		wake = pisces_ring_must_wake(&channel->replies);
	pthread_mutex_unlock(&channel->reply_lock);

	if (sent == PISCES_RING_AGAIN)
		channel_broken("it does not take its replies");
	if (sent == PISCES_RING_BROKEN)
		channel_broken("its index of replies is impossible");
	if (wake)
		channel->task->ops->bell(channel->task);
}

void *channel_data(const struct channel *channel, uint64_t offset, uint64_t length)
{
	if (offset > channel->data_size || length > channel->data_size - offset)
		return NULL;
	return channel->data + offset;
}

void channel_broken(const char *how)
{
	message_fail(EXIT_ENCLAVE, "the co-kernel broke the rules of its channel: %s; "
		     "please report it", how);
}
