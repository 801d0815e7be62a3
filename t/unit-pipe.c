/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pipes against Linux's own: the same random operations on both, with the same results. Then
 * what waits: threads, watches. And pipes that become Linux's.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "tap.h"
#include "unit-pipe-rest.h"

#include "fs/memory_file.h"
#include "fs/pipe.h"
#include "syscall/vector.h"

#define ERESTARTSYS 512
#define ROUNDS 150
#define STEPS 400
#define MOST (1u << 18)

static unsigned int seed;

static unsigned int chance(unsigned int below)
{
	return (unsigned int)rand_r(&seed) % below;
}

/* ---- one pipe here and one on Linux ---- */

static struct open_file *reader, *writer;
static int ends[2];
static uint8_t from[MOST], here[MOST], there[MOST];

static void open_pipe(int flags)
{
	if (pipe_create((uint32_t)flags, NULL, &reader, &writer) != 0 || pipe2(ends, flags) != 0) {
		printf("Bail out! no pipes\n");
		exit(1);
	}
}

static void close_pipe(void)
{
	if (reader) {
		open_file_put(reader);
		close(ends[0]);
	}
	if (writer) {
		open_file_put(writer);
		close(ends[1]);
	}
	reader = writer = NULL;
}

static int64_t of_linux(long result)
{
	return result < 0 ? -errno : result;
}

/* SIZE bytes at MEMORY in parts, some of them empty. */
static unsigned int cut(void *memory, uint64_t size, struct vector *parts)
{
	unsigned int count = chance(3) ? 1 : 1 + chance(5), i;
	uint64_t at = 0;

	for (i = 0; i < count; i++) {
		parts[i].base = (uint64_t)memory + at;
		parts[i].size = i == count - 1 ? size - at : chance((unsigned int)(size - at) + 1);
		at += parts[i].size;
	}
	return count;
}

static int64_t write_here(const void *memory, uint64_t size)
{
	struct vector parts[5];
	struct pipe_cursor cursor = { .parts = parts, .left = size };

	cut((void *)memory, size, parts);
	return pipe_write(writer, &cursor);
}

static int64_t read_here(void *memory, uint64_t size)
{
	struct vector parts[5];
	struct pipe_cursor cursor = { .parts = parts, .left = size };

	cut(memory, size, parts);
	return pipe_read(reader, &cursor);
}

/* Of sizes where something is different. */
static uint64_t any_size(void)
{
	switch (chance(6)) {
	case 0:
		return chance(20);
	case 1:
		return chance(3 * 4096);
	case 2:
		return 4096u * chance(6) + chance(3);
	case 3:
		return 4096u * (1 + chance(20)) - chance(10);
	case 4:
		return chance(MOST);
	default:
		return chance(600);
	}
}

static bool same(const char *what, uint64_t argument, int64_t ours, int64_t theirs)
{
	if (ours == theirs)
		return true;
	printf("# %s(%llu): %lld, on Linux %lld\n", what, (unsigned long long)argument,
	       (long long)ours, (long long)theirs);
	return false;
}

static bool try_write(void)
{
	uint64_t size = any_size(), i;

	for (i = 0; i < size; i++)
		from[i] = (uint8_t)chance(256);
	return same("write", size, write_here(from, size), of_linux(write(ends[1], from, size)));
}

static bool try_read(void)
{
	uint64_t size = any_size();
	int64_t ours = read_here(here, size), theirs = of_linux(read(ends[0], there, size));

	if (!same("read", size, ours, theirs))
		return false;
	if (ours > 0 && memcmp(here, there, (size_t)ours) != 0) {
		printf("# read(%llu): other bytes\n", (unsigned long long)size);
		return false;
	}
	return true;
}

static bool try_resize(void)
{
	static const unsigned int sizes[] = { 0, 1, 4096, 4097, 8192, 20000, 65536, 65537,
					      131072, 262144, 1048576 };
	unsigned int size = sizes[chance(sizeof(sizes) / sizeof(sizes[0]))];

	return same("F_SETPIPE_SZ", size, pipe_resize(reader->pipe, size),
		    of_linux(fcntl(ends[chance(2)], F_SETPIPE_SZ, size)));
}

static bool try_packets(bool *packets)
{
	*packets = !*packets;
	writer->flags = O_WRONLY | O_NONBLOCK | (*packets ? OPEN_PACKETS : 0);
	return fcntl(ends[1], F_SETFL, O_NONBLOCK | (*packets ? O_DIRECT : 0)) == 0;
}

