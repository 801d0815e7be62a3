/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals that are read: signalfd. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#include "calls.h"
#include "signal_sets.h"

static struct signalfd_siginfo read_infos[8];

static void show_infos(long bytes)
{
	long i;

	for (i = 0; i < bytes / 128; i++) {
		SHOW(read_infos[i].ssi_signo);
		SHOW(read_infos[i].ssi_code);
		SHOW(read_infos[i].ssi_int);
		SHOW(read_infos[i].ssi_ptr);
		SHOW(read_infos[i].ssi_pid == (uint32_t)getpid());
		SHOW(read_infos[i].ssi_uid == getuid());
		SHOW(read_infos[i].ssi_overrun);
		SHOW(read_infos[i].ssi_addr);
	}
}

static void signalfd_errors(void)
{
	sigset_t set = set_of(SIGUSR1, SIGUSR2, SIGRTMIN);
	struct itimerspec spec = { 0 };
	char byte;
	int fd, other;

	part("signalfd: errors");
	TRY(signalfd4, -1, &set, 4, 0);
	TRY(signalfd4, -1, &set, 128, 0);
	TRY(signalfd4, -1, BAD, SET, 0);
	TRY(signalfd4, -1, BAD, SET, 1);
	TRY(signalfd4, -1, &set, SET, 1);
	TRY(signalfd4, 99, &set, SET, 0);
	TRY(signalfd4, -2, &set, SET, 0);
	TRY(signalfd4, 0, &set, SET, 0);
	TRY(signalfd, -1, &set, 4);
	fd = (int)TRY(signalfd4, -1, &set, SET, SFD_NONBLOCK | SFD_CLOEXEC);
	TRY(fcntl, fd, F_GETFL);
	TRY(fcntl, fd, F_GETFD);
	TRY(signalfd4, fd, &set, SET, 1);
	TRY(read, fd, read_infos, sizeof(read_infos));
	TRY(read, fd, read_infos, 127);
	TRY(read, fd, read_infos, 0);
	TRY(write, fd, &byte, 1);
	TRY(write, fd, read_infos, 128);
	TRY(pread64, fd, read_infos, 128, 0);
	TRY(lseek, fd, 5, SEEK_SET);
	TRY(ftruncate, fd, 0);
	TRY(timerfd_settime, fd, 0, &spec, NULL);
	TRY(timerfd_gettime, fd, &spec);
	TRY(ioctl, fd, 0x541b /* FIONREAD */, &byte);
	TRY(close, fd);
	TRY(read, fd, read_infos, 128);
	fd = (int)TRY(signalfd, -1, &set, SET);
	TRY(fcntl, fd, F_GETFL);
	TRY(fcntl, fd, F_GETFD);
	other = open("/dev/null", O_RDONLY);
	TRY(signalfd4, other, &set, SET, 0);
	TRY(dup2, other, fd);
	TRY(read, fd, read_infos, 128);
	TRY(signalfd4, fd, &set, SET, 0);
	close(other);
	close(fd);
}

