/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors that tell of events. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/timerfd.h>

#include "calls.h"

static void eventfds(void)
{
	uint64_t value = 0;
	int fd;

	part("eventfd");
	TRY(eventfd2, 0, 12345);
	fd = (int)TRY(eventfd2, 3, EFD_NONBLOCK);
	TRY(read, fd, &value, sizeof(value));
	SHOW(value);
	TRY(read, fd, &value, sizeof(value));
	TRY(read, fd, &value, 4);
	value = 5;
	TRY(write, fd, &value, sizeof(value));
	TRY(write, fd, &value, 4);
	value = UINT64_MAX;
	TRY(write, fd, &value, sizeof(value));
	value = UINT64_MAX - 2;
	TRY(write, fd, &value, sizeof(value));
	TRY(read, fd, &value, sizeof(value));
	SHOW(value);
	TRY(close, fd);
	fd = (int)TRY(eventfd, 2);
	TRY(close, fd);
	fd = (int)TRY(eventfd2, 2, EFD_SEMAPHORE | EFD_CLOEXEC);
	TRY(read, fd, &value, sizeof(value));
	SHOW(value);
	TRY(lseek, fd, 0, SEEK_SET);
	TRY(close, fd);
}

static int rings[2];

static void *ring(void *unused)
{
	uint64_t one = 1;

	sleep_ms(100);
	if (write(rings[0], &one, sizeof(one)) != sizeof(one))
		perror("write");
	return unused;
}

static void epolls(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 42 }, found[4];
	struct timespec none = { 0, 0 }, wrong = { 0, -1 };
	uint64_t value;
	sigset_t mask;
	pthread_t thread;
	int epoll;

	part("epoll");
	sigemptyset(&mask);
	TRY(epoll_create, 0);
	TRY(epoll_create1, 12345);
	epoll = (int)TRY(epoll_create1, EPOLL_CLOEXEC);
	rings[0] = eventfd(0, 0);
	TRY(epoll_ctl, epoll, EPOLL_CTL_ADD, rings[0], &event);
	TRY(epoll_ctl, epoll, EPOLL_CTL_ADD, rings[0], &event);
	TRY(epoll_ctl, epoll, EPOLL_CTL_ADD, rings[0], BAD);
	TRY(epoll_ctl, epoll, 77, rings[0], &event);
	TRY(epoll_ctl, epoll, EPOLL_CTL_ADD, epoll, &event);
	TRY(epoll_ctl, epoll, EPOLL_CTL_ADD, 99, &event);
	TRY(epoll_ctl, 99, EPOLL_CTL_ADD, rings[0], &event);
	TRY(epoll_ctl, rings[0], EPOLL_CTL_ADD, epoll, &event);
	TRY(epoll_ctl, epoll, EPOLL_CTL_MOD, 0, &event);
	TRY(epoll_ctl, epoll, EPOLL_CTL_DEL, 0, NULL);
	TRY(epoll_wait, epoll, found, 4, 0);
	TRY(epoll_wait, epoll, found, 4, 20);
	TRY(epoll_wait, epoll, found, 0, 0);
	TRY(epoll_wait, epoll, found, -1, 0);
	TRY(epoll_wait, 99, found, 4, 0);
	TRY(epoll_wait, rings[0], found, 4, 0);
	TRY(epoll_pwait2, epoll, found, 4, &none, NULL, 0);
	TRY(epoll_pwait2, epoll, found, 4, &wrong, NULL, 0);
	TRY(epoll_pwait2, epoll, found, 4, BAD, NULL, 0);
	TRY(epoll_pwait, epoll, found, 4, 0, &mask, 3);
	TRY(epoll_pwait, epoll, found, 4, 0, BAD, 8);
	TRY(epoll_pwait, epoll, found, 4, 0, &mask, 8);
	pthread_create(&thread, NULL, ring, NULL);
	TRY(epoll_wait, epoll, found, 4, -1);
	SHOW(found[0].events);
	SHOW(found[0].data.u64);
	pthread_join(thread, NULL);
	TRY(epoll_wait, epoll, BAD, 4, 0);
	TRY(epoll_wait, epoll, found, 1000000, 0);
	event.events = EPOLLIN | EPOLLET;
	TRY(epoll_ctl, epoll, EPOLL_CTL_MOD, rings[0], &event);
	TRY(epoll_wait, epoll, found, 4, 0);
	TRY(epoll_wait, epoll, found, 4, 0);
	TRY(read, rings[0], &value, sizeof(value));
	TRY(epoll_ctl, epoll, EPOLL_CTL_DEL, rings[0], NULL);
	TRY(epoll_ctl, epoll, EPOLL_CTL_DEL, rings[0], NULL);
	TRY(close, rings[0]);
	TRY(close, epoll);
}