/* All that can be asked is the same. */
static bool looks_same(void)
{
	struct pollfd wait[2] = { { reader ? ends[0] : -1, POLLIN | POLLRDNORM, 0 },
				  { writer ? ends[1] : -1, POLLOUT | POLLWRNORM, 0 } };
	struct pipe *pipe = reader ? reader->pipe : writer->pipe;
	int fd = reader ? ends[0] : ends[1], bytes = -1;

	poll(wait, 2, 0);
	ioctl(fd, FIONREAD, &bytes);
	return same("FIONREAD", 0, pipe_bytes(pipe), bytes) &&
	       same("F_GETPIPE_SZ", 0, pipe_size(pipe), fcntl(fd, F_GETPIPE_SZ)) &&
	       (!reader || same("poll to read", 0, pipe_found(reader), wait[0].revents)) &&
	       (!writer || same("poll to write", 0, pipe_found(writer), wait[1].revents));
}

static bool try_any(bool *packets)
{
	unsigned int what = chance(40);

	if (what == 0)
		return try_resize();
	if (what == 1)
		return try_packets(packets);
	return what % 2 ? try_write() : try_read();
}

static bool try_many(unsigned int round)
{
	bool packets = false, good = true;
	int step;

	seed = round + 1;
	open_pipe(O_NONBLOCK);
	for (step = 0; step < STEPS && good; step++)
		good = try_any(&packets) && looks_same();
	/* One end goes, and what the other one sees. */
	if (good && chance(2)) {
		open_file_put(reader);
		close(ends[0]);
		reader = NULL;
		broken_pipes = 0;
		good = looks_same() && try_write() && looks_same() && broken_pipes <= 1;
	} else if (good) {
		open_file_put(writer);
		close(ends[1]);
		writer = NULL;
		for (step = 0; step < 10 && good; step++)
			good = looks_same() && try_read();
	}
	close_pipe();
	if (!good)
		printf("# round %u, step %d\n", round, step);
	return good;
}

static void as_linux(void)
{
	unsigned int round;
	bool good = true;

	for (round = 0; round < ROUNDS && good; round++)
		good = try_many(round);
	ok(good, "%d times %d operations give what Linux gives", ROUNDS, STEPS);
	is_number(pages, 0, "all pages have been given back");
}

/* ---- errors ---- */

static void errors(void)
{
	struct open_file *end[3000][2];
	int i, made = 0;
	int64_t size;

	open_pipe(O_NONBLOCK);
	is_number(write_here((void *)8, 10), -EFAULT, "a write from nowhere");
	is_number(pipe_bytes(reader->pipe), 0, "and nothing is in the pipe");
	write_here("hello", 5);
	is_number(read_here((void *)8, 10), -EFAULT, "a read to nowhere");
	is_number(pipe_bytes(reader->pipe), 5, "and all is still there");
	is_number(pipe_resize(reader->pipe, 1ull << 32), -EINVAL, "a size that is too large");
	is_number(pipe_resize(reader->pipe, 2u << 20), -EPERM, "one that only root could have");
	read_here(here, 5);
	pages_most = pages;
	is_number(write_here(from, 4096), 4096, "a write goes into the page that is kept");
	is_number(write_here(from, 8192), -ENOMEM, "a write without memory");
	pages_most = 1 << 20;
	close_pipe();

	/* 16 slots each: up to the limit, then 2. */
	for (i = 0; i < 3000; i++)
		made += pipe_create(0, NULL, &end[i][0], &end[i][1]) == 0;
	size = pipe_size(end[2999][0]->pipe);
	is_number(made, 3000, "many pipes");
	is_number(size, PIPE_SLOTS_LEAST * 4096, "the last ones are small");
	is_number(pipe_resize(end[2999][0]->pipe, 65536), -EPERM, "and do not grow");
	for (i = 0; i < 3000; i++) {
		open_file_put(end[i][0]);
		open_file_put(end[i][1]);
	}
	open_pipe(0);
	is_number(pipe_size(reader->pipe), 65536, "when they are gone a new one is as always");
	close_pipe();
	is_number(pages, 0, "all pages have been given back");
}

static void too_many(void)
{
	enum { ENOUGH = 40000 };
	struct open_file *(*end)[2] = calloc(ENOUGH, sizeof(*end));
	int i, error = 0, made;

	for (made = 0; made < ENOUGH && !error; made++)
		error = pipe_create(0, NULL, &end[made][0], &end[made][1]);
	made -= error != 0;
	is_number(error, -ENFILE, "too many pipes");
	ok(made < ENOUGH && made > 20000, "%d of them", made);
	for (i = 0; i < made; i++) {
		open_file_put(end[i][0]);
		open_file_put(end[i][1]);
	}
	free(end);
}

/* ---- threads ---- */

#define WRITERS 3
#define MESSAGES 3000
#define MESSAGE_MOST 4096u

