/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/linux.h"

#include <asm/unistd_64.h>

#include "channel/channel.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "task/process.h"
#include "task/thread.h"

#define CWD ((uint64_t)-100)
#define PROC_FD_SIZE 64u

int64_t linux_call_with_name(uint32_t call, const char *name, uint64_t second)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	uint64_t size = strlen(name) + 1;
	int64_t result = channel_buffer_take_all(channel, size, &buffer);

	if (result < 0)
		return result;
	memcpy(buffer.memory, name, size);
	result = channel_call_own(call, buffer.offset, second, 0, 0, 0, 0);
	channel_buffer_give(channel, &buffer);
	return result;
}

int64_t linux_open(const char *path)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	uint64_t size = strlen(path) + 1;
	int64_t result = channel_buffer_take_all(channel, size, &buffer);

	if (result < 0)
		return result;
	memcpy(buffer.memory, path, size);
	/* 0: O_RDONLY */
	result = channel_call_own(__NR_openat, CWD, buffer.offset, 0, 0, 0, 0);
	channel_buffer_give(channel, &buffer);
	return result;
}

void linux_close(int64_t fd)
{
	channel_call_own(__NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
}

int64_t linux_read_file(const char *path, char *to, uint64_t size)
{
	int64_t fd = linux_open(path), bytes;

	if (fd < 0)
		return fd;
	bytes = forward_pread_kernel((int)fd, to, size, 0);
	linux_close(fd);
	return bytes;
}

int64_t linux_path_of(int fd, char *path, uint64_t size)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	int64_t length = channel_buffer_take_all(channel, PROC_FD_SIZE + size, &buffer);

	if (length < 0)
		return length;
	if ((uint64_t)fd == CWD)
		strlcpy((char *)buffer.memory, "/proc/self/cwd", PROC_FD_SIZE);
	else
		format_text((char *)buffer.memory, PROC_FD_SIZE, "/proc/self/fd/%d", fd);
	length = channel_call_own(__NR_readlinkat, CWD, buffer.offset,
				  buffer.offset + PROC_FD_SIZE, size, 0, 0);
	if (length >= (int64_t)size)
		length = -ENAMETOOLONG;
	if (length >= 0) {
		memcpy(path, buffer.memory + PROC_FD_SIZE, (size_t)length);
		path[length] = '\0';
	}
	channel_buffer_give(channel, &buffer);
	return length;
}

int64_t linux_fill(int64_t fd, const char *bytes, uint64_t size)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	uint64_t done = 0;
	int64_t result;

	while (done < size) {
		result = channel_buffer_take(channel, size - done, &buffer);
		if (result < 0)
			return result;
		memcpy(buffer.memory, bytes + done, buffer.size);
		result = channel_call_own(__NR_pwrite64, (uint64_t)fd, buffer.offset, buffer.size,
					  done, 0, 0);
		channel_buffer_give(channel, &buffer);
		if (result <= 0)
			return result < 0 ? result : -EIO;
		done += (uint64_t)result;
	}
	return 0;
}
