/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include "call.h"
#include "message.h"
#include "patience.h"
#include "signals.h"
#include "worker.h"

/* Between two tries to hand a signal to a module whose ring is full. */
#define SIGNAL_RETRY_MS 10

static void handle_call(struct channel *channel, const struct pisces_message *message)
{
	struct call *call = worker_take_call(message->tag);
	int64_t result = call_prepare(call, channel, message);

	if (result == 0)
		result = call->may_block ? CALL_WOULD_BLOCK : call_execute(call);
	if (result == CALL_WOULD_BLOCK) {
		worker_submit(call);
		return;
	}
	worker_give_call(call);
	channel_reply(channel, message->tag, result);
}

/* We would stop ourselves by it. */
static bool is_stopping(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

static int checked_status(uint64_t status)
{
	int value = (int)status;

	if (status > 0xffff || (!WIFEXITED(value) && !WIFSIGNALED(value)))
		channel_broken("its wait status is none");
	if (WIFSIGNALED(value) && is_stopping(WTERMSIG(value)))
		channel_broken("its wait status is the death by a signal that stops");
	return value;
}

/* Handles what is in the ring, but no more than a ring full. True: the program has ended. */
static bool handle_messages(struct channel *channel, int *status)
{
	struct pisces_message message;
	unsigned int count;

	for (count = 0; count < PISCES_CHANNEL_SLOTS; count++) {
		switch (channel_next(channel, &message)) {
		case PISCES_RING_AGAIN:
			return false;
		case PISCES_RING_BROKEN:
			channel_broken("its index of calls is impossible");
		case PISCES_RING_OK:
			break;
		}
		switch (message.type) {
		case PISCES_MSG_CALL:
			handle_call(channel, &message);
			break;
		case PISCES_MSG_CANCEL:
			worker_cancel(message.tag);
			break;
		case PISCES_MSG_TASK_EXIT:
			*status = checked_status(message.arg[0]);
			return true;
		default:
			channel_broken("it sent a message of no known type");
		}
	}
	return false;
}

_Noreturn static void enclave_ended(struct channel *channel)
{
	struct task *task = channel->task;
	char obituary[1024];

	worker_close();
	task->ops->obituary(task, obituary, sizeof(obituary));
	message_fail(EXIT_ENCLAVE, "%s", obituary);
}

/* Waits for the next call without sleeping, if that looks worth it. True: it is there. */
static bool linger(struct channel *channel, struct patience *patience)
{
	int result;

	if (!patience_lasts(patience))
		return false;
	result = channel_linger(channel);
	patience_learn(patience, result);
	return result == 0;
}

int serve(struct channel *channel, int signal_fd)
{
	struct pollfd wait[2] = {
		{ .fd = channel->task->fd, .events = POLLIN },
		{ .fd = signal_fd, .events = POLLIN },
	};
	struct patience patience = { 0 };
	bool again = false;
	int status;

	for (;;) {
		uint64_t rings;
		int timeout;
		bool retry;

		if (handle_messages(channel, &status))
			break;
		/* What has to be tried again must not wait for the end of a stream of calls. */
		retry = worker_cancel_again() || again;
		if (!retry && linger(channel, &patience))
			continue;
		timeout = retry ? SIGNAL_RETRY_MS : -1;
		if (!channel_may_sleep(channel))
			timeout = 0;
		if (poll(wait, 2, timeout) < 0 && errno != EINTR)
			message_fail(EXIT_ENCLAVE, "poll: %s", strerror(errno));
		if (wait[0].revents & POLLIN)
			if (read(wait[0].fd, &rings, sizeof(rings)) < 0 && errno != EAGAIN)
				wait[0].revents |= POLLHUP;
		if (wait[1].revents || again)
			again = signals_forward(signal_fd, channel->task);
		if (wait[0].revents & (POLLHUP | POLLERR | POLLNVAL)) {
			/* The last message may have come before the end. */
			while (!pisces_ring_empty(&channel->calls))
				if (handle_messages(channel, &status))
					goto ended;
			enclave_ended(channel);
		}
	}
ended:
	worker_close();
	return status;
}
