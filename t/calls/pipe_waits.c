/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pipes that are waited for, alone and with other descriptors, and that Linux must have. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>

#include "pipes.h"

/* ---- threads that wait ---- */

static size_t amount;

static void *write_later(void *unused)
{
	sleep_ms(100);
	if (write(ends[1], data, amount) != (long)amount)
		say("write", -1);
	return unused;
}

static void *read_later(void *unused)
{
	size_t left;
	long bytes;

	sleep_ms(100);
	for (left = amount; left > 0; left -= (size_t)bytes) {
		bytes = read(ends[0], got + (amount - left), left < 7777 ? left : 7777);
		if (bytes <= 0) {
			say("read", bytes);
			break;
		}
	}
	return unused;
}

static void *close_reader_later(void *unused)
{
	sleep_ms(100);
	close(ends[0]);
	return unused;
}

static void *close_writer_later(void *unused)
{
	sleep_ms(100);
	close(ends[1]);
	return unused;
}

static pthread_t later(void *(*what)(void *), size_t size)
{
	pthread_t thread;

	amount = size;
	pthread_create(&thread, NULL, what, NULL);
	return thread;
}

static void *write_after_alarm(void *unused)
{
	await_alarm();
	return write_later(unused);
}

static void waits(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t thread;
	size_t i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7 + i / 256);
	part("pipes: who waits");
	sigaction(SIGPIPE, &action, NULL);
	open_pipe(0);
	thread = later(write_later, 5);
	TRY(read, ends[0], got, 100);
	pthread_join(thread, NULL);
	thread = later(read_later, sizeof(data));
	memset(got, 0, sizeof(got));
	TRY(write, ends[1], data, sizeof(data));
	pthread_join(thread, NULL);
	SHOW(memcmp(data, got, sizeof(data)));
	thread = later(close_writer_later, 0);
	TRY(read, ends[0], got, 100);
	pthread_join(thread, NULL);
	TRY(close, ends[0]);
	open_pipe(0);
	seen = 0;
	TRY(write, ends[1], data, ROOM);
	thread = later(close_reader_later, 0);
	TRY(write, ends[1], data, 1);
	SHOW(seen);
	pthread_join(thread, NULL);
	TRY(close, ends[1]);

	part("pipes: signals");
	open_pipe(0);
	alarm_soon(0);
	TRY(read, ends[0], got, 1);
	alarm_off();
	alarm_soon(0);
	TRY(write, ends[1], data, ROOM + 10000);
	alarm_off();
	alarm_soon(0);
	TRY(write, ends[1], data, 10000);
	alarm_off();
	TRY(read, ends[0], got, sizeof(got));
	alarm_soon(SA_RESTART);
	thread = later(write_after_alarm, 10);
	TRY(read, ends[0], got, 100);
	alarm_off();
	pthread_join(thread, NULL);
	close_pipe();
}

/* ---- poll and select ---- */

static struct pollfd set[4];

static void try_poll(int count, int limit)
{
	TRY(poll, set, count, limit);
	for (int i = 0; i < count; i++)
		SHOW(set[i].revents);
}

static void polls(void)
{
	struct timespec span = { 0, 20000000 };
	struct timeval limit = { 1000, 0 };
	pthread_t thread;
	fd_set in, out;

	part("pipes: poll");
	open_pipe(O_NONBLOCK);
	set[0] = (struct pollfd){ ends[0], POLLIN | POLLRDNORM, 0 };
	set[1] = (struct pollfd){ ends[1], POLLOUT | POLLWRNORM, 0 };
	set[2] = (struct pollfd){ -1, POLLIN, 7 };
	try_poll(3, -1);
	try_poll(1, 0);
	try_poll(1, 20);
	TRY(write, ends[1], "x", 1);
	try_poll(3, -1);
	set[0].events = POLLOUT;
	set[1].events = 0;
	try_poll(2, 20);
	set[0].events = POLLIN;
	set[1].events = POLLOUT;
	TRY(write, ends[1], data, sizeof(data));
	try_poll(2, 0);
	TRY(read, ends[0], got, 1);
	try_poll(2, 0);
	TRY(read, ends[0], got, 4096);
	try_poll(2, 0);
	TRY(read, ends[0], got, sizeof(got));
	thread = later(write_later, 3);
	try_poll(1, 5000);
	pthread_join(thread, NULL);
	TRY(read, ends[0], got, sizeof(got));
	thread = later(write_later, 3);
	try_poll(1, -1);
	pthread_join(thread, NULL);
	TRY(read, ends[0], got, sizeof(got));
	TRY(ppoll, set, 1, &span, NULL, 8);
	alarm_soon(0);
	TRY(poll, set, 1, 20000);
	alarm_off();
	TRY(poll, BAD, 1, 0);

	part("pipes: select");
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(ends[0], &in);
	FD_SET(ends[1], &out);
	TRY(select, ends[1] + 1, &in, &out, NULL, NULL);
	SHOW(FD_ISSET(ends[0], &in));
	SHOW(FD_ISSET(ends[1], &out));
	FD_SET(ends[0], &in);
	thread = later(write_later, 3);
	TRY(select, ends[1] + 1, &in, NULL, NULL, &limit);
	SHOW(FD_ISSET(ends[0], &in));
	SHOW(limit.tv_sec >= 900 && limit.tv_sec < 1000);
	pthread_join(thread, NULL);
	TRY(read, ends[0], got, sizeof(got));
	FD_SET(ends[0], &in);
	limit = (struct timeval){ 0, 20000 };
	TRY(select, ends[1] + 1, &in, NULL, &in, &limit);

	part("pipes: poll when ends go");
	thread = later(close_writer_later, 0);
	try_poll(1, 5000);
	pthread_join(thread, NULL);
	try_poll(1, -1);
	TRY(close, ends[0]);
	open_pipe(O_NONBLOCK);
	set[0] = (struct pollfd){ ends[1], POLLOUT, 0 };
	TRY(write, ends[1], data, ROOM);
	thread = later(close_reader_later, 0);
	try_poll(1, 5000);
	pthread_join(thread, NULL);
	TRY(close, ends[1]);
	try_poll(1, 0);
}

