/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For programs that make system calls with good and bad arguments and print what
 * comes back: run on Linux and in an enclave, their output must be the same. So
 * nothing is printed that differs from run to run: no numbers of processes, no
 * addresses, no times.
 */
#ifndef T_CALLS_H
#define T_CALLS_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

/* An address where no program has memory, and one beyond all programs. */
#define BAD ((void *)8)
#define KERNEL ((void *)0xffff800000000000ul)

static inline long say(const char *what, long result)
{
	if (result == -1)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %ld\n", what, result);
	fflush(stdout);
	return result;
}

/* The call itself, by its number: no C library looks at the arguments before. */
#define TRY(name, ...) say(#name "(" #__VA_ARGS__ ")", syscall(SYS_##name, ##__VA_ARGS__))

/* The same where a number is not the same from run to run: only whether it is one. */
#define TRY_ANY(name, ...) \
	say(#name "(" #__VA_ARGS__ ") >= 0", syscall(SYS_##name, ##__VA_ARGS__) < 0 ? -1 : 0)

#define SHOW(value) (printf("  %s = %ld\n", #value, (long)(value)), fflush(stdout))
#define SHOW_TEXT(text) (printf("  %s = \"%s\"\n", #text, text), fflush(stdout))

static inline void part(const char *name)
{
	printf("-- %s\n", name);
}

static inline void sleep_ms(long ms)
{
	struct timespec span = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&span, &span) < 0 && errno == EINTR)
		;
}

/* ---- signals that interrupt: alarm_soon(), a call that waits, alarm_off() ---- */

static volatile int alarms_seen;

static inline void sees_alarm(int signal)
{
	(void)signal;
	alarms_seen++;
}

/*
 * A signal soon, and again until alarm_off(): one may come before the call that it is to
 * interrupt, where the machine is busy. FLAGS are its handler's.
 */
static inline void alarm_soon(int flags)
{
	const struct sigaction action = { .sa_handler = sees_alarm, .sa_flags = flags };
	const struct itimerval soon = { { 0, 100000 }, { 0, 100000 } };

	alarms_seen = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
}

static inline void alarm_off(void)
{
	static const struct itimerval off;

	setitimer(ITIMER_REAL, &off, NULL);
	SHOW(alarms_seen > 0);
}

/* For another thread: not before such a signal has come, however busy it is; 10 s at most. */
static inline void await_alarm(void)
{
	for (int i = 0; i < 1000 && alarms_seen == 0; i++)
		sleep_ms(10);
}

#endif