static void timers(void)
{
	struct itimerspec set = { .it_value = { 1000, 0 } }, old;
	struct itimerspec wrong = { .it_value = { 0, 2000000000 } };
	struct pollfd wait = { .events = POLLIN };
	uint64_t count = 0;
	int fd;

	part("timerfd");
	TRY(timerfd_create, 77, 0);
	TRY(timerfd_create, CLOCK_MONOTONIC, 12345);
	fd = (int)TRY(timerfd_create, CLOCK_MONOTONIC, TFD_NONBLOCK);
	TRY(read, fd, &count, sizeof(count));
	TRY(timerfd_settime, fd, 0, &wrong, NULL);
	TRY(timerfd_settime, fd, 0, NULL, NULL);
	TRY(timerfd_settime, fd, 0, BAD, NULL);
	TRY(timerfd_settime, fd, 77, &set, NULL);
	TRY(timerfd_settime, 99, 0, &set, NULL);
	TRY(timerfd_settime, 0, 0, &set, NULL);
	TRY(timerfd_settime, fd, 0, &set, &old);
	SHOW(old.it_value.tv_nsec);
	TRY(timerfd_gettime, fd, &old);
	SHOW(old.it_value.tv_sec >= 900 && old.it_value.tv_sec <= 1000);
	TRY(timerfd_gettime, fd, BAD);
	wait.fd = fd;
	set.it_value = (struct timespec){ 0, 20000000 };
	TRY(timerfd_settime, fd, 0, &set, NULL);
	TRY(poll, &wait, 1, 30000);
	TRY(read, fd, &count, sizeof(count));
	SHOW(count);
	/* A point in time: the clock is the same on both sides. */
	clock_gettime(CLOCK_MONOTONIC, &set.it_value);
	set.it_value.tv_sec -= 1;
	set.it_interval.tv_sec = 1000;
	TRY(timerfd_settime, fd, TFD_TIMER_ABSTIME, &set, NULL);
	TRY(poll, &wait, 1, 30000);
	TRY(read, fd, &count, sizeof(count));
	SHOW(count);
	clock_gettime(CLOCK_MONOTONIC, &set.it_value);
	set.it_value.tv_sec += 1000;
	TRY(timerfd_settime, fd, TFD_TIMER_ABSTIME, &set, NULL);
	TRY(timerfd_gettime, fd, &old);
	SHOW(old.it_value.tv_sec >= 900 && old.it_value.tv_sec <= 1000);
	TRY(close, fd);
}

static void watches(void)
{
	char buffer[1024];
	struct inotify_event *event = (struct inotify_event *)buffer;
	int fd;

	part("inotify");
	TRY(inotify_init1, 12345);
	fd = (int)TRY(inotify_init1, IN_NONBLOCK);
	TRY(inotify_add_watch, fd, "nowhere", IN_CREATE);
	TRY(inotify_add_watch, fd, BAD, IN_CREATE);
	TRY(inotify_add_watch, fd, ".", 0);
	TRY(inotify_add_watch, 99, ".", IN_CREATE);
	TRY(inotify_add_watch, 0, ".", IN_CREATE);
	TRY(inotify_add_watch, fd, ".", IN_CREATE);
	TRY(read, fd, buffer, sizeof(buffer));
	close(open("watched", O_CREAT | O_WRONLY, 0600));
	TRY(read, fd, buffer, 4);
	TRY(read, fd, buffer, sizeof(buffer));
	SHOW_TEXT(event->name);
	SHOW(event->mask == IN_CREATE);
	TRY(inotify_rm_watch, fd, 77);
	TRY(inotify_rm_watch, fd, 1);
	TRY(unlink, "watched");
	TRY(close, fd);
}

static void polls(void)
{
	struct timespec none = { 0, 0 }, wrong = { 0, 1000000000 };
	struct timeval short_time = { 0, 20000 }, bad_time = { -1, 0 };
	struct pollfd wait[3];
	fd_set set, other;
	int pipes[2];

	part("poll, select");
	TRY(pipe2, pipes, 0);
	wait[0] = (struct pollfd){ pipes[0], POLLIN, 0 };
	wait[1] = (struct pollfd){ pipes[1], POLLOUT, 0 };
	wait[2] = (struct pollfd){ 99, POLLIN, 0 };
	TRY(poll, wait, 3, 0);
	SHOW(wait[0].revents);
	SHOW(wait[1].revents);
	SHOW(wait[2].revents);
	TRY(poll, wait, 1, 20);
	TRY(poll, BAD, 1, 0);
	TRY(poll, wait, -1, 0);
	TRY(poll, NULL, 0, 20);
	TRY(ppoll, wait, 1, &none, NULL, 0);
	TRY(ppoll, wait, 1, &wrong, NULL, 0);
	TRY(ppoll, wait, 1, BAD, NULL, 0);
	FD_ZERO(&set);
	FD_SET(pipes[0], &set);
	TRY(select, pipes[0] + 1, &set, NULL, NULL, &short_time);
	SHOW(short_time.tv_usec);
	TRY(select, -1, NULL, NULL, NULL, &short_time);
	TRY(select, 0, NULL, NULL, NULL, &bad_time);
	TRY(select, 5, BAD, NULL, NULL, &short_time);
	TRY(write, pipes[1], "x", 1);
	FD_ZERO(&set);
	FD_SET(pipes[0], &set);
	FD_ZERO(&other);
	FD_SET(pipes[1], &other);
	TRY(select, pipes[1] + 1, &set, &other, NULL, &short_time);
	FD_SET(50, &set);
	TRY(select, 51, &set, NULL, NULL, &short_time);
	TRY(pselect6, pipes[1] + 1, NULL, &other, NULL, &none, NULL);
	TRY(pselect6, pipes[1] + 1, NULL, &other, NULL, &wrong, NULL);
	TRY(close, pipes[1]);
	TRY(poll, wait, 1, 0);
	SHOW(wait[0].revents);
	TRY(close, pipes[0]);
}

/* A signal ends these waits, whatever its handler says about restarting. */
static void interrupted(void)
{
	struct epoll_event found[1];
	int epoll = epoll_create1(0), pipes[2];
	struct pollfd wait = { .events = POLLIN };
	char byte;

	part("signals end waits");
	if (pipe(pipes) < 0)
		return;
	wait.fd = pipes[0];
	alarm_soon(SA_RESTART);
	TRY(epoll_wait, epoll, found, 1, 20000);
	alarm_off();
	alarm_soon(SA_RESTART);
	TRY(poll, &wait, 1, 20000);
	alarm_off();
	alarm_soon(0);
	TRY(read, pipes[0], &byte, 1);
	alarm_off();
	close(epoll);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	eventfds();
	epolls();
	timers();
	watches();
	polls();
	interrupted();
	return 0;
}
