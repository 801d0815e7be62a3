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

#endif
