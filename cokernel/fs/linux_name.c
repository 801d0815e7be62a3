/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of Linux, for staged I/O and exec: all by their paths, seen from the proxy's directory. */
#include <asm/unistd_64.h>

#include "channel/channel.h"
#include "fs/linux.h"
#include "fs/status.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "task/process.h"
#include "task/thread.h"

#define CWD ((uint64_t)-100)
#define NO_FOLLOW 0x100u

/* A buffer with PATH in it and MORE bytes behind that, from *AT of the data area on. */
static int64_t take_with(const char *path, uint64_t more, struct channel_buffer *buffer,
			 uint64_t *at)
{
	uint64_t size = align_up(strlen(path) + 1, 16);
	int64_t result = channel_buffer_take_all(process_current()->channel, size + more, buffer);

	if (result < 0)
		return result;
	memcpy(buffer->memory, path, strlen(path) + 1);
	*at = buffer->offset + size;
	return 0;
}

/* The same with a second path there. */
static int64_t take_two(const char *first, const char *second, struct channel_buffer *buffer,
			uint64_t *at)
{
	int64_t result = take_with(first, strlen(second) + 1, buffer, at);

	if (result == 0)
		memcpy(buffer->memory + (*at - buffer->offset), second, strlen(second) + 1);
	return result;
}

int64_t linux_name_call(uint32_t call, const char *path, uint64_t third, uint64_t fourth)
{
	struct channel_buffer buffer;
	uint64_t at;
	int64_t result = take_with(path, 0, &buffer, &at);

	if (result < 0)
		return result;
	result = channel_call_own(call, CWD, buffer.offset, third, fourth, 0, 0);
	channel_buffer_give(process_current()->channel, &buffer);
	return result;
}

int64_t linux_status(const char *path, bool follow, struct user_stat *status)
{
	struct channel_buffer buffer;
	uint64_t at;
	int64_t result = take_with(path, sizeof(*status), &buffer, &at);

	if (result < 0)
		return result;
	result = channel_call_own(__NR_newfstatat, CWD, buffer.offset, at,
				  follow ? 0 : NO_FOLLOW, 0, 0);
	if (result == 0)
		memcpy(status, buffer.memory + (at - buffer.offset), sizeof(*status));
	/* A proxy may say anything; more than 0 is no success of this call. */
	else if (result > 0)
		result = -EIO;
	channel_buffer_give(process_current()->channel, &buffer);
	return result;
}

int64_t linux_read_link(const char *path, char *target, uint64_t size)
{
	struct channel_buffer buffer;
	uint64_t at;
	int64_t result = take_with(path, size, &buffer, &at);

	if (result < 0)
		return result;
	result = channel_call_own(__NR_readlinkat, CWD, buffer.offset, at, size, 0, 0);
	if (result >= (int64_t)size)
		result = -ENAMETOOLONG;
	if (result >= 0) {
		memcpy(target, buffer.memory + (at - buffer.offset), (size_t)result);
		target[result] = '\0';
		/* A proxy may say anything. */
		if (strlen(target) != (size_t)result || result == 0)
			result = -EINVAL;
	}
	channel_buffer_give(process_current()->channel, &buffer);
	return result;
}

int64_t linux_rename(const char *old, const char *new)
{
	struct channel_buffer buffer;
	uint64_t at;
	int64_t result = take_two(old, new, &buffer, &at);

	if (result < 0)
		return result;
	result = channel_call_own(__NR_renameat, CWD, buffer.offset, CWD, at, 0, 0);
	channel_buffer_give(process_current()->channel, &buffer);
	return result;
}

int64_t linux_symlink(const char *target, const char *path)
{
	struct channel_buffer buffer;
	uint64_t at;
	int64_t result = take_two(target, path, &buffer, &at);

	if (result < 0)
		return result;
	result = channel_call_own(__NR_symlinkat, buffer.offset, CWD, at, 0, 0, 0);
	channel_buffer_give(process_current()->channel, &buffer);
	return result;
}

int64_t linux_set_times(int64_t fd, nsec_t accessed, nsec_t modified)
{
	struct channel *channel = process_current()->channel;
	const uint64_t times[4] = { accessed / NSEC_PER_SEC, accessed % NSEC_PER_SEC,
				    modified / NSEC_PER_SEC, modified % NSEC_PER_SEC };
	struct channel_buffer buffer;
	int64_t result = channel_buffer_take_all(channel, sizeof(times), &buffer);

	if (result < 0)
		return result;
	memcpy(buffer.memory, times, sizeof(times));
	result = channel_call_own(__NR_utimensat, (uint64_t)fd, PISCES_CHANNEL_NULL, buffer.offset,
				  0, 0, 0);
	channel_buffer_give(channel, &buffer);
	return result;
}