/* Size, writer, number; then that number again and again. */
struct message {
	uint32_t size, writer, number, rest[MESSAGE_MOST / 4 - 3];
};

static void *send_messages(void *argument)
{
	struct message message = { .writer = (uint32_t)(uintptr_t)argument };
	unsigned int state = message.writer + 1;
	uint32_t i;

	for (message.number = 0; message.number < MESSAGES; message.number++) {
		struct vector part = { .base = (uint64_t)&message };
		struct pipe_cursor cursor = { .parts = &part };

		message.size = 12 + 4 * ((uint32_t)rand_r(&state) % (MESSAGE_MOST / 4 - 2));
		for (i = 0; i < (message.size - 12) / 4; i++)
			message.rest[i] = message.number;
		part.size = cursor.left = message.size;
		if (pipe_write(writer, &cursor) != (int64_t)message.size)
			return argument;
	}
	return NULL;
}

static bool read_all(void *to, uint64_t size)
{
	int64_t bytes;
	uint64_t done;

	for (done = 0; done < size; done += (uint64_t)bytes) {
		bytes = read_here((uint8_t *)to + done, size - done);
		if (bytes <= 0)
			return false;
	}
	return true;
}

static bool message_is_whole(uint32_t *next)
{
	static struct message message;
	uint32_t i;

	if (!read_all(&message, 12) || message.size < 12 || message.size > MESSAGE_MOST ||
	    message.writer >= WRITERS || !read_all(message.rest, message.size - 12))
		return false;
	for (i = 0; i < (message.size - 12) / 4; i++) {
		if (message.rest[i] != message.number)
			return false;
	}
	return message.number == next[message.writer]++;
}

static void *read_one(void *unused)
{
	uint8_t byte;

	(void)unused;
	return (void *)(intptr_t)read_here(&byte, 1);
}

static void *write_one(void *unused)
{
	(void)unused;
	return (void *)(intptr_t)write_here("x", 1);
}

static void threads(void)
{
	uint32_t next[WRITERS] = { 0 };
	pthread_t thread[WRITERS];
	void *result;
	bool good = true;
	int i;

	open_pipe(0);
	seed = 7;
	for (i = 0; i < WRITERS; i++)
		pthread_create(&thread[i], NULL, send_messages, (void *)(uintptr_t)i);
	for (i = 0; i < WRITERS * MESSAGES && good; i++)
		good = message_is_whole(next);
	ok(good, "messages of %d writers come whole, and each one's in order", WRITERS);
	for (i = 0; i < WRITERS; i++)
		pthread_join(thread[i], NULL);

	pthread_create(&thread[0], NULL, read_one, NULL);
	usleep(20000);
	open_file_put(writer);
	pthread_join(thread[0], &result);
	is_number((intptr_t)result, 0, "a reader that waits sees that the last writer goes");
	open_file_put(reader);
	close(ends[0]);
	close(ends[1]);

	open_pipe(0);
	broken_pipes = 0;
	write_here(from, 65536);
	pthread_create(&thread[0], NULL, write_one, NULL);
	usleep(20000);
	open_file_put(reader);
	pthread_join(thread[0], &result);
	is_number((intptr_t)result, -EPIPE, "a writer that waits sees that the last reader goes");
	is_number(broken_pipes, 1, "and gets a signal");
	open_file_put(writer);
	close(ends[0]);
	close(ends[1]);

	open_pipe(0);
	interrupt_self(true);
	is_number(read_here(here, 1), -ERESTARTSYS, "a read that is interrupted");
	is_number(write_here(from, 70000), 65536, "a write that is interrupted in its middle");
	is_number(write_here(from, 70000), -ERESTARTSYS, "and at its beginning");
	is_number(read_here(here, 5), 5, "what is there is read, signal or not");
	interrupt_self(false);
	close_pipe();
	reader = writer = NULL;
	is_number(pages, 0, "all pages have been given back");
}

/* ---- watches ---- */

static void *write_later(void *unused)
{
	usleep(20000);
	write_here("x", 1);
	return unused;
}

