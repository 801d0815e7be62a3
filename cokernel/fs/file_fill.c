/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/file_fill.h"

#include <asm/unistd_64.h>

#include "channel/channel.h"
#include "lib/errno.h"
#include "mm/local.h"
#include "mm/object.h"
#include "task/process.h"
#include "task/thread.h"

/*
 * Bytes that were read at OFFSET, 0 at the end of the file, or -errno: then the object is as
 * it was. No page comes of which a part could not be read.
 */
static int64_t read_piece(struct object *object, int fd, uint64_t offset, uint64_t size)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	int64_t bytes = channel_buffer_take(channel, size, &buffer);
	uint64_t done = 0;

	if (bytes < 0)
		return bytes;
	do {
		bytes = channel_call_own(__NR_pread64, (uint64_t)fd, buffer.offset + done,
					 buffer.size - done, offset + done, 0, 0);
		if (bytes > (int64_t)(buffer.size - done)) {
			channel_break(channel, "its proxy read more than it was asked to");
			bytes = -EIO;
		}
		done += bytes > 0 ? (uint64_t)bytes : 0;
	} while (bytes > 0 && done < buffer.size);
	if (bytes >= 0)
		bytes = object_write(object, offset, buffer.memory, done) != 0 ? -ENOMEM :
										 (int64_t)done;
	channel_buffer_give(channel, &buffer);
	return bytes;
}

/* Pages for [at, end) where the file has become shorter since it was asked: zero. */
static int pad(struct object *object, uint64_t at, uint64_t end)
{
	uint64_t left;

	for (; at < end && !thread_current()->dying; at += left) {
		mm_turn(at / PAGE_SIZE);
		if (!object_memory(object, at, &left))
			return -ENOMEM;
	}
	return 0;
}

/*
 * All of [at, end), of which nothing is there. A page that begins is there for others
 * when it has been read in full: they wait for their turn.
 */
static int read_run(struct object *object, int fd, uint64_t at, uint64_t end)
{
	while (at < end) {
		int64_t bytes = read_piece(object, fd, at, end - at);

		if (bytes < 0)
			return (int)bytes;
		if (bytes == 0)
			return pad(object, at, end);
		at += (uint64_t)bytes;
	}
	return 0;
}

/* The end of what is THERE, or is not, from AT on. */
static uint64_t end_of_run(struct object *object, uint64_t at, uint64_t end, bool there)
{
	while (at < end && object_has(object, at) == there && !thread_current()->dying) {
		at = align_down(at, PAGE_SIZE) + PAGE_SIZE;
		mm_turn(at / PAGE_SIZE);
	}
	return min_u64(at, end);
}

int file_fill(struct object *object, int fd, uint64_t at, uint64_t end)
{
	uint64_t stop;
	int error = 0;

	while (at < end && !error && !thread_current()->dying) {
		stop = end_of_run(object, at, end, false);
		if (stop > at)
			error = read_run(object, fd, at, stop);
		at = max_u64(align_up(stop, PAGE_SIZE), at + PAGE_SIZE);
	}
	return error;
}

int file_refill(struct object *object, int fd, uint64_t at, uint64_t end)
{
	int64_t bytes = 1;
	uint64_t stop;

	if (object_resident(object) == 0)
		return 0;
	while (at < end && bytes > 0 && !thread_current()->dying) {
		stop = end_of_run(object, at, end, true);
		for (; at < stop && bytes > 0; at += (uint64_t)bytes) {
			bytes = read_piece(object, fd, at, stop - at);
			if (bytes < 0)
				return (int)bytes;
		}
		at = end_of_run(object, at, end, false);
	}
	return 0;
}
