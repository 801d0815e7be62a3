/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads and writes in pieces, two at a time: whatever the proxy answers and wherever the
 * program's memory ends, the calls and the result are those of one piece after the other.
 */
#include <stdlib.h>
#include <string.h>
#include <asm/unistd_64.h>

#include "tap.h"

#include "arch/user.h"
#include "channel/channel.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "task/process.h"
#include "task/signal.h"
#include "task/thread.h"

#define FILE_MOST 0x200000u
#define BUFFERS 8u
#define AHEAD (CHANNEL_PIECE / 2)

/* The file, which is a sequence of bytes, or a pipe. */
static uint8_t file[FILE_MOST];
static uint64_t file_size, position;
static bool seekable;

/* What the proxy does: call number `fails_at` (from 1 on) fails so, or moves so few bytes. */
static unsigned int calls, moves, fails_at;
static int64_t failure; /* -errno, or bytes */

/* The program's memory is the end of this. */
static uint8_t memory[FILE_MOST];
static uint64_t memory_size;

/* The channel's: how much is lent, and on its way. */
static uint8_t pieces[BUFFERS][CHANNEL_PIECE];
static unsigned int lent, on_its_way, ahead;
static bool scarce; /* nothing ahead of time */
static uint64_t largest; /* of what a buffer may have */
static unsigned int mistakes, broken_pipes;
static struct process process;

struct channel_call {
	int64_t result;
};
static struct channel_call the_call;

/* ---- what the other rooms do ---- */

struct process *process_current(void)
{
	return &process;
}

void signal_broken_pipe(void)
{
	broken_pipes++;
}

void channel_break(struct channel *channel, const char *why)
{
	(void)channel;
	(void)why;
	mistakes++;
}

size_t copy_to_user_partial(user_addr_t to, const void *from, size_t size)
{
	size = to >= memory_size ? 0 : min_u64(size, memory_size - to);
	memcpy(memory + to, from, size);
	return size;
}

size_t copy_from_user_partial(void *to, user_addr_t from, size_t size)
{
	size = from >= memory_size ? 0 : min_u64(size, memory_size - from);
	memcpy(to, memory + from, size);
	return size;
}

static void lend(uint64_t size, struct channel_buffer *buffer)
{
	unsigned int i = 0;

	while (i < BUFFERS && lent >> i & 1)
		i++;
	if (i == BUFFERS)
		abort();
	lent |= 1u << i;
	buffer->offset = i * CHANNEL_PIECE;
	buffer->memory = pieces[i];
	buffer->size = size;
	buffer->done = false;
}

int64_t channel_buffer_take(struct channel *channel, uint64_t size, struct channel_buffer *buffer)
{
	(void)channel;
	/* Who has one waits for no other, or two could wait for each other. */
	mistakes += lent != 0;
	lend(min_u64(min_u64(size, CHANNEL_PIECE), largest), buffer);
	return (int64_t)buffer->size;
}

bool channel_buffer_try(struct channel *channel, uint64_t size, struct channel_buffer *buffer)
{
	(void)channel;
	if (scarce || rand() % 8 == 0)
		return false;
	lend(size, buffer);
	return true;
}

void channel_buffer_give(struct channel *channel, struct channel_buffer *buffer)
{
	unsigned int bit = 1u << buffer->offset / CHANNEL_PIECE;

	(void)channel;
	mistakes += !(lent & bit);
	lent &= ~bit;
	/* What is read after this is somebody else's. */
	memset(buffer->memory, 0xee, CHANNEL_PIECE);
}

static int64_t transfer(uint32_t nr, const uint64_t args[6])
{
	uint64_t at = nr == __NR_read || nr == __NR_write ? position : args[3];
	uint8_t *data = &pieces[0][0] + args[1];
	uint64_t size = args[2];

	if (++moves == fails_at) {
		if (failure < 0)
			return failure;
		size = min_u64(size, (uint64_t)failure);
	}
	if (nr == __NR_read || nr == __NR_pread64) {
		size = at >= file_size ? 0 : min_u64(size, file_size - at);
		memcpy(data, file + at, size);
	} else {
		size = min_u64(size, FILE_MOST - at);
		memcpy(file + at, data, size);
		file_size = max_u64(file_size, at + size);
	}
	if (nr == __NR_read || nr == __NR_write)
		position += size;
	return (int64_t)size;
}