static void mixes(void)
{
	int event = eventfd(0, EFD_NONBLOCK), memory = memfd_create("memory", 0);
	uint64_t one = 1;
	pthread_t thread;

	part("pipes: poll with other descriptors");
	open_pipe(O_NONBLOCK);
	set[0] = (struct pollfd){ ends[0], POLLIN, 0 };
	set[1] = (struct pollfd){ memory, POLLIN | POLLOUT, 0 };
	set[2] = (struct pollfd){ event, POLLIN, 0 };
	set[3] = (struct pollfd){ 99, POLLIN, 0 };
	try_poll(2, -1);
	set[1].events = 0;
	try_poll(2, 20);
	TRY(write, ends[1], "before", 6);
	try_poll(3, -1);
	TRY(read, ends[0], got, 100);
	try_poll(3, 20);
	thread = later(write_later, 3);
	try_poll(3, 5000);
	pthread_join(thread, NULL);
	TRY(read, ends[0], got, 100);
	TRY(write, event, &one, 8);
	try_poll(3, 5000);
	try_poll(4, 5000);
	TRY(read, ends[0], got, 100);
	TRY(fcntl, ends[0], F_GETPIPE_SZ);
	SHOW(fill(3000));
	SHOW(drain(sizeof(got)));
	close_pipe();

	/* What was written by one that has gone. */
	open_pipe(0);
	TRY(fcntl, ends[0], F_SETPIPE_SZ, 262144);
	TRY(write, ends[1], data, 200000);
	TRY(close, ends[1]);
	set[0].fd = ends[0];
	try_poll(3, -1);
	SHOW(count_bytes());
	TRY(fcntl, ends[0], F_GETPIPE_SZ);
	TRY(read, ends[0], got, sizeof(got));
	SHOW(memcmp(got, data, 200000));
	try_poll(3, -1);
	TRY(read, ends[0], got, sizeof(got));
	TRY(close, ends[0]);
	TRY(close, event);
	TRY(close, memory);
}

static void epolls(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT, .data.u64 = 1 }, found[4];
	int epoll = epoll_create1(0);
	pthread_t thread;

	part("pipes: epoll");
	open_pipe(O_NONBLOCK);
	TRY(write, ends[1], "before", 6);
	TRY(epoll_ctl, epoll, EPOLL_CTL_ADD, ends[0], &event);
	event.data.u64 = 2;
	TRY(epoll_ctl, epoll, EPOLL_CTL_ADD, ends[1], &event);
	TRY(epoll_wait, epoll, found, 4, -1);
	TRY(read, ends[0], got, 100);
	TRY(epoll_wait, epoll, found, 4, -1);
	SHOW(found[0].data.u64);
	SHOW(found[0].events);
	TRY(epoll_ctl, epoll, EPOLL_CTL_DEL, ends[1], &event);
	TRY(epoll_wait, epoll, found, 4, 20);
	thread = later(write_later, 3);
	TRY(epoll_wait, epoll, found, 4, 5000);
	SHOW(found[0].data.u64);
	SHOW(found[0].events);
	pthread_join(thread, NULL);
	TRY(close, ends[1]);
	TRY(epoll_wait, epoll, found, 4, 5000);
	SHOW(found[0].events);
	TRY(close, ends[0]);
	TRY(close, epoll);
}

