/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pipe becomes Linux's, where one has waited for it, empty, since it was made: what is in
 * it is written there in its turn, and all that wait for it here go on there.
 */
#include <asm/unistd_64.h>
#include <linux/fcntl.h>

#include "channel/channel.h"
#include "fs/linux.h"
#include "fs/memory_file.h"
#include "fs/pipe.h"
#include "fs/stage_open.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "task/process.h"
#include "task/thread.h"

#define PATH_SIZE 32u

static int64_t command(int64_t fd, uint64_t number, uint64_t argument)
{
	return channel_call_own(__NR_fcntl, (uint64_t)fd, number, argument, 0, 0, 0);
}

/*
 * A descriptor of its own: the program's can be closed any moment, and where all that write
 * are closed already, what they have written is not lost.
 */
static int64_t open_both(int fd)
{
	char path[PATH_SIZE];

	format_text(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linux_name_call(__NR_openat, path,
			       OPEN_READ_WRITE | OPEN_NON_BLOCKING | OPEN_CLOSE_ON_EXEC, 0);
}

/* Room for what there is. 0 or -errno; -EBADF: this is no pipe. */
static int set_size(const struct pipe_ring *ring, int64_t fd)
{
	int64_t size = command(fd, F_GETPIPE_SZ, 0);

	if (size >= 0 && size != (int64_t)(ring->room * PAGE_SIZE)) {
		/* It matters only if it is too small for what is there. */
		command(fd, F_SETPIPE_SZ, ring->room * PAGE_SIZE);
		size = command(fd, F_GETPIPE_SZ, 0);
	}
	if (size < 0)
		return (int)size;
	return (uint64_t)size < ring->used * PAGE_SIZE ? -ENOMEM : 0;
}

/* One write for each slot: so none needs more room there than here, and packets stay such. */
static int write_slot(const struct pipe_slot *slot, int64_t fd, const struct channel_buffer *buffer)
{
	int64_t bytes;

	memcpy(buffer->memory, slot->page + slot->offset, slot->length);
	bytes = channel_call_own(__NR_write, (uint64_t)fd, buffer->offset, slot->length, 0, 0, 0);
	if (bytes < 0)
		return (int)bytes;
	return bytes == (int64_t)slot->length ? 0 : -EIO;
}

/* FD blocks nobody, and has room. */
static int write_all(struct pipe_ring *ring, int64_t fd)
{
	struct channel *channel = process_current()->channel;
	const struct pipe_slot *slot;
	struct channel_buffer buffer;
	bool packet = false;
	int64_t result = channel_buffer_take_all(channel, PAGE_SIZE, &buffer);

	if (result < 0)
		return (int)result;
	result = 0;
	while (result == 0 && (slot = pipe_ring_first(ring)) != NULL) {
		if (slot->packet != packet) {
			packet = slot->packet;
			result = command(fd, F_SETFL,
					 OPEN_NON_BLOCKING | (packet ? OPEN_PACKETS : 0));
		}
		if (result == 0)
			result = write_slot(slot, fd, &buffer);
		if (result == 0)
			pipe_ring_drop_first(ring);
	}
	channel_buffer_give(channel, &buffer);
	return (int)result;
}

static int move(struct pipe_ring *ring, int fd)
{
	int64_t both;
	int error;

	if (ring->used == 0 && ring->room == PIPE_SLOTS)
		return 0;
	both = open_both(fd);
	if (both < 0)
		return (int)both;
	error = set_size(ring, both);
	if (!error && ring->used != 0)
		error = write_all(ring, both);
	linux_close(both);
	return error;
}

int pipe_to_linux(struct open_file *end, int fd)
{
	struct thread *self = thread_current();
	struct pipe *pipe = end->pipe;
	bool firm = self->firm;
	int error;

	if (pipe_is_on_linux(pipe))
		return 0;
	error = turn_take(&pipe->turn);
	if (error)
		return error;
	/* Not half of it: signals wait. Only the end of the process breaks it off. */
	self->firm = true;
	error = pipe->on_linux ? 0 : move(&pipe->ring, fd);
	self->firm = firm;
	if (!error) {
		__atomic_store_n(&pipe->on_linux, true, __ATOMIC_SEQ_CST);
		lock_take(&pipe->lock);
		pipe_tell_all(pipe);
		lock_drop(&pipe->lock);
	}
	turn_end(&pipe->turn);
	return error;
}
