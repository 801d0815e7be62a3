/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "syscall/random.h"

#include <asm/unistd_64.h>

#include "channel/channel.h"
#include "fs/staged.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "task/process.h"
#include "task/thread.h"

#define CPUID_1_ECX_RDRAND (1u << 30)
#define TRIES 10 /* what the manual of the instruction recommends */

static bool has_rdrand(void)
{
	static enum { NOT_ASKED, NO, YES } answer;
	uint32_t a = 1, b, c = 0, d;

	/* Once: in a virtual machine the instruction costs an exit. */
	if (unlikely(__atomic_load_n(&answer, __ATOMIC_RELAXED) == NOT_ASKED)) {
		__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
		__atomic_store_n(&answer, c & CPUID_1_ECX_RDRAND ? YES : NO, __ATOMIC_RELAXED);
	}
	return __atomic_load_n(&answer, __ATOMIC_RELAXED) == YES;
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

/* ---- without Linux, and without an instruction: ChaCha20 (RFC 8439) by a key from Linux ---- */

static uint32_t rotate(uint32_t value, unsigned int by)
{
	return value << by | value >> (32 - by);
}

static void quarter(uint32_t *x, unsigned int a, unsigned int b, unsigned int c, unsigned int d)
{
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 7);
}

static void make_block(const uint32_t key[8], uint64_t number, uint32_t block[16])
{
	uint32_t start[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
	unsigned int i;

	memcpy(start + 4, key, 32);
	start[12] = (uint32_t)number;
	start[13] = (uint32_t)(number >> 32);
	memcpy(block, start, sizeof(start));
	for (i = 0; i < 10; i++) {
		quarter(block, 0, 4, 8, 12);
		quarter(block, 1, 5, 9, 13);
		quarter(block, 2, 6, 10, 14);
		quarter(block, 3, 7, 11, 15);
		quarter(block, 0, 5, 10, 15);
		quarter(block, 1, 6, 11, 12);
		quarter(block, 2, 7, 8, 13);
		quarter(block, 3, 4, 9, 14);
	}
	for (i = 0; i < 16; i++)
		block[i] += start[i];
}

static int from_key(struct staged *staged, uint8_t *to, size_t size)
{
	uint32_t block[16];
	uint64_t number;
	size_t piece;

	for (; size > 0; size -= piece) {
		lock_take(&staged->random_lock);
		number = staged->random_blocks++;
		lock_drop(&staged->random_lock);
		make_block(staged->random_key, number, block);
		piece = size < sizeof(block) ? size : sizeof(block);
		memcpy(to, block, piece);
		to += piece;
	}
	return 0;
}

int random_seed(struct staged *staged)
{
	return random_bytes(staged->random_key, sizeof(staged->random_key));
}

int random_bytes(void *to, size_t size)
{
	struct staged *staged;

	/* With that it is asked for also where there is no process. */
	if (from_cpu(to, size))
		return 0;
	staged = process_current()->staged;
	return staged && staged->started ? from_key(staged, to, size) : from_linux(to, size);
}

uint64_t random_number(unsigned int bits)
{
	uint64_t value;

	if (random_bytes(&value, sizeof(value)) != 0)
		return 0;
	return value & ((1ull << bits) - 1);
}
