/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File data through the channel: each piece is copied once on either side. */
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

/* read(2), or pread(2) if OFFSET is one, into a buffer of the channel. Bytes or -errno. */
static int64_t call_read(struct channel *channel, int fd, const struct channel_buffer *buffer,
			 uint64_t offset)
{
	const uint64_t args[6] = { (uint64_t)fd, buffer->offset, buffer->size, offset };
	int64_t bytes;

	bytes = channel_call(channel, offset == NO_OFFSET ? __NR_read : __NR_pread64, args);
	if (bytes > (int64_t)buffer->size) {
		channel_break(channel, "its proxy read more than it was asked to");
		return -EIO;
	}
	return bytes;
}

static int64_t read_piece(int fd, user_addr_t to, uint64_t size, uint64_t offset)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	int64_t bytes = channel_buffer_take(channel, size, &buffer);

	if (bytes < 0)
		return bytes;
	bytes = call_read(channel, fd, &buffer, offset);
	if (bytes > 0) {
		bytes = (int64_t)copy_to_user_partial(to, buffer.memory, (size_t)bytes);
		if (bytes == 0)
			bytes = -EFAULT;
	}
	channel_buffer_give(channel, &buffer);
	return bytes;
}

/*
 * A file of which a read gets all that is asked for, if it is there: going on after
 * a full piece cannot block, as it could on a pipe that had just this piece.
 */
static bool is_seekable(int fd)
{
	return channel_call_own(__NR_lseek, (uint64_t)fd, 0, 1 /* SEEK_CUR */, 0, 0, 0) >= 0;
}

int64_t forward_read(int fd, user_addr_t to, uint64_t size)
{
	uint64_t total = 0;
	int64_t bytes;

	size = min_u64(size, MOST);
	do {
		bytes = read_piece(fd, to + total, size - total, NO_OFFSET);
		if (bytes < 0)
			return total ? (int64_t)total : bytes;
		total += (uint64_t)bytes;
		if (bytes == 0 || total == size)
			break;
		/* A short piece is the end of what there is; but buffers may be small too. */
		if ((uint64_t)bytes % PAGE_SIZE != 0)
			break;
	} while (is_seekable(fd));
	return (int64_t)total;
}

int64_t forward_pread(int fd, user_addr_t to, uint64_t size, uint64_t offset)
{
	uint64_t total = 0;
	int64_t bytes;

	if ((int64_t)offset < 0)
		return -EINVAL;
	size = min_u64(size, MOST);
	do {
		bytes = read_piece(fd, to + total, size - total, offset + total);
		if (bytes < 0)
			return total ? (int64_t)total : bytes;
		total += (uint64_t)bytes;
	} while (bytes != 0 && total < size);
	return (int64_t)total;
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

static int64_t write_piece(int fd, user_addr_t from, uint64_t size, uint64_t offset,
			   uint64_t *piece)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	uint64_t args[6] = { (uint64_t)fd };
	int64_t bytes = channel_buffer_take(channel, size, &buffer);

	if (bytes < 0)
		return bytes;
	*piece = copy_from_user_partial(buffer.memory, from, buffer.size);
	if (*piece == 0 && buffer.size != 0) {
		channel_buffer_give(channel, &buffer);
		return -EFAULT;
	}
	args[1] = buffer.offset;
	args[2] = *piece;
	args[3] = offset;
	bytes = channel_call(channel, offset == NO_OFFSET ? __NR_write : __NR_pwrite64, args);
	channel_buffer_give(channel, &buffer);
	if (bytes > (int64_t)*piece) {
		channel_break(channel, "its proxy wrote more than it was asked to");
		return -EIO;
	}
	return bytes;
}

static int64_t write_all(int fd, user_addr_t from, uint64_t size, uint64_t offset)
{
	uint64_t total = 0, piece = 0;
	int64_t bytes;

	size = min_u64(size, MOST);
	do {
		bytes = write_piece(fd, from + total, size - total,
				    offset == NO_OFFSET ? offset : offset + total, &piece);
		if (bytes < 0)
			break;
		total += (uint64_t)bytes;
	} while (total < size && (uint64_t)bytes == piece && bytes != 0);
	if (bytes == -EPIPE)
		signal_broken_pipe();
	return total ? (int64_t)total : bytes;
}

int64_t forward_write(int fd, user_addr_t from, uint64_t size)
{
	return write_all(fd, from, size, NO_OFFSET);
}

int64_t forward_pwrite(int fd, user_addr_t from, uint64_t size, uint64_t offset)
{
	if ((int64_t)offset < 0)
		return -EINVAL;
	return write_all(fd, from, size, offset);
}
