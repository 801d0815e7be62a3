/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * readv(2) and its kin: gathered and scattered here, so that the proxy sees plain
 * reads and writes. What fits into one piece is one call, as atomic as Linux's own.
 */
#include <asm/unistd_64.h>

#include "channel/channel.h"
#include "fs/mapped_file.h"
#include "fs/memory_file.h"
#include "mm/heap.h"
#include "syscall/handlers.h"
#include "syscall/own_file.h"
#include "syscall/pipe.h"
#include "syscall/vector.h"
#include "task/process.h"
#include "task/signal.h"
#include "task/signal_file.h"
#include "task/thread.h"

#define NO_OFFSET UINT64_MAX

/* One part after the other, until one is not done in full. */
static int64_t each_part(int fd, const struct vector *vector, uint64_t count, uint64_t offset,
			 bool writing)
{
	uint64_t total = 0, i;
	int64_t bytes;

	for (i = 0; i < count; i++) {
		if (offset != NO_OFFSET && writing)
			bytes = file_pwrite(fd, vector[i].base, vector[i].size, offset + total);
		else if (offset != NO_OFFSET)
			bytes = file_pread(fd, vector[i].base, vector[i].size, offset + total);
		else if (writing)
			bytes = file_write(fd, vector[i].base, vector[i].size);
		else
			bytes = file_read(fd, vector[i].base, vector[i].size);
		if (bytes < 0)
			return total ? (int64_t)total : bytes;
		total += (uint64_t)bytes;
		if ((uint64_t)bytes != vector[i].size)
			break;
	}
	return (int64_t)total;
}

/* All parts in one call through BUFFER, which has room for BYTES. */
static int64_t in_one(int fd, const struct vector *vector, uint64_t bytes, uint64_t offset,
		      bool writing, struct channel_buffer *buffer)
{
	int64_t result;
	uint32_t number;

	if (writing && vector_gather(buffer->memory, vector, 0, bytes) != 0)
		return -EFAULT;
	if (offset == NO_OFFSET)
		number = writing ? __NR_write : __NR_read;
	else
		number = writing ? __NR_pwrite64 : __NR_pread64;
	if (!writing)
		mapped_file_before_read(fd, offset, bytes);
	result = channel_call_own(number, (uint64_t)fd, buffer->offset, bytes, offset, 0, 0);
	if (result > (int64_t)bytes) {
		channel_break(process_current()->channel, "its proxy moved more than it was asked to");
		return -EIO;
	}
	if (writing)
		mapped_file_after_write(fd, offset, result);
	if (writing && result == -EPIPE)
		signal_broken_pipe();
	if (!writing && result > 0 && vector_scatter(buffer->memory, vector, 0, (uint64_t)result) != 0)
		return -EFAULT;
	return result;
}

/* Of FD if that is an end of a pipe; else, or if it is Linux's, PIPE_MOVED. */
static int64_t transfer_pipe(int fd, const struct vector *vector, uint64_t count, uint64_t offset,
			     bool writing)
{
	struct open_file *end = pipe_end(fd);
	int64_t result = -ESPIPE;

	if (likely(!end))
		return PIPE_MOVED;
	if (offset == NO_OFFSET)
		result = pipe_transfer(fd, end, vector, count, writing);
	open_file_put(end);
	return result;
}

static int64_t transfer(const struct syscall_args *args, uint64_t offset, bool writing)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	struct vector *vector;
	uint64_t bytes;
	int fd = (int)args->a[0];
	int64_t result = vector_load(args->a[1], args->a[2], &vector, &bytes);

	if (result < 0)
		return result;
	result = transfer_pipe(fd, vector, args->a[2], offset, writing);
	if (result != PIPE_MOVED) {
		heap_free(vector);
		return result;
	}
	if (bytes > CHANNEL_PIECE || file_is_own(fd) || signal_file_is(fd)) {
		result = each_part(fd, vector, args->a[2], offset, writing);
		heap_free(vector);
		return result;
	}
	result = channel_buffer_take(channel, bytes, &buffer);
	if (result >= 0) {
		if (buffer.size == bytes)
			result = in_one(fd, vector, bytes, offset, writing, &buffer);
		channel_buffer_give(channel, &buffer);
		if (buffer.size != bytes)
			result = each_part(fd, vector, args->a[2], offset, writing);
	}
	heap_free(vector);
	return result;
}

int64_t syscall_readv(const struct syscall_args *args)
{
	return transfer(args, NO_OFFSET, false);
}

int64_t syscall_writev(const struct syscall_args *args)
{
	return transfer(args, NO_OFFSET, true);
}

static int64_t at_offset(const struct syscall_args *args, bool writing)
{
	return (int64_t)args->a[3] < 0 ? -EINVAL : transfer(args, args->a[3], writing);
}

int64_t syscall_preadv(const struct syscall_args *args)
{
	return at_offset(args, false);
}

int64_t syscall_pwritev(const struct syscall_args *args)
{
	return at_offset(args, true);
}

/* Offset -1: that of the descriptor. No flag is known. */
static int64_t with_flags(const struct syscall_args *args, bool writing)
{
	if (args->a[5] != 0)
		return -EOPNOTSUPP;
	if (args->a[3] == UINT64_MAX)
		return transfer(args, NO_OFFSET, writing);
	return at_offset(args, writing);
}

int64_t syscall_preadv2(const struct syscall_args *args)
{
	return with_flags(args, false);
}

int64_t syscall_pwritev2(const struct syscall_args *args)
{
	return with_flags(args, true);
}
