/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "syscall/random.h"

#include <asm/unistd_64.h>

#include "channel/channel.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "task/process.h"
#include "task/thread.h"

#define CPUID_1_ECX_RDRAND (1u << 30)
#define TRIES 10 /* what the manual of the instruction recommends */

static bool has_rdrand(void)
{
	uint32_t a = 1, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c & CPUID_1_ECX_RDRAND;
}

static bool rdrand(uint64_t *value)
{
	bool good;
	int try;

	for (try = 0; try < TRIES; try++) {
		__asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(good));
		if (good)
			return true;
	}
	return false;
}

static bool from_cpu(uint8_t *to, size_t size)
{
	uint64_t value;
	size_t piece;

	if (!has_rdrand())
		return false;
	while (size > 0) {
		if (!rdrand(&value))
			return false;
		piece = size < sizeof(value) ? size : sizeof(value);
		memcpy(to, &value, piece);
		to += piece;
		size -= piece;
	}
	return true;
}

static int from_linux(uint8_t *to, size_t size)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	int64_t bytes;

	while (size > 0) {
		bytes = channel_buffer_take(channel, size, &buffer);
		if (bytes < 0)
			return (int)bytes;
		bytes = channel_call_own(__NR_getrandom, buffer.offset, buffer.size, 0, 0, 0, 0);
		if (bytes > (int64_t)buffer.size)
			bytes = -EIO;
		if (bytes > 0)
			memcpy(to, buffer.memory, (size_t)bytes);
		channel_buffer_give(channel, &buffer);
		if (bytes <= 0)
			return bytes < 0 ? (int)bytes : -EIO;
		to += bytes;
		size -= (size_t)bytes;
	}
	return 0;
}

int random_bytes(void *to, size_t size)
{
	return from_cpu(to, size) ? 0 : from_linux(to, size);
}

uint64_t random_number(unsigned int bits)
{
	uint64_t value;

	if (random_bytes(&value, sizeof(value)) != 0)
		return 0;
	return value & ((1ull << bits) - 1);
}
