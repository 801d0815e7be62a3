/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two descriptors at once: if the program cannot be told their numbers there are none. */
#include <asm/unistd_64.h>

#include "channel/channel.h"
#include "fs/file_table.h"
#include "fs/linux.h"
#include "fs/memory_file.h"
#include "fs/pipe.h"
#include "lib/string.h"
#include "syscall/handlers.h"
#include "syscall/pipe.h"
#include "task/process.h"
#include "task/thread.h"

/* Of pipe2(2), and of Linux's own use: not a pipe as others. */
#define FLAG_NOTIFICATIONS 0200u

/* CALL with VALUES, of which number WHERE is the address of two descriptors: these. */
static int64_t call(uint32_t number, const uint64_t values[6], unsigned int where, int32_t pair[2])
{
	struct channel *channel = process_current()->channel;
	uint64_t sent[6] = { values[0], values[1], values[2], values[3] };
	struct channel_buffer buffer;
	int64_t result = channel_buffer_take_all(channel, 2 * sizeof(*pair), &buffer);

	if (result < 0)
		return result;
	sent[where] = buffer.offset;
	result = channel_call(channel, number, sent);
	memcpy(pair, buffer.memory, 2 * sizeof(*pair));
	channel_buffer_give(channel, &buffer);
	return result;
}

static int64_t tell(user_addr_t to, const int32_t pair[2])
{
	unsigned int i;

	if (copy_to_user(to, pair, 2 * sizeof(*pair)) == 0)
		return 0;
	for (i = 0; i < 2; i++) {
		file_table_forget((uint32_t)pair[i], (uint32_t)pair[i]);
		linux_close((uint32_t)pair[i]);
	}
	return -EFAULT;
}

/* PAIR, which Linux has just made, is a pipe of ours. If it cannot be it stays Linux's. */
static void keep_inside(const int32_t pair[2], uint32_t flags)
{
	struct open_file *reader, *writer;

	if ((flags & FLAG_NOTIFICATIONS) || pipe_create(flags, NULL, &reader, &writer) != 0)
		return;
	if (file_table_set(pair[0], reader) != 0)
		open_file_put(writer);
	else if (file_table_set(pair[1], writer) != 0)
		file_table_set(pair[0], NULL);
}

int64_t syscall_pipe2(const struct syscall_args *args)
{
	int32_t pair[2];
	int64_t result = call(__NR_pipe2, args->a, 0, pair);

	if (result < 0)
		return result;
	keep_inside(pair, (uint32_t)args->a[1]);
	return tell(args->a[0], pair);
}

int64_t syscall_socketpair(const struct syscall_args *args)
{
	int32_t pair[2];
	int64_t result = call(__NR_socketpair, args->a, 3, pair);

	return result < 0 ? result : tell(args->a[3], pair);
}
