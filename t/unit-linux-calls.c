/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit-linux-calls.h"

#include <errno.h>
#include <unistd.h>

#include "channel/channel.h"
#include "fs/linux.h"

uint8_t linux_area[4096];

int64_t linux_result(long result)
{
	return result < 0 ? -errno : result;
}

int64_t channel_buffer_take_all(struct channel *channel, uint64_t size,
				struct channel_buffer *buffer)
{
	(void)channel;
	*buffer = (struct channel_buffer){ .offset = 0, .memory = linux_area, .size = size };
	return (int64_t)size;
}

void channel_buffer_give(struct channel *channel, struct channel_buffer *buffer)
{
	(void)channel;
	(void)buffer;
}

void linux_close(int64_t fd)
{
	close((int)fd);
}
