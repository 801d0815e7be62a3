/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File data through the channel: each piece is copied once on either side, by both sides at
 * the same time where there is more than one.
 */
#include <asm/unistd_64.h>

#include "arch/user.h"
#include "channel/channel.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "task/process.h"
#include "task/signal.h"
#include "task/thread.h"

/* What Linux itself moves at most in one call. */
#define MOST 0x7ffff000ull

#define NO_OFFSET UINT64_MAX

/* Part of a file that is longer than this is moved in pieces of it, two at a time. */
#define AHEAD_PIECE (CHANNEL_PIECE / 2)
#define AHEAD_LEAST (AHEAD_PIECE / 4)

/*
 * How much of REST to read ahead. Pieces get smaller towards the end: while the last one is
 * copied the proxy has nothing to do. A call costs as much as copying a few KiB, though.
 */
static uint64_t ahead_size(uint64_t rest)
{
	if (rest <= AHEAD_LEAST)
		return rest;
	return min_u64(align_up(max_u64(rest / 2, AHEAD_LEAST), PAGE_SIZE), AHEAD_PIECE);
}

/* OFFSET, BYTES further on; a position in the file moves by itself. */
static uint64_t behind(uint64_t offset, uint64_t bytes)
{
	return offset == NO_OFFSET ? NO_OFFSET : offset + bytes;
}

/* read(2), or pread(2) if OFFSET is one, into a buffer of the channel. */
static uint32_t read_arguments(uint64_t args[6], int fd, const struct channel_buffer *buffer,
			       uint64_t offset)
{
	args[0] = (uint64_t)fd;
	args[1] = buffer->offset;
	args[2] = buffer->size;
	args[3] = offset;
	return offset == NO_OFFSET ? __NR_read : __NR_pread64;
}

/* BYTES, or -errno if that is what they say, or if they are more than BUFFER can have. */
static int64_t check_read(struct channel *channel, const struct channel_buffer *buffer,
			  int64_t bytes)
{
	if (bytes <= (int64_t)buffer->size)
		return bytes;
	channel_break(channel, "its proxy read more than it was asked to");
	return -EIO;
}

static int64_t call_read(struct channel *channel, int fd, const struct channel_buffer *buffer,
			 uint64_t offset)
{
	uint64_t args[6] = { 0 };
	uint32_t nr = read_arguments(args, fd, buffer, offset);

	return check_read(channel, buffer, channel_call(channel, nr, args));
}

/* Up to SIZE bytes into BUFFER, which is the caller's if there are any. Bytes or -errno. */
static int64_t read_piece(struct channel *channel, int fd, uint64_t size, uint64_t offset,
			  struct channel_buffer *buffer)
{
	int64_t bytes = channel_buffer_take(channel, size, buffer);

	if (bytes < 0)
		return bytes;
	bytes = call_read(channel, fd, buffer, offset);
	if (bytes <= 0)
		channel_buffer_give(channel, buffer);
	return bytes;
}

/* Begins the same, if there is room for it; else NULL. */
static struct channel_call *begin_piece(struct channel *channel, int fd, uint64_t size,
					uint64_t offset, struct channel_buffer *buffer)
{
	struct channel_call *call;
	uint64_t args[6] = { 0 };
	uint32_t nr;

	if (!channel_buffer_try(channel, size, buffer))
		return NULL;
	nr = read_arguments(args, fd, buffer, offset);
	call = channel_call_begin(channel, nr, args);
	if (!call)
		channel_buffer_give(channel, buffer);
	return call;
}

static int64_t end_piece(struct channel *channel, struct channel_call *call,
			 struct channel_buffer *buffer)
{
	int64_t bytes = check_read(channel, buffer, channel_call_end(channel, call));

	if (bytes <= 0)
		channel_buffer_give(channel, buffer);
	return bytes;
}

/* lseek(2) from where it is. On what has no position it does nothing. */
static int64_t move_position(int fd, int64_t by)
{
	return channel_call_own(__NR_lseek, (uint64_t)fd, (uint64_t)by, 1 /* SEEK_CUR */, 0, 0, 0);
}

/*
 * The calls are those of a loop that copies each piece before it reads the next one, in
 * that order and never two of them on their way: a short piece or an error is known
 * before more is asked for. Only the copying comes later, while the proxy reads on. So the
 * last piece may have been read for nothing, if the program's memory ends before it does.
 *
 * It goes on only where a read gets all that is asked for, if it is there: going on after
 * a full piece cannot block, as it could on a pipe that had just this piece. What has no
 * position is read in one piece, as large as may be: it may be a message.
 */
static int64_t read_pieces(int fd, user_addr_t to, uint64_t size, uint64_t offset)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer now, next;
	struct channel_call *call;
	bool seekable = offset != NO_OFFSET, more;
	uint64_t total = 0, rest, copied;
	int64_t bytes, ahead = 0;

	bytes = read_piece(channel, fd, seekable ? ahead_size(size) : size, offset, &now);
	while (bytes > 0) {
		rest = size - total - (uint64_t)bytes;
		more = rest != 0 && (uint64_t)bytes == now.size;
		if (more && !seekable)
			more = seekable = move_position(fd, 0) >= 0;
		rest = ahead_size(rest);
		call = NULL;
		if (more)
			call = begin_piece(channel, fd, rest,
					   behind(offset, total + (uint64_t)bytes), &next);
		copied = copy_to_user_partial(to + total, now.memory, (size_t)bytes);
		channel_buffer_give(channel, &now);
		if (call)
			ahead = end_piece(channel, call, &next);
		total += copied;
		if (copied < (uint64_t)bytes) {
			bytes -= (int64_t)copied;
			if (call && ahead > 0) {
				channel_buffer_give(channel, &next);
				bytes += ahead;
			}
			if (offset == NO_OFFSET)
				move_position(fd, -bytes);
			bytes = -EFAULT;
			break;
		}
		if (!more)
			break;
		if (!call)
			ahead = read_piece(channel, fd, rest, behind(offset, total), &next);
		bytes = ahead;
		now = next;
	}
	return total ? (int64_t)total : bytes;
}

