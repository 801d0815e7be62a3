/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls on pipes of ours by their descriptors, which are those of pipes of the host: poll(2),
 * and what makes a pipe Linux's.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "tap.h"
#include "unit-pipe-rest.h"

#include "fs/file_table.h"
#include "fs/memory_file.h"
#include "syscall/pipe.h"
#include "syscall/poll_inside.h"
#include "syscall/socket_rights.h"
#include "syscall/vector.h"

#define MSEC 1000000ull

static int ends[2];
static char data[100000], got[100000];

static void open_pipe(int flags)
{
	struct open_file *reader, *writer;

	if (pipe2(ends, flags) != 0 || pipe_create((uint32_t)flags, NULL, &reader, &writer) != 0 ||
	    file_table_set(ends[0], reader) != 0 || file_table_set(ends[1], writer) != 0) {
		printf("Bail out! no pipe\n");
		exit(1);
	}
}

static void close_end(int which)
{
	file_table_forget((uint32_t)ends[which], (uint32_t)ends[which]);
	close(ends[which]);
}

static void close_pipe(void)
{
	close_end(0);
	close_end(1);
}

static int64_t transfer(int which, void *memory, uint64_t size)
{
	struct open_file *end = pipe_end(ends[which]);
	struct vector part = { (uint64_t)memory, size };
	int64_t result = -EBADF;

	if (!end)
		return result;
	result = pipe_transfer(ends[which], end, &part, 1, which);
	open_file_put(end);
	return result;
}

static int64_t put(uint64_t size)
{
	return transfer(1, data, size);
}

static int64_t take(uint64_t size)
{
	return transfer(0, got, size);
}

static bool is_inside(void)
{
	struct open_file *end = pipe_end(ends[0]);
	bool inside = end && !pipe_is_on_linux(end->pipe);

	if (end)
		open_file_put(end);
	return inside;
}

/* ---- poll ---- */

static struct poll_entry set[4];
static nsec_t span;
static int64_t result;

static bool try_poll(uint64_t count, nsec_t limit)
{
	span = limit;
	result = -1;
	return poll_inside(set, count, &span, &result);
}

static void *send_later(void *unused)
{
	usleep(30000);
	put(3);
	return unused;
}

static void *close_later(void *unused)
{
	usleep(30000);
	close_end(1);
	return unused;
}

static void polls(void)
{
	pthread_t thread;

	ok(!try_poll(1, 0), "without a pipe there is nothing to do here");
	open_pipe(O_NONBLOCK);
	set[0] = (struct poll_entry){ ends[0], POLLIN, 9 };
	set[1] = (struct poll_entry){ ends[1], POLLOUT | POLLIN, 9 };
	set[2] = (struct poll_entry){ -5, POLLIN, 9 };
	ok(try_poll(3, NSEC_FOREVER) && result == 1, "one that can be written");
	ok(set[0].found == 0 && set[1].found == POLLOUT && set[2].found == 0, "and is told");
	ok(try_poll(1, 0) && result == 0, "none that can be read");
	ok(try_poll(1, 20 * MSEC) && result == 0, "also not after a while");
	pthread_create(&thread, NULL, send_later, NULL);
	ok(try_poll(1, NSEC_FOREVER) && result == 1 && set[0].found == POLLIN, "a write wakes");
	pthread_join(thread, NULL);
	take(9);
	interrupt_self(true);
	ok(try_poll(1, NSEC_FOREVER) && result == -516, "a signal ends it");
	interrupt_self(false);
	pthread_create(&thread, NULL, send_later, NULL);
	ok(try_poll(1, 1) && result == 1, "done again it waits as long as at first");
	pthread_join(thread, NULL);
	take(9);
	pthread_create(&thread, NULL, close_later, NULL);
	ok(try_poll(1, 5000 * MSEC) && result == 1 && set[0].found == POLLHUP, "an end that goes");
	pthread_join(thread, NULL);
	close_end(0);
	ok(!try_poll(1, NSEC_FOREVER), "a descriptor that is closed is asked of Linux");
	is_number(pages, 0, "all pages have been given back");
}

static void *move_later(void *unused)
{
	usleep(30000);
	file_to_linux(ends[1]);
	return unused;
}

static void mixes(void)
{
	int event = eventfd(0, 0);
	pthread_t thread;

	open_pipe(O_NONBLOCK);
	put(6);
	set[0] = (struct poll_entry){ ends[0], POLLIN, 0 };
	set[1] = (struct poll_entry){ event, POLLIN, 0 };
	ok(!try_poll(2, 70000 * MSEC), "with another descriptor it is Linux's to wait");
	ok(span <= 70000 * MSEC && span > 0, "for as long as is left");
	ok(!is_inside() && poll((struct pollfd *)set, 2, 0) == 1, "and finds there what was here");
	is_number(read(ends[0], got, 9), 6, "all of it");
	is_number(put(5), PIPE_MOVED, "what comes then is written there");
	ok(!try_poll(1, NSEC_FOREVER), "it stays there");
	close_pipe();

	/* One moves while another thread waits for it here. */
	open_pipe(O_NONBLOCK);
	set[0] = (struct poll_entry){ ends[0], POLLIN, 0 };
	pthread_create(&thread, NULL, move_later, NULL);
	ok(!try_poll(1, NSEC_FOREVER), "who waits for one that moves goes there");
	pthread_join(thread, NULL);
	close_pipe();
	close(event);
}

/* ---- reading and writing ---- */

