/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals from outside, at both ends of t/1013-signals.t:
 *
 *	outside-signals receive	   says what it inherited, then what comes, until SIGTERM
 *	outside-signals send PID COUNT	COUNT of SIGRTMIN + 1 by sigqueue, with 0, 1, 2 ...
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

static volatile sig_atomic_t hangups, hangup_code;

static void on_hangup(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	hangup_code = info->si_code;
	hangups++;
}

static void say_inherited(void)
{
	struct sigaction action;
	sigset_t mask;

	sigaction(SIGHUP, NULL, &action);
	printf("SIGHUP is %s\n", action.sa_handler == SIG_IGN ? "ignored" : "not ignored");
	sigaction(SIGUSR1, NULL, &action);
	printf("SIGUSR1 is %s\n", action.sa_handler == SIG_IGN ? "ignored" : "not ignored");
	sigprocmask(SIG_SETMASK, NULL, &mask);
	printf("SIGTERM is %s\n", sigismember(&mask, SIGTERM) ? "blocked" : "not blocked");
}

static int receive(void)
{
	struct sigaction action = { .sa_sigaction = on_hangup, .sa_flags = SA_SIGINFO };
	struct epoll_event event = { .events = EPOLLIN };
	struct signalfd_siginfo came[16];
	int queued = 0, ordered = 0, epoll, fd;
	sigset_t mask;
	ssize_t got, i;

	say_inherited();
	sigfillset(&mask);
	sigdelset(&mask, SIGHUP);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGHUP, &action, NULL);
	fd = signalfd(-1, &mask, SFD_NONBLOCK);
	epoll = epoll_create1(0);
	if (fd < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		perror("signalfd");
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		if (epoll_wait(epoll, &event, 1, -1) < 0 && errno == EINTR) {
			printf("handler of SIGHUP: %d, code %d\n", (int)hangups, (int)hangup_code);
			fflush(stdout);
			continue;
		}
		got = read(fd, came, sizeof(came));
		for (i = 0; i < got / (ssize_t)sizeof(came[0]); i++) {
			int signal = (int)came[i].ssi_signo;

			if (signal == SIGRTMIN + 1) {
				ordered += came[i].ssi_int == queued && came[i].ssi_code == SI_QUEUE;
				queued++;
				continue;
			}
			printf("%s: code %d, from somebody %d, uid %u\n", strsignal(signal),
			       came[i].ssi_code, came[i].ssi_pid > 0, came[i].ssi_uid);
			fflush(stdout);
			if (signal != SIGTERM)
				continue;
			printf("%d queued, %d as they were sent\n", queued, ordered);
			return 0;
		}
	}
}

static int send_some(pid_t pid, int count)
{
	const struct timespec moment = { 0, 1000000 };
	int i;

	for (i = 0; i < count; i++) {
		while (sigqueue(pid, SIGRTMIN + 1, (union sigval){ .sival_int = i }) < 0) {
			if (errno != EAGAIN) {
				perror("sigqueue");
				return 1;
			}
			nanosleep(&moment, NULL);
		}
	}
	return 0;
}

int main(int argc, char *argv[])
{
	if (argc == 2 && strcmp(argv[1], "receive") == 0)
		return receive();
	if (argc == 4 && strcmp(argv[1], "send") == 0)
		return send_some((pid_t)atoi(argv[2]), atoi(argv[3]));
	fprintf(stderr, "usage: outside-signals receive | send PID COUNT\n");
	return 2;
}