static int64_t execute(uint32_t nr, const uint64_t args[6])
{
	calls++;
	mistakes += on_its_way != 0;
	if (nr != __NR_lseek)
		return transfer(nr, args);
	if (!seekable)
		return -ESPIPE;
	position += args[1];
	return (int64_t)position;
}

int64_t channel_call(struct channel *channel, uint32_t nr, const uint64_t args[6])
{
	(void)channel;
	return execute(nr, args);
}

int64_t channel_call_own(uint32_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
			 uint64_t f)
{
	const uint64_t args[6] = { a, b, c, d, e, f };

	return execute(nr, args);
}

struct channel_call *channel_call_begin(struct channel *channel, uint32_t nr,
					const uint64_t args[6])
{
	(void)channel;
	if (scarce || rand() % 8 == 0)
		return NULL;
	the_call.result = execute(nr, args);
	on_its_way++;
	ahead++;
	return &the_call;
}

int64_t channel_call_end(struct channel *channel, struct channel_call *call)
{
	(void)channel;
	mistakes += call != &the_call || on_its_way != 1;
	on_its_way = 0;
	return call->result;
}

/* ---- one transfer, and what it has to be ---- */

static void begin(uint64_t size, bool can_seek)
{
	uint64_t i;

	for (i = 0; i < FILE_MOST; i++) {
		file[i] = (uint8_t)((i * 2654435761u) >> 13);
		memory[i] = (uint8_t)((i * 40503u) >> 7);
	}
	file_size = size;
	position = 0;
	seekable = can_seek;
	calls = moves = fails_at = 0;
	memory_size = FILE_MOST;
	largest = CHANNEL_PIECE;
	scarce = false;
	mistakes = broken_pipes = ahead = 0;
}

static bool clean(void)
{
	return mistakes == 0 && lent == 0 && on_its_way == 0;
}

/* Where piece N, from 0 on, of a read of 1 MiB begins that knows that it can seek. */
static uint64_t piece_begins(unsigned int n)
{
	/* Eight would be alike; the last one is three, half as long and twice a quarter. */
	static const uint64_t last[] = { 7 * AHEAD, 7 * AHEAD + AHEAD / 2, 8 * AHEAD - AHEAD / 4 };

	return n < 7 ? n * AHEAD : last[n - 7];
}

static bool has_read(uint64_t at, uint64_t size)
{
	return memcmp(memory, file + at, size) == 0 &&
	       (size == FILE_MOST || memory[size] == (uint8_t)((size * 40503u) >> 7));
}

static void test_whole(void)
{
	begin(0x150001, true);
	is_number(forward_pread(3, 0, 0x100000, 1), 0x100000, "pread 1 MiB");
	ok(has_read(1, 0x100000) && clean() && position == 0, "is what is there");
	ok(calls == 10 && ahead > 3, "by 10 calls, %u of them ahead", ahead);
	begin(0x150001, true);
	is_number(forward_read(3, 0, 0x180000), 0x150001, "read up to the end");
	ok(has_read(0, 0x150001) && clean() && position == 0x150001, "and there it is then");
	begin(0, true);
	is_number(forward_write(3, 0, 0x123456), 0x123456, "write");
	ok(memcmp(file, memory, 0x123456) == 0 && clean() && position == 0x123456, "all of it");
	begin(0, true);
	is_number(forward_pwrite(3, 0, 0x123456, 77), 0x123456, "pwrite");
	ok(memcmp(file + 77, memory, 0x123456) == 0 && clean() && position == 0, "where it said");
	begin(100, true);
	is_number(forward_pread(3, 0, 4096, 0), 100, "a short file");
	ok(calls == 1 && has_read(0, 100), "by one call");
	is_number(forward_pread(3, 0, 4096, 100), 0, "nothing at its end");
	is_number(forward_read(3, 0, 0), 0, "nothing wanted");
	is_number(forward_write(3, 0, 0), 0, "nothing to write");
	ok(clean(), "and nothing kept");
}

/* What cannot be sought is read by one call: more could block, and it could be a message. */
static void test_pipe(void)
{
	begin(0x100000, false);
	is_number(forward_read(0, 0, 0x100000), CHANNEL_PIECE, "a pipe: one full piece");
	ok(moves == 1 && clean(), "and no more");
	begin(0x100000, false);
	is_number(forward_read(0, 0, CHANNEL_PIECE), CHANNEL_PIECE, "a message as large");
	ok(calls == 1, "whole");
	begin(0, false);
	is_number(forward_write(1, 0, CHANNEL_PIECE), CHANNEL_PIECE, "one to write");
	ok(calls == 1 && clean(), "whole");
	begin(0, false);
	fails_at = 3;
	failure = -EPIPE;
	is_number(forward_write(1, 0, 0x100000), CHANNEL_PIECE + AHEAD, "a pipe that is closed");
	ok(broken_pipes == 1 && moves == 3 && clean(), "is a signal");
}

