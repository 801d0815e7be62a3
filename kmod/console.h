/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a co-kernel has said: a history that outlives it, and the console fd. */
#ifndef PISCES_KMOD_CONSOLE_H
#define PISCES_KMOD_CONSOLE_H

#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#define CONSOLE_HISTORY 0x10000u /* bytes; a power of two */

struct enclave;

struct console {
	spinlock_t lock;
	wait_queue_head_t wait;
	u64 written; /* bytes ever; the last CONSOLE_HISTORY of them are in text */
	bool over;   /* nothing will follow */
	char *text;
};

int console_init(struct console *console);
void console_exit(struct console *console);

/*
 * Moves text from the console ring to the history, at most BUDGET messages.
 * True if there is more. e->drain is held.
 */
bool console_drain(struct enclave *e, unsigned int *budget);

/* No text will follow: readers come to an end. */
void console_finish(struct enclave *e);

/* Writes the last lines to Linux's log. */
void console_dump(struct enclave *e);

/* The console fd, or -errno. */
int console_fd(struct enclave *e);

#endif
