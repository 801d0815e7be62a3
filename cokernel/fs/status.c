/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/status.h"

#include <asm/unistd_64.h>

#include "channel/channel.h"
#include "lib/errno.h"
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
	/* A proxy may say anything; more than 0 is no success of this call. */
	else if (result > 0)
		result = -EIO;
	channel_buffer_give(channel, &buffer);
	return (int)result;
}

int64_t file_flags(int fd)
{
	return channel_call_own(__NR_fcntl, (uint64_t)fd, GET_FLAGS, 0, 0, 0, 0);
}