static void test_failures(void)
{
	unsigned int n, wrong = 0;

	for (n = 1; n <= 10; n++) {
		uint64_t before = piece_begins(n - 1);

		begin(0x100000, true);
		fails_at = n;
		failure = -EIO;
		wrong += forward_pread(3, 0, 0x100000, 0) != (n == 1 ? -EIO : (int64_t)before);
		wrong += moves != n || !clean() || !has_read(0, before);
		begin(0x100000, true);
		fails_at = n;
		failure = 4711;
		wrong += forward_pread(3, 0, 0x100000, 0) != (int64_t)before + 4711;
		wrong += moves != n || !clean() || !has_read(0, before + 4711);
	}
	is_number(wrong, 0, "an error or a short piece: no call after it, and all before it");
	for (n = 1, wrong = 0; n <= 7; n++) {
		uint64_t before = n == 1 ? 0 : CHANNEL_PIECE + (n - 2) * AHEAD;

		begin(0, true);
		fails_at = n;
		failure = -ENOSPC;
		wrong += forward_write(3, 0, 0x100000) != (n == 1 ? -ENOSPC : (int64_t)before);
		wrong += moves != n || !clean() || file_size != before || position != before;
		begin(0, true);
		fails_at = n;
		failure = 4711;
		wrong += forward_write(3, 0, 0x100000) != (int64_t)before + 4711;
		wrong += moves != n || !clean() || position != before + 4711;
	}
	is_number(wrong, 0, "the same of writes, and nothing of a later piece is in the file");
}

/* The program's memory ends: what fits is there, and the position behind that. */
static void test_faults(void)
{
	unsigned int i, wrong = 0;

	for (i = 0; i < 300; i++) {
		uint64_t end = (uint64_t)rand() % 0x100000;

		if (i % 5 == 0)
			end = end / AHEAD * AHEAD;
		begin(0x180000, true);
		scarce = i % 3 == 0;
		memory_size = end;
		wrong += forward_read(3, 0, 0x100000) != (end ? (int64_t)end : -EFAULT);
		wrong += position != end || !has_read(0, end) || !clean();
		begin(0x180000, true);
		memory_size = end;
		wrong += forward_pread(3, 0, 0x100000, 5) != (end ? (int64_t)end : -EFAULT);
		wrong += !has_read(5, end) || !clean();
		begin(0, true);
		memory_size = end;
		wrong += forward_write(3, 0, 0x100000) != (end ? (int64_t)end : -EFAULT);
		wrong += position != end || file_size != end || !clean() ||
			 memcmp(file, memory, end) != 0;
	}
	is_number(wrong, 0, "memory that ends anywhere");
}

static void test_any(void)
{
	unsigned int i, wrong = 0;

	for (i = 0; i < 500; i++) {
		uint64_t size = (uint64_t)rand() % 0x120000, at = (uint64_t)rand() % 0x1000;
		uint64_t there = (uint64_t)rand() % 0x120000, get;

		begin(there, true);
		scarce = i % 4 == 0;
		largest = i % 3 ? CHANNEL_PIECE : 0x1000u << i % 6;
		get = at >= there ? 0 : min_u64(size, there - at);
		wrong += forward_pread(3, 0, size, at) != (int64_t)get || !has_read(at, get);
		position = at;
		wrong += forward_read(3, 0, size) != (int64_t)get || position != at + get;
		wrong += !has_read(at, get) || !clean();
		position = at;
		wrong += forward_write(3, 0, size) != (int64_t)size || position != at + size;
		wrong += memcmp(file + at, memory, size) != 0 || !clean();
	}
	is_number(wrong, 0, "any sizes, with more or less room in the channel");
}

static void test_liar(void)
{
	begin(0x100000, true);
	is_number(forward_pread(3, 0, 10, (uint64_t)-1), -EINVAL, "a negative offset");
	is_number(forward_pwrite(3, 0, 10, (uint64_t)-1), -EINVAL, "to write to");
}

int main(void)
{
	srand(1);
	test_whole();
	test_pipe();
	test_failures();
	test_faults();
	test_any();
	test_liar();
	return done();
}