int64_t forward_read(int fd, user_addr_t to, uint64_t size)
{
	return read_pieces(fd, to, min_u64(size, MOST), NO_OFFSET);
}

int64_t forward_pread(int fd, user_addr_t to, uint64_t size, uint64_t offset)
{
	if ((int64_t)offset < 0)
		return -EINVAL;
	return read_pieces(fd, to, min_u64(size, MOST), offset);
}

int64_t forward_pread_all(int fd, user_addr_t to, uint64_t size, uint64_t offset)
{
	uint64_t total = 0;
	int64_t bytes;

	while (total < size) {
		bytes = forward_pread(fd, to + total, size - total, offset + total);
		if (bytes < 0)
			return bytes;
		if (bytes == 0)
			break;
		total += (uint64_t)bytes;
	}
	return (int64_t)total;
}

int64_t forward_pread_kernel(int fd, void *to, uint64_t size, uint64_t offset)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	uint64_t total = 0;
	int64_t bytes = 0;

	while (total < size) {
		bytes = channel_buffer_take(channel, size - total, &buffer);
		if (bytes < 0)
			return bytes;
		bytes = call_read(channel, fd, &buffer, offset + total);
		if (bytes > 0)
			memcpy((uint8_t *)to + total, buffer.memory, (size_t)bytes);
		channel_buffer_give(channel, &buffer);
		if (bytes <= 0)
			break;
		total += (uint64_t)bytes;
	}
	return bytes < 0 ? bytes : (int64_t)total;
}

/* Copies what is to be written into BUFFER: bytes, *PIECE; or -EFAULT, and BUFFER is given back. */
static int64_t fill(struct channel *channel, user_addr_t from, struct channel_buffer *buffer,
		    uint64_t *piece)
{
	*piece = copy_from_user_partial(buffer->memory, from, buffer->size);
	if (*piece != 0 || buffer->size == 0)
		return (int64_t)*piece;
	channel_buffer_give(channel, buffer);
	return -EFAULT;
}

/* The same with a buffer of at most SIZE bytes that is taken first. */
static int64_t take_and_fill(struct channel *channel, user_addr_t from, uint64_t size,
			     struct channel_buffer *buffer, uint64_t *piece)
{
	int64_t bytes = channel_buffer_take(channel, size, buffer);

	return bytes < 0 ? bytes : fill(channel, from, buffer, piece);
}

/*
 * As read_pieces(): the calls are those of a loop that copies a piece and writes it, in that
 * order, each after the last one has written all of its piece. But the next piece is copied
 * while the proxy writes. The first one is as large as may be: it may be a message.
 */
static int64_t write_pieces(int fd, user_addr_t from, uint64_t size, uint64_t offset)
{
	const uint32_t nr = offset == NO_OFFSET ? __NR_write : __NR_pwrite64;
	struct channel *channel = process_current()->channel;
	struct channel_buffer now, next;
	struct channel_call *call;
	uint64_t total = 0, piece = 0, next_piece = 0, rest;
	bool filled;
	int64_t bytes = take_and_fill(channel, from, size, &now, &piece);

	while (bytes >= 0) {
		const uint64_t args[6] = { (uint64_t)fd, now.offset, piece, behind(offset, total) };

		rest = min_u64(size - total - piece, AHEAD_PIECE);
		filled = false;
		call = rest != 0 ? channel_call_begin(channel, nr, args) : NULL;
		if (call) {
			if (channel_buffer_try(channel, rest, &next))
				filled = fill(channel, from + total + piece, &next,
					      &next_piece) > 0;
			bytes = channel_call_end(channel, call);
		} else {
			bytes = channel_call(channel, nr, args);
		}
		channel_buffer_give(channel, &now);
		if (bytes > (int64_t)piece) {
			channel_break(channel, "its proxy wrote more than it was asked to");
			bytes = -EIO;
		}
		total += bytes > 0 ? (uint64_t)bytes : 0;
		if (rest == 0 || bytes <= 0 || (uint64_t)bytes != piece) {
			if (filled)
				channel_buffer_give(channel, &next);
			break;
		}
		if (!filled)
			bytes = take_and_fill(channel, from + total, rest, &next, &next_piece);
		now = next;
		piece = next_piece;
	}
	if (bytes == -EPIPE)
		signal_broken_pipe();
	return total ? (int64_t)total : bytes;
}

int64_t forward_write(int fd, user_addr_t from, uint64_t size)
{
	return write_pieces(fd, from, min_u64(size, MOST), NO_OFFSET);
}

int64_t forward_pwrite(int fd, user_addr_t from, uint64_t size, uint64_t offset)
{
	if ((int64_t)offset < 0)
		return -EINVAL;
	return write_pieces(fd, from, min_u64(size, MOST), offset);
}
