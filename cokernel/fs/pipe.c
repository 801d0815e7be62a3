/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/pipe.h"

#include "fs/abi_poll.h"
#include "fs/memory_file.h"
#include "fs/stage_open.h"
#include "fs/stage.h"
#include "lib/errno.h"
#include "mm/heap.h"
#include "task/signal.h"

/* Slots of all pipes. */
static uint32_t slots_of_all;

static bool is_writer(const struct open_file *end)
{
	return (end->flags & OPEN_ACCESS) == OPEN_WRITE_ONLY;
}

/* ---- how many slots there may be ---- */

static void count_slots(uint32_t before, uint32_t now)
{
	__atomic_fetch_add(&slots_of_all, now - before, __ATOMIC_RELAXED);
}

/* May there be MORE, with MOST at the end? Then they are counted. */
static bool add_slots(uint32_t more, uint32_t most)
{
	if (__atomic_add_fetch(&slots_of_all, more, __ATOMIC_RELAXED) <= most)
		return true;
	count_slots(more, 0);
	return false;
}

/* Those of a new pipe; 0: too many. */
static uint32_t new_slots(void)
{
	if (add_slots(PIPE_SLOTS, PIPE_SLOTS_SOFT))
		return PIPE_SLOTS;
	return add_slots(PIPE_SLOTS_LEAST, PIPE_SLOTS_HARD) ? PIPE_SLOTS_LEAST : 0;
}

/* ---- they come and go ---- */

static void destroy(struct pipe *pipe)
{
	count_slots(pipe->ring.room, 0);
	pipe_ring_destroy(&pipe->ring);
	heap_free(pipe);
}

/* The last reference to an end. */
static void release(struct open_file *end)
{
	struct pipe *pipe = end->pipe;
	bool last;

	lock_take(&pipe->lock);
	__atomic_fetch_sub(is_writer(end) ? &pipe->writers : &pipe->readers, 1, __ATOMIC_SEQ_CST);
	last = pipe->readers == 0 && pipe->writers == 0;
	/* With the lock, so that the other end, too, cannot go meanwhile. */
	if (!last)
		pipe_tell_all(pipe);
	lock_drop(&pipe->lock);
	if (last)
		destroy(pipe);
	if (end->node)
		stage_node_put(end->node);
}

static struct pipe *create(void)
{
	struct pipe *pipe = heap_alloc_zero(sizeof(*pipe));

	if (!pipe)
		return NULL;
	turn_init(&pipe->turn);
	wait_queue_init(&pipe->read_queue);
	wait_queue_init(&pipe->write_queue);
	list_init(&pipe->watches);
	return pipe;
}

/* Not one of PIPE's yet. */
static struct open_file *make_end(struct pipe *pipe, struct stage_node *node, uint32_t flags)
{
	struct open_file *end = open_file_create(NULL, flags);

	if (!end)
		return NULL;
	end->pipe = pipe;
	end->node = node;
	return end;
}

int pipe_create(uint32_t flags, struct stage_node *node, struct open_file **reader,
		struct open_file **writer)
{
	uint32_t lasting = flags & (OPEN_NON_BLOCKING | OPEN_PACKETS), slots = new_slots();
	struct pipe *pipe;

	if (slots == 0)
		return -ENFILE;
	pipe = create();
	*reader = make_end(pipe, node, OPEN_READ_ONLY | lasting);
	*writer = make_end(pipe, node, OPEN_WRITE_ONLY | lasting);
	if (!pipe || !*reader || !*writer || !pipe_ring_init(&pipe->ring, slots)) {
		heap_free(*reader);
		heap_free(*writer);
		heap_free(pipe);
		count_slots(slots, 0);
		return -ENOMEM;
	}
	pipe->readers = pipe->writers = 1;
	(*reader)->release = (*writer)->release = release;
	if (node) {
		stage_node_get(node);
		stage_node_get(node);
	}
	return 0;
}

/* ---- waiting ---- */

bool pipe_is_on_linux(const struct pipe *pipe)
{
	return __atomic_load_n(&pipe->on_linux, __ATOMIC_SEQ_CST);
}