static void watches(void)
{
	struct open_file *other[2];
	struct pipe_poller poller;
	struct pipe_watch watch[2];
	pthread_t thread;

	open_pipe(0);
	pipe_create(0, NULL, &other[0], &other[1]);
	pipe_poller_init(&poller);
	pipe_watch_begin(&watch[0], other[0]->pipe, &poller);
	pipe_watch_begin(&watch[1], reader->pipe, &poller);
	is_number(pipe_poller_wait(&poller, 0), -ETIMEDOUT, "a wait for nothing");
	pthread_create(&thread, NULL, write_later, NULL);
	is_number(pipe_poller_wait(&poller, NSEC_FOREVER), 0, "a wait for a write");
	is_number(pipe_found(reader), POLLIN | POLLRDNORM, "which it finds");
	is_number(pipe_found(other[0]), 0, "and nothing else");
	pthread_join(thread, NULL);
	is_number(pipe_poller_wait(&poller, 0), -ETIMEDOUT, "it is told once");
	open_file_put(other[1]);
	is_number(pipe_poller_wait(&poller, 0), 0, "and of an end that goes");
	is_number(pipe_found(other[0]), POLLHUP, "which it finds");
	interrupt_self(true);
	is_number(pipe_poller_wait(&poller, NSEC_FOREVER), -EINTR, "a signal ends it");
	interrupt_self(false);
	pipe_watch_end(&watch[0]);
	pipe_watch_end(&watch[1]);
	write_here("x", 1);
	is_number(poller.news, false, "who does not watch is not told");
	open_file_put(other[0]);
	close_pipe();
}

/* ---- to Linux ---- */

/* The pipe on Linux is the one that the proxy has kept for it. */
static bool moves(bool packets, bool writer_gone)
{
	uint64_t size, total = 0, at = 0;
	struct pipe *pipe;
	bool good;
	int i;

	open_pipe(O_NONBLOCK | (packets ? O_DIRECT : 0));
	pipe = reader->pipe;
	pipe_resize(pipe, 4096u << chance(9));
	for (i = 0; i < 200; i++) {
		size = any_size();
		if (packets)
			size = 1 + size % 4096;
		if (total + size > MOST)
			break;
		for (uint64_t j = 0; j < size; j++)
			from[total + j] = (uint8_t)chance(256);
		if (write_here(from + total, size) != (int64_t)size)
			break;
		total += size;
	}
	total = (uint64_t)pipe_bytes(pipe);
	size = (uint64_t)pipe_size(pipe);
	if (writer_gone) {
		close(ends[1]);
		open_file_put(writer);
		writer = NULL;
	}
	good = pipe_to_linux(reader, ends[0]) == 0 && pipe_to_linux(reader, ends[0]) == 0 &&
	       pipe_is_on_linux(pipe) && read_here(here, 1) == PIPE_MOVED &&
	       fcntl(ends[0], F_GETPIPE_SZ) == (int)size && pipe_size(pipe) == PIPE_MOVED &&
	       pipe_bytes(pipe) == PIPE_MOVED && pipe_resize(pipe, 4096) == PIPE_MOVED;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	while (good && at < total) {
		ssize_t bytes = read(ends[0], there, packets ? MOST : 1 + chance(9000));

		good = bytes > 0 && (uint64_t)bytes <= total - at &&
		       memcmp(there, from + at, (size_t)bytes) == 0 && (!packets || bytes <= 4096);
		at += bytes > 0 ? (uint64_t)bytes : 0;
	}
	good = good && read(ends[0], there, 1) == (writer_gone ? 0 : -1);
	close_pipe();
	return good;
}

static void *move_later(void *unused)
{
	usleep(20000);
	pipe_to_linux(writer, ends[1]);
	return unused;
}

static void *move_when_full(void *unused)
{
	await_full(writer->pipe);
	pipe_to_linux(writer, ends[1]);
	return unused;
}

static void to_linux(void)
{
	struct vector part = { .base = (uint64_t)from, .size = 100000 };
	struct pipe_cursor cursor = { .parts = &part, .left = part.size };
	struct open_file *left;
	bool good = true;
	pthread_t thread;
	int i;

	seed = 11;
	for (i = 0; i < 200 && good; i++)
		good = moves(i % 4 == 1, i % 3 == 1);
	ok(good, "what is in a pipe goes to Linux with it");
	is_number(pages, 0, "all pages have been given back");

	open_pipe(0);
	pthread_create(&thread, NULL, move_later, NULL);
	is_number(read_here(here, 1), PIPE_MOVED, "a reader that waits goes there");
	pthread_join(thread, NULL);
	close_pipe();
	open_pipe(0);
	pthread_create(&thread, NULL, move_when_full, NULL);
	is_number(pipe_write(writer, &cursor), PIPE_MOVED, "a writer that waits goes there");
	pthread_join(thread, NULL);
	is_number((long long)cursor.done, 65536, "and knows what it has written");
	is_number((long long)cursor.left, 100000 - 65536, "and what is left");
	close_pipe();

	open_pipe(O_NONBLOCK);
	write_here("stays", 5);
	left = reader;
	is_number(pipe_to_linux(reader, 999), -ENOENT, "where there is no such pipe it stays");
	is_number(read_here(here, 9), 5, "with what is in it");
	is_number(left == reader, true, "and goes on");
	close_pipe();
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	as_linux();
	errors();
	too_many();
	threads();
	watches();
	to_linux();
	return done();
}
