/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A co-kernel that dies on purpose, for tests of what is left when it does. Armed by
 * "crash=HOW" on the command line, pulled by a program with system call 0x7000.
 */
#ifndef CK_ARCH_CRASH_H
#define CK_ARCH_CRASH_H

#include "lib/types.h"

#define CRASH_SYSCALL 0x7000u

/* Where it happens by itself: "crash=HOW@PLACE". */
enum crash_place {
	CRASH_BY_CALL,
	CRASH_BOOTING,	/* before it is ready */
	CRASH_IDLE,	/* a CPU has nothing to do, after the first program has begun */
	CRASH_IO,	/* a read has been sent to a proxy */
	CRASH_TEARDOWN, /* Linux has said STOP */
};

extern enum crash_place crash_place; /* only crash_init() writes it */

struct frame;

void crash_init(void);

/*
 * HOW: "panic"; "fault", a wild pointer; "stack", an endless recursion;
 * "hang-irqs-off", this CPU loops and answers nothing but INIT; "silent", all CPUs
 * stop without a word; "deaf", they do so and say that they are idle. What memory
 * protection has to stop: "write-text", "write-constant", "run-data", and with
 * the program's frame (NULL: there is none) "run-program", which SMEP stops, and
 * "read-program", which SMAP does. If it does not, "panic" follows. Returns if no crash
 * is on the command line.
 */
void crash_test(const struct frame *frame);

static inline void crash_at(enum crash_place place)
{
	if (unlikely(crash_place == place))
		crash_test(NULL);
}

#endif
