/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for several pipes at once. */
#include "fs/pipe.h"
#include "lib/errno.h"

void pipe_poller_init(struct pipe_poller *poller)
{
	wait_queue_init(&poller->queue);
	poller->news = false;
}

int pipe_poller_wait(struct pipe_poller *poller, nsec_t deadline)
{
	int result = 0;

	lock_take(&poller->queue.lock);
	while (!poller->news && (result == 0 || result == -EAGAIN))
		result = wait_on(&poller->queue, deadline, true);
	if (poller->news)
		result = 0;
	poller->news = false;
	lock_drop(&poller->queue.lock);
	return result;
}

void pipe_watch_begin(struct pipe_watch *watch, struct pipe *pipe, struct pipe_poller *poller)
{
	watch->pipe = pipe;
	watch->poller = poller;
	lock_take(&pipe->lock);
	list_append(&pipe->watches, &watch->link);
	__atomic_fetch_add(&pipe->watched, 1, __ATOMIC_SEQ_CST);
	lock_drop(&pipe->lock);
}

void pipe_watch_end(struct pipe_watch *watch)
{
	lock_take(&watch->pipe->lock);
	list_remove(&watch->link);
	__atomic_fetch_sub(&watch->pipe->watched, 1, __ATOMIC_SEQ_CST);
	lock_drop(&watch->pipe->lock);
}

void pipe_tell_watches(struct pipe *pipe)
{
	struct pipe_poller *poller;
	struct list *pos;

	LIST_FOR_EACH(pos, &pipe->watches) {
		poller = LIST_ENTRY(pos, struct pipe_watch, link)->poller;
		lock_take(&poller->queue.lock);
		poller->news = true;
		wake_all(&poller->queue);
		lock_drop(&poller->queue.lock);
	}
}
