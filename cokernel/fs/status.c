/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/status.h"

#include <asm/unistd_64.h>

#include "channel/channel.h"
#include "lib/string.h"
#include "task/process.h"
#include "task/thread.h"

#define GET_FLAGS 3 /* F_GETFL */

int file_status(int fd, struct user_stat *status)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	int64_t result = channel_buffer_take_all(channel, sizeof(*status), &buffer);

	if (result < 0)
		return (int)result;
	result = channel_call_own(__NR_fstat, (uint64_t)fd, buffer.offset, 0, 0, 0, 0);
	if (result == 0)
		memcpy(status, buffer.memory, sizeof(*status));
	channel_buffer_give(channel, &buffer);
	return (int)result;
}

int64_t file_flags(int fd)
{
	return channel_call_own(__NR_fcntl, (uint64_t)fd, GET_FLAGS, 0, 0, 0, 0);
}

int64_t call_with_name(uint32_t call, unsigned int index, const char *name, uint64_t other,
		       uint64_t more)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	uint64_t size = strlen(name) + 1;
	int64_t result = channel_buffer_take_all(channel, size, &buffer);

	if (result < 0)
		return result;
	memcpy(buffer.memory, name, size);
	if (index == 0)
		result = channel_call_own(call, buffer.offset, other, more, 0, 0, 0);
	else
		result = channel_call_own(call, other, buffer.offset, more, 0, 0, 0);
	channel_buffer_give(channel, &buffer);
	return result;
}
