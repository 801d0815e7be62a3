/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors come and go in the proxy; what is kept here is which of them are
 * directories of our own, memory files, ends of pipes, and signal files. Forgotten before
 * they are closed: behind that, another thread may have the number already.
 */
#include <asm/unistd_64.h>
#include <pisces/message.h>

#include "channel/channel.h"
#include "fs/file_table.h"
#include "fs/linux.h"
#include "fs/mapped_file.h"
#include "fs/own.h"
#include "lib/string.h"
#include "syscall/describe.h"
#include "syscall/handlers.h"
#include "syscall/own_file.h"
#include "task/process.h"
#include "task/signal_file.h"
#include "task/thread.h"

static int64_t send(uint32_t number, const uint64_t values[6])
{
	const struct description description = { number, { VALUE } };

	return describe_call(&description, values);
}

static void forget(uint32_t first, uint32_t last)
{
	own_dir_forget(first, last);
	file_table_forget(first, last);
	signal_file_forget(first, last);
}

/* NEW, or -errno: Linux has made it, a copy of OLD. */
static int64_t copied(int old, int64_t new)
{
	new = file_copied(old, new);
	if (new >= 0)
		own_dir_copy(old, (int)new);
	return new;
}

int64_t syscall_close(const struct syscall_args *args)
{
	if (mapped_file_keeps((uint32_t)args->a[0]))
		return -EBADF;
	forget((uint32_t)args->a[0], (uint32_t)args->a[0]);
	return send(__NR_close, args->a);
}

/* Some that are to be closed, of which the proxy knows. How many, at most MOST, or -errno. */
static int64_t list_close_on_exec(int32_t *fds, uint64_t most)
{
	struct channel *channel = process_current()->channel;
	uint64_t size = most * sizeof(*fds);
	struct channel_buffer buffer;
	int64_t count = channel_buffer_take_all(channel, size, &buffer);

	if (count < 0)
		return count;
	count = channel_call_own(PISCES_CALL_CLOSE_ON_EXEC, buffer.offset, size, 0, 0, 0, 0);
	memcpy(fds, buffer.memory, size);
	channel_buffer_give(channel, &buffer);
	return count > (int64_t)most ? -EIO : count;
}

int descriptors_close_on_exec(void)
{
	const int64_t most = 256;
	int32_t fds[256];
	int64_t count = most, i;
	unsigned int rounds;

	/* A proxy might name the same ones for ever. */
	for (rounds = 0; count == most && rounds < (1u << 16) / most; rounds++) {
		count = list_close_on_exec(fds, (uint64_t)most);
		for (i = 0; i < count; i++) {
			struct syscall_args args = { { (uint32_t)fds[i] } };

			syscall_close(&args);
		}
	}
	return count < 0 ? (int)count : 0;
}

/* All of FIRST to LAST but those that we keep for mapped files. */
int64_t syscall_close_range(const struct syscall_args *args)
{
	const uint64_t close_on_exec = 4;
	uint64_t first = (uint32_t)args->a[0], last = (uint32_t)args->a[1];
	int64_t kept, result;

	if (!(args->a[2] & close_on_exec))
		forget((uint32_t)first, (uint32_t)last);
	for (;; first = (uint64_t)kept + 1) {
		uint64_t part[6] = { first, last, args->a[2] };

		kept = first <= last ? mapped_file_next_kept((uint32_t)first) : -1;
		if (kept < 0 || (uint64_t)kept > last)
			return send(__NR_close_range, part);
		part[1] = (uint64_t)kept - 1;
		result = (uint64_t)kept > first ? send(__NR_close_range, part) : 0;
		if (result < 0 || (uint64_t)kept == last)
			return result;
	}
}

int64_t syscall_dup(const struct syscall_args *args)
{
	return copied((int)args->a[0], send(__NR_dup, args->a));
}

static int64_t dup_to(uint32_t number, const struct syscall_args *args)
{
	if (mapped_file_keeps((uint32_t)args->a[1]))
		return -EBADF;
	if ((uint32_t)args->a[0] != (uint32_t)args->a[1])
		own_dir_forget((uint32_t)args->a[1], (uint32_t)args->a[1]);
	/* A memory file gives way to the copy only when there is one. */
	return copied((int)args->a[0], send(number, args->a));
}

int64_t syscall_dup2(const struct syscall_args *args)
{
	return dup_to(__NR_dup2, args);
}

int64_t syscall_dup3(const struct syscall_args *args)
{
	return dup_to(__NR_dup3, args);
}
