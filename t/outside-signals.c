/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals from outside, at both ends of t/1013-signals.t:
 *
 *	outside-signals receive [COUNT]	says what it inherited, then what comes, until SIGTERM and
 *					COUNT that are queued
 *	outside-signals send PID COUNT	COUNT of SIGRTMIN + 1 by sigqueue, with 0, 1, 2 ...
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

/* How long those that are queued may come after SIGTERM: which overtakes them, on Linux too. */
#define PATIENCE_MS 30000

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

static void say_hangups(void)
{
	static int said;

	if (hangups == said)
		return;
	said = hangups;
	printf("handler of SIGHUP: %d, code %d\n", said, (int)hangup_code);
	fflush(stdout);
}

static struct {
	int queued, ordered;
	bool terminated;
} all; /* that were read */

static void note(const struct signalfd_siginfo *came)
{
	int signal = (int)came->ssi_signo;

	if (signal == SIGRTMIN + 1) {
		all.ordered += came->ssi_int == all.queued && came->ssi_code == SI_QUEUE;
		all.queued++;
		return;
	}
	printf("%s: code %d, from somebody %d, uid %u\n", strsignal(signal), came->ssi_code,
	       came->ssi_pid > 0, came->ssi_uid);
	fflush(stdout);
	if (signal == SIGTERM)
		all.terminated = true;
}

static void read_all(int fd)
{
	struct signalfd_siginfo came[16];
	ssize_t got, i;

	while ((got = read(fd, came, sizeof(came))) > 0) {
		for (i = 0; i < got / (ssize_t)sizeof(came[0]); i++)
			note(&came[i]);
	}
}

static int receive(int expected)
{
	struct sigaction action = { .sa_sigaction = on_hangup, .sa_flags = SA_SIGINFO };
	struct epoll_event event = { .events = EPOLLIN };
	sigset_t mask, but_hangup;
	int epoll, fd;

	say_inherited();
	sigfillset(&mask);
	but_hangup = mask;
	sigdelset(&but_hangup, SIGHUP);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGHUP, &action, NULL);
	fd = signalfd(-1, &but_hangup, SFD_NONBLOCK);
	epoll = epoll_create1(0);
	if (fd < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		perror("signalfd");
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	while (!all.terminated || all.queued < expected) {
		/* SIGHUP is let in only here, so that none comes that is not told of. */
		if (epoll_pwait(epoll, &event, 1, all.terminated ? PATIENCE_MS : -1,
				&but_hangup) == 0)
			break;
		say_hangups();
		read_all(fd);
	}
	printf("%d queued, %d as they were sent\n", all.queued, all.ordered);
	return 0;
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
	if ((argc == 2 || argc == 3) && strcmp(argv[1], "receive") == 0)
		return receive(argc == 3 ? atoi(argv[2]) : 0);
	if (argc == 4 && strcmp(argv[1], "send") == 0)
		return send_some((pid_t)atoi(argv[2]), atoi(argv[3]));
	fprintf(stderr, "usage: outside-signals receive [COUNT] | send PID COUNT\n");
	return 2;
}
