/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs about pipes have in common. */
#ifndef T_CALLS_PIPES_H
#define T_CALLS_PIPES_H

#include <sys/ioctl.h>

#include "calls.h"

#define ROOM 65536

static char data[4 * ROOM], got[4 * ROOM];
static int ends[2];
static volatile int seen;

static void on_signal(int signal)
{
	(void)signal;
	seen++;
}

static void open_pipe(int flags)
{
	if (pipe2(ends, flags) < 0)
		say("pipe2", -1);
}

static void close_pipe(void)
{
	close(ends[0]);
	close(ends[1]);
}

static int count_bytes(void)
{
	int bytes = -1;

	TRY(ioctl, ends[0], FIONREAD, &bytes);
	return bytes;
}

/* How much goes in by writes of SIZE. */
static long fill(size_t size)
{
	long total = 0, bytes;

	while ((bytes = write(ends[1], data, size)) > 0)
		total += bytes;
	say("the last write", bytes);
	return total;
}

static long drain(size_t size)
{
	long total = 0, bytes;

	while ((bytes = read(ends[0], got, size)) > 0)
		total += bytes;
	say("the last read", bytes);
	return total;
}

#endif