static void signalfd_reads(void)
{
	sigset_t set = set_of(SIGUSR1, SIGUSR2, SIGRTMIN + 1), all = set, some;
	struct iovec parts[2] = { { &read_infos[0], 128 }, { &read_infos[1], 300 } };
	timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2,
				   .sigev_value.sival_int = 77 };
	struct itimerspec soon = { .it_value = { 0, 1 } };
	int fd, other;

	part("signalfd: what is read, in which order");
	sigaddset(&all, SIGALRM);
	block(&all);
	fd = (int)TRY(signalfd4, -1, &set, SET, SFD_NONBLOCK);
	queue(SIGRTMIN + 1, 1);
	kill(getpid(), SIGUSR2);
	queue(SIGRTMIN + 1, 2);
	kill(getpid(), SIGALRM);
	queue(SIGUSR1, 3);
	queue(SIGUSR1, 4);
	pthread_kill(pthread_self(), SIGUSR2);
	show_infos(TRY(read, fd, read_infos, 2 * 128 + 5));
	show_infos(TRY(read, fd, read_infos, sizeof(read_infos)));
	TRY(read, fd, read_infos, sizeof(read_infos));

	/* What it does not read is still there. */
	some = set_of(SIGALRM, SIGALRM, SIGALRM);
	TRY(rt_sigtimedwait, &some, NULL, &(struct timespec){ 0, 0 }, SET);
	queue(SIGRTMIN + 1, 5);
	TRY(read, fd, BAD, 128);
	TRY(read, fd, read_infos, 128);
	queue(SIGRTMIN + 1, 6);
	queue(SIGRTMIN + 1, 7);
	show_infos(TRY(readv, fd, parts, 2));

	part("signalfd: another set, copies");
	kill(getpid(), SIGALRM);
	TRY(read, fd, read_infos, 128);
	other = (int)TRY(dup, fd);
	TRY(signalfd4, other, &some, SET, 0);
	show_infos(TRY(read, fd, read_infos, 128));
	TRY(close, fd);
	kill(getpid(), SIGALRM);
	show_infos(TRY(read, other, read_infos, 128));
	fd = (int)TRY(fcntl, other, F_DUPFD, 20);
	TRY(close, other);
	kill(getpid(), SIGALRM);
	TRY(fcntl, fd, F_SETFL, 0);
	show_infos(TRY(read, fd, read_infos, 128));
	TRY(fcntl, fd, F_SETFL, O_NONBLOCK);
	sigaddset(&some, SIGKILL);
	sigaddset(&some, SIGSTOP);
	TRY(signalfd4, fd, &some, SET, 0);
	TRY(dup3, fd, 30, O_CLOEXEC);
	TRY(close_range, 20, 29, 0);
	kill(getpid(), SIGALRM);
	show_infos(TRY(read, 30, read_infos, 128));
	TRY(close, 30);

	part("signalfd: a timer's");
	fd = (int)TRY(signalfd4, -1, &set, SET, 0);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &soon, NULL);
	TRY(read, fd, read_infos, 128);
	SHOW(read_infos[0].ssi_signo);
	SHOW(read_infos[0].ssi_code);
	SHOW(read_infos[0].ssi_int);
	SHOW(read_infos[0].ssi_overrun);
	timer_delete(timer);
	TRY(close, fd);
}

static int wanted; /* what the other thread sends, after a while */

static void *send_later(void *unused)
{
	sleep_ms(100);
	queue(wanted, 8);
	return unused;
}

static void *send_after_alarm(void *unused)
{
	await_alarm();
	return send_later(unused);
}

static pthread_t start(void *(*what)(void *), int signal)
{
	pthread_t thread;

	wanted = signal;
	pthread_create(&thread, NULL, what, NULL);
	return thread;
}

static pthread_t later(int signal)
{
	return start(send_later, signal);
}