static void *move_and_read(void *unused)
{
	struct open_file *end = pipe_end(ends[1]);
	uint64_t left = sizeof(data);
	long bytes;

	await_full(end->pipe);
	open_file_put(end);
	file_to_linux(ends[1]);
	for (; left > 0; left -= (uint64_t)bytes) {
		bytes = read(ends[0], got + (sizeof(data) - left), left);
		if (bytes <= 0)
			return &ends;
	}
	return unused;
}

static void transfers(void)
{
	struct vector parts[3] = { { (uint64_t)data, 5 }, { 8, 0 }, { (uint64_t)data + 5, 4 } };
	struct open_file *end;
	int bytes = -1, on = 1;
	int64_t answer;
	pthread_t thread;
	void *wrong;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 3 + i / 100);
	open_pipe(O_NONBLOCK);
	is_number(transfer(0, (void *)(1ul << 62), 1), -EFAULT, "no address");
	is_number(transfer(1, data, UINT64_MAX), -EFAULT, "no size");
	end = pipe_end(ends[0]);
	is_number(pipe_transfer(ends[0], end, parts, 3, true), -EBADF, "the other way");
	ok(pipe_ioctl(end, FIONREAD, (uint64_t)&bytes, &answer) && bytes == 0, "FIONREAD");
	ok(!pipe_ioctl(end, FIONBIO, (uint64_t)&on, &answer), "FIONBIO is Linux's to do");
	ok(pipe_fcntl(end, F_SETPIPE_SZ, 5000, &answer) && answer == 8192, "F_SETPIPE_SZ");
	ok(pipe_fcntl(end, F_GETPIPE_SZ, 0, &answer) && answer == 8192, "F_GETPIPE_SZ");
	ok(!pipe_fcntl(end, F_GETFL, 0, &answer), "F_GETFL is Linux's to do");
	open_file_put(end);
	end = pipe_end(ends[1]);
	is_number(pipe_transfer(ends[1], end, parts, 3, true), 9, "three parts");
	pipe_flags_are(ends[1], 0);
	is_number(end->flags, O_WRONLY, "F_SETFL is noted");
	pipe_blocking_is(ends[1], (uint64_t)&on);
	is_number(end->flags, O_WRONLY | O_NONBLOCK, "and FIONBIO");
	open_file_put(end);
	is_number(take(100), 9, "are one read");
	ok(memcmp(got, data, 9) == 0, "of these bytes");
	close_pipe();

	open_pipe(0);
	pthread_create(&thread, NULL, move_and_read, NULL);
	is_number(put(sizeof(data)), sizeof(data), "a write goes on where its pipe has gone");
	pthread_join(thread, &wrong);
	ok(!wrong && memcmp(data, got, sizeof(data)) == 0, "and nothing is lost on the way");
	close_pipe();
}

/* ---- to Linux ---- */

static bool moved_by_name(const char *format, int which, bool expected)
{
	char path[64];
	bool good;

	open_pipe(O_NONBLOCK);
	put(7);
	snprintf(path, sizeof(path), format, ends[which]);
	good = file_to_linux_by_name(path) == 0 && is_inside() != expected &&
	       read(ends[0], got, 9) == (expected ? 7 : -1);
	close_pipe();
	return good;
}

static bool moved_by_message(int level, int type, uint64_t size, int count, bool expected)
{
	union {
		struct cmsghdr head;
		char room[64];
	} control = { .head = { .cmsg_len = size, .cmsg_level = level, .cmsg_type = type } };
	int fds[4] = { 0, 1, 99, 0 };
	bool good;

	open_pipe(O_NONBLOCK);
	fds[count - 1] = ends[1];
	memcpy(CMSG_DATA(&control.head), fds, sizeof(fds));
	good = socket_give_rights((uint64_t)&control, sizeof(control)) == 0 &&
	       is_inside() != expected;
	close_pipe();
	return good;
}

static void to_linux(void)
{
	ok(moved_by_name("/proc/self/fd/%d", 0, true), "/proc/self/fd");
	ok(moved_by_name("/proc/12345/fd/%d", 1, true), "/proc/PID/fd");
	ok(moved_by_name("/dev/fd/%d", 1, true), "/dev/fd");
	ok(moved_by_name("/proc/self/fdinfo/%d", 0, false), "not another file there");
	ok(moved_by_name("/proc/self/fd/%d/", 0, false), "no directory");
	ok(moved_by_name("/tmp/fd/%d", 0, false), "no file of another directory");
	ok(moved_by_name("fd/%d", 0, false), "no relative one");
	ok(moved_by_message(SOL_SOCKET, SCM_RIGHTS, CMSG_LEN(4), 1, true), "SCM_RIGHTS");
	ok(moved_by_message(SOL_SOCKET, SCM_RIGHTS, CMSG_LEN(16), 4, true), "of several");
	ok(moved_by_message(SOL_SOCKET, SCM_RIGHTS, CMSG_LEN(12), 4, false), "not behind them");
	ok(moved_by_message(SOL_SOCKET, SCM_CREDENTIALS, CMSG_LEN(4), 1, false), "no credentials");
	ok(moved_by_message(SOL_SOCKET, SCM_RIGHTS, 3, 1, false), "nothing of a bad size");
	ok(moved_by_message(SOL_SOCKET, SCM_RIGHTS, ~0ul, 1, false), "or another one");
	is_number(file_to_linux(99), 0, "what is no pipe stays as it is");
}

int main(void)
{
	polls();
	mixes();
	transfers();
	to_linux();
	is_number(pages, 0, "all pages have been given back");
	return done();
}