static bool has_readers(const struct pipe *pipe)
{
	return __atomic_load_n(&pipe->readers, __ATOMIC_SEQ_CST) != 0;
}

static bool has_writers(const struct pipe *pipe)
{
	return __atomic_load_n(&pipe->writers, __ATOMIC_SEQ_CST) != 0;
}

static bool has_room(const struct pipe *pipe)
{
	return pipe_ring_used(&pipe->ring) < __atomic_load_n(&pipe->ring.room, __ATOMIC_SEQ_CST);
}

static bool can_read(const struct pipe *pipe)
{
	return pipe_ring_used(&pipe->ring) != 0 || !has_writers(pipe) || pipe_is_on_linux(pipe);
}

static bool can_write(const struct pipe *pipe)
{
	return has_room(pipe) || !has_readers(pipe) || pipe_is_on_linux(pipe);
}

static void wake(struct wait_queue *queue, bool all)
{
	lock_take(&queue->lock);
	if (all)
		wake_all(queue);
	else
		wake_one(queue);
	lock_drop(&queue->lock);
}

void pipe_tell(struct pipe *pipe)
{
	/* One each: who leaves something to be done tells the next one. */
	if (can_read(pipe))
		wake(&pipe->read_queue, false);
	if (can_write(pipe))
		wake(&pipe->write_queue, false);
	/* Pairs with pipe_watch_begin(): what has changed was stored before. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (unlikely(__atomic_load_n(&pipe->watched, __ATOMIC_SEQ_CST) != 0)) {
		lock_take(&pipe->lock);
		pipe_tell_watches(pipe);
		lock_drop(&pipe->lock);
	}
}

void pipe_tell_all(struct pipe *pipe)
{
	wake(&pipe->read_queue, true);
	wake(&pipe->write_queue, true);
	pipe_tell_watches(pipe);
}

/*
 * In the turn, which others have meanwhile: until READY, whose changes are told to QUEUE.
 * 0, in the turn; -ERESTARTSYS, and out of it.
 */
static int wait_until(struct pipe *pipe, struct wait_queue *queue,
		      bool (*ready)(const struct pipe *pipe))
{
	int result = 0;

	pipe_tell(pipe);
	lock_take(&queue->lock);
	turn_end(&pipe->turn);
	while (!ready(pipe) && result != -EINTR)
		result = wait_on(queue, NSEC_FOREVER, true);
	if (ready(pipe))
		result = 0;
	lock_drop(&queue->lock);
	if (result == -EINTR)
		return -ERESTARTSYS;
	return turn_take(&pipe->turn) != 0 ? -ERESTARTSYS : 0;
}

/* ---- reading and writing ---- */

static bool may_wait(const struct open_file *end)
{
	return !(__atomic_load_n(&end->flags, __ATOMIC_RELAXED) & OPEN_NON_BLOCKING);
}

static int64_t read_in_turn(struct open_file *end, struct pipe_cursor *to, bool *again)
{
	struct pipe *pipe = end->pipe;
	int error;

	if (pipe->on_linux)
		return PIPE_MOVED;
	error = pipe_ring_get(&pipe->ring, to);
	if (to->done != 0 || error)
		return to->done ? (int64_t)to->done : error;
	if (!has_writers(pipe))
		return 0;
	*again = may_wait(end);
	return -EAGAIN;
}

int64_t pipe_read(struct open_file *end, struct pipe_cursor *to)
{
	struct pipe *pipe = end->pipe;
	bool again;
	int64_t result;

	if (to->left == 0)
		return 0;
	result = turn_take(&pipe->turn);
	if (result)
		return result;
	for (;;) {
		again = false;
		result = read_in_turn(end, to, &again);
		if (!again)
			break;
		if (wait_until(pipe, &pipe->read_queue, can_read) != 0)
			return -ERESTARTSYS;
	}
	/* In this order: who is woken takes the turn next. */
	turn_end(&pipe->turn);
	pipe_tell(pipe);
	return result;
}

/* 0: nothing is left. *AGAIN: there is no room, and it waits for it. */
static int64_t write_in_turn(struct open_file *end, struct pipe_cursor *from, bool first,
			     bool *again)
{
	struct pipe *pipe = end->pipe;
	bool packet = __atomic_load_n(&end->flags, __ATOMIC_RELAXED) & OPEN_PACKETS;
	int error = 0;

	if (pipe->on_linux)
		return PIPE_MOVED;
	if (!has_readers(pipe)) {
		signal_broken_pipe();
		return -EPIPE;
	}
	if (first)
		error = pipe_ring_merge(&pipe->ring, from);
	if (!error)
		error = pipe_ring_put(&pipe->ring, from, packet);
	if (error || from->left == 0)
		return error;
	*again = may_wait(end);
	return -EAGAIN;
}

int64_t pipe_write(struct open_file *end, struct pipe_cursor *from)
{
	struct pipe *pipe = end->pipe;
	bool again, first = true;
	int64_t result;

	if (from->left == 0)
		return 0;
	result = turn_take(&pipe->turn);
	if (result)
		return result;
	for (;; first = false) {
		again = false;
		result = write_in_turn(end, from, first, &again);
		if (!again)
			break;
		if (wait_until(pipe, &pipe->write_queue, can_write) != 0)
			return from->done ? (int64_t)from->done : -ERESTARTSYS;
	}
	/* In this order: who is woken takes the turn next. */
	turn_end(&pipe->turn);
	pipe_tell(pipe);
	return from->done && result != PIPE_MOVED ? (int64_t)from->done : result;
}

int16_t pipe_found(const struct open_file *end)
{
	const struct pipe *pipe = end->pipe;
	int16_t found = 0;

	if (is_writer(end)) {
		if (has_room(pipe))
			found |= PIPE_POLL_OUT;
		if (!has_readers(pipe))
			found |= POLL_ERROR;
	} else {
		if (pipe_ring_used(&pipe->ring) != 0)
			found |= PIPE_POLL_IN;
		if (!has_writers(pipe))
			found |= POLL_HANG_UP;
	}
	return found;
}

/* ---- sizes ---- */

int64_t pipe_bytes(struct pipe *pipe)
{
	int64_t result = turn_take(&pipe->turn);

	if (result)
		return result;
	result = pipe->on_linux ? PIPE_MOVED : (int64_t)pipe_ring_bytes(&pipe->ring);
	turn_end(&pipe->turn);
	return result;
}

int64_t pipe_size(struct pipe *pipe)
{
	if (pipe_is_on_linux(pipe))
		return PIPE_MOVED;
	return (int64_t)(__atomic_load_n(&pipe->ring.room, __ATOMIC_RELAXED) * PAGE_SIZE);
}

/* A power of two. */
static uint32_t slots_for(uint64_t size)
{
	uint32_t slots = 1;

	while (slots * PAGE_SIZE < size)
		slots *= 2;
	return slots;
}

static int64_t resize_in_turn(struct pipe *pipe, uint32_t slots)
{
	uint32_t before = pipe->ring.room;
	int error;

	if (pipe->on_linux)
		return PIPE_MOVED;
	if (slots > before && slots > PIPE_SLOTS_MOST)
		return -EPERM;
	if (slots > before && !add_slots(slots - before, PIPE_SLOTS_SOFT))
		return -EPERM;
	error = pipe_ring_resize(&pipe->ring, slots);
	if (error) {
		if (slots > before)
			count_slots(slots, before);
		return error;
	}
	if (slots < before)
		count_slots(before, slots);
	pipe_tell(pipe);
	return (int64_t)(slots * PAGE_SIZE);
}

int64_t pipe_resize(struct pipe *pipe, uint64_t size)
{
	int64_t result;

	if (size > 1ull << 31)
		return -EINVAL;
	result = turn_take(&pipe->turn);
	if (result)
		return result;
	result = resize_in_turn(pipe, slots_for(size));
	turn_end(&pipe->turn);
	return result;
}