static void signalfd_waits(void)
{
	sigset_t set = set_of(SIGUSR1, SIGUSR2, SIGRTMIN + 1), other = set_of(SIGALRM, SIGALRM, SIGALRM);
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT, .data.u64 = 42 }, found[4];
	struct pollfd wait = { .events = POLLIN | POLLOUT };
	struct timeval limit = { 5, 0 };
	pthread_t thread;
	fd_set bits;
	int fd, epoll;

	part("signalfd: a read that waits");
	block(&set);
	fd = (int)TRY(signalfd4, -1, &set, SET, 0);
	thread = later(SIGRTMIN + 1);
	show_infos(TRY(read, fd, read_infos, sizeof(read_infos)));
	pthread_join(thread, NULL);
	alarm_soon(0);
	TRY(read, fd, read_infos, 128);
	alarm_off();
	alarm_soon(SA_RESTART);
	thread = start(send_after_alarm, SIGUSR1);
	TRY(read, fd, read_infos, 128);
	alarm_off();
	pthread_join(thread, NULL);

	part("signalfd: poll, select, epoll");
	wait.fd = fd;
	TRY(poll, &wait, 1, 0);
	TRY(poll, &wait, 1, 20);
	kill(getpid(), SIGUSR1);
	TRY(poll, &wait, 1, 0);
	SHOW(wait.revents);
	TRY(poll, &wait, 1, -1);
	TRY(read, fd, read_infos, 128);
	TRY(poll, &wait, 1, 0);
	thread = later(SIGUSR2);
	TRY(poll, &wait, 1, 5000);
	SHOW(wait.revents);
	pthread_join(thread, NULL);
	FD_ZERO(&bits);
	FD_SET(fd, &bits);
	TRY(select, fd + 1, &bits, NULL, NULL, &limit);
	SHOW(FD_ISSET(fd, &bits));
	TRY(read, fd, read_infos, 128);
	thread = later(SIGUSR2);
	TRY(select, fd + 1, &bits, NULL, NULL, &limit);
	SHOW(FD_ISSET(fd, &bits));
	pthread_join(thread, NULL);
	TRY(read, fd, read_infos, 128);
	alarm_soon(SA_RESTART);
	TRY(poll, &wait, 1, 20000);
	alarm_off();

	epoll = (int)TRY(epoll_create1, 0);
	TRY(epoll_ctl, epoll, EPOLL_CTL_ADD, fd, &event);
	TRY(epoll_wait, epoll, found, 4, 20);
	thread = later(SIGUSR1);
	TRY(epoll_wait, epoll, found, 4, 5000);
	SHOW(found[0].events);
	SHOW(found[0].data.u64);
	pthread_join(thread, NULL);
	TRY(epoll_wait, epoll, found, 4, 0);
	TRY(read, fd, read_infos, 128);
	TRY(epoll_wait, epoll, found, 4, 0);
	event.events = EPOLLIN | EPOLLET;
	TRY(epoll_ctl, epoll, EPOLL_CTL_MOD, fd, &event);
	kill(getpid(), SIGUSR1);
	TRY(epoll_wait, epoll, found, 4, 5000);
	TRY(epoll_wait, epoll, found, 4, 0);
	kill(getpid(), SIGUSR2);
	TRY(epoll_wait, epoll, found, 4, 5000);
	TRY(epoll_wait, epoll, found, 4, 0);
	TRY(read, fd, read_infos, sizeof(read_infos));

	/* One that comes by another set. */
	event.events = EPOLLIN;
	TRY(epoll_ctl, epoll, EPOLL_CTL_MOD, fd, &event);
	sigaddset(&set, SIGALRM);
	block(&set);
	kill(getpid(), SIGALRM);
	TRY(epoll_wait, epoll, found, 4, 20);
	TRY(signalfd4, fd, &other, SET, 0);
	TRY(epoll_wait, epoll, found, 4, 5000);
	TRY(read, fd, read_infos, 128);
	TRY(epoll_wait, epoll, found, 4, 0);
	TRY(close, fd);
	TRY(close, epoll);
}

/* A signal for another thread is not this one's to see. */
static void *own_signal(void *fd)
{
	struct pollfd wait = { .fd = *(int *)fd, .events = POLLIN };

	pthread_kill(pthread_self(), SIGUSR1);
	TRY(poll, &wait, 1, 0);
	show_infos(TRY(read, *(int *)fd, read_infos, sizeof(read_infos)));
	pthread_kill(pthread_self(), SIGUSR1);
	return NULL;
}

static void signalfd_threads(void)
{
	sigset_t set = set_of(SIGUSR1, SIGUSR2, SIGUSR2);
	struct pollfd wait = { .events = POLLIN };
	pthread_t thread;
	int fd;

	part("signalfd: signals of threads");
	block(&set);
	fd = (int)TRY(signalfd4, -1, &set, SET, SFD_NONBLOCK);
	pthread_create(&thread, NULL, own_signal, &fd);
	pthread_join(thread, NULL);
	wait.fd = fd;
	TRY(poll, &wait, 1, 0);
	TRY(read, fd, read_infos, 128);
	close(fd);
}

int main(void)
{
	signalfd_errors();
	signalfd_reads();
	signalfd_waits();
	signalfd_threads();
	return 0;
}