/* ---- what only Linux can do with a pipe ---- */

static void *add_later(void *epoll)
{
	struct epoll_event event = { .events = EPOLLIN };

	sleep_ms(100);
	if (epoll_ctl(*(int *)epoll, EPOLL_CTL_ADD, ends[0], &event) < 0)
		say("epoll_ctl", -1);
	if (write(ends[1], "moved", 5) != 5)
		say("write", -1);
	return NULL;
}

/* The writer's end moves, in the middle of a write. */
static void *add_and_read_later(void *epoll)
{
	struct epoll_event event = { .events = EPOLLOUT };

	sleep_ms(100);
	if (epoll_ctl(*(int *)epoll, EPOLL_CTL_ADD, ends[1], &event) < 0)
		say("epoll_ctl", -1);
	amount = sizeof(data);
	return read_later(NULL);
}

static void moves(void)
{
	int epoll = epoll_create1(0);
	pthread_t thread;

	part("pipes: moved while somebody waits");
	open_pipe(0);
	pthread_create(&thread, NULL, add_later, &epoll);
	TRY(read, ends[0], got, 100);
	pthread_join(thread, NULL);
	close_pipe();
	open_pipe(0);
	memset(got, 0, sizeof(got));
	pthread_create(&thread, NULL, add_and_read_later, &epoll);
	TRY(write, ends[1], data, sizeof(data));
	pthread_join(thread, NULL);
	SHOW(memcmp(data, got, sizeof(data)));
	close_pipe();
	TRY(close, epoll);
}

static void send_end(int socket, int fd)
{
	char byte = 'b';
	struct iovec vector = { &byte, 1 };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .head = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	TRY(sendmsg, socket, &message, 0);
}

static int receive_end(int socket)
{
	char byte;
	struct iovec vector = { &byte, 1 };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	int fd = -1;

	TRY(recvmsg, socket, &message, 0);
	memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
	return fd;
}

static void gives(void)
{
	int sockets[2], other[2], fd, file;
	char path[40];
	loff_t at = 0;

	part("pipes: sent through a socket");
	socketpair(AF_UNIX, SOCK_STREAM, 0, sockets);
	open_pipe(O_NONBLOCK);
	TRY(write, ends[1], "within", 6);
	send_end(sockets[0], ends[0]);
	TRY(close, ends[0]);
	fd = receive_end(sockets[1]);
	TRY(write, ends[1], " and behind", 11);
	TRY(read, fd, got, 100);
	SHOW(memcmp(got, "within and behind", 17));
	TRY(close, ends[1]);
	TRY(read, fd, got, 100);
	close(fd);
	close(sockets[0]);
	close(sockets[1]);

	part("pipes: opened again");
	open_pipe(O_NONBLOCK);
	TRY(write, ends[1], "again", 5);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	fd = (int)TRY(openat, AT_FDCWD, path, O_RDONLY | O_NONBLOCK);
	TRY(read, fd, got, 100);
	TRY(write, ends[1], "more", 4);
	TRY(read, ends[0], got, 100);
	close(fd);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[1]);
	fd = (int)TRY(openat, AT_FDCWD, path, O_WRONLY);
	TRY(write, fd, "x", 1);
	TRY(read, ends[0], got, 100);
	close(fd);
	close_pipe();

	part("pipes: splice, tee, sendfile");
	open_pipe(O_NONBLOCK);
	file = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	TRY(write, ends[1], "spliced", 7);
	TRY(splice, ends[0], NULL, file, NULL, 100, 0);
	TRY(pread64, file, got, 100, 0);
	TRY(sendfile, ends[1], file, &at, 3);
	TRY(read, ends[0], got, 100);
	close_pipe();
	open_pipe(O_NONBLOCK);
	TRY(pipe2, other, O_NONBLOCK);
	TRY(write, ends[1], "twice", 5);
	TRY(tee, ends[0], other[1], 100, 0);
	TRY(read, ends[0], got, 100);
	TRY(read, other[0], got, 100);
	TRY(copy_file_range, ends[0], NULL, file, NULL, 5, 0);
	close(other[0]);
	close(other[1]);
	close_pipe();
	TRY(close, file);
	TRY(unlink, "file");
}

/* With an argument: only what needs no other descriptors, for staged I/O. */
int main(int argc, char **argv)
{
	(void)argv;
	waits();
	polls();
	if (argc > 1)
		return 0;
	mixes();
	epolls();
	moves();
	gives();
	return 0;
}
