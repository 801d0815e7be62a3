/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls: one table (syscall/table.c, from syscall/list.h), a file for each
 * family. A handler gets the six arguments and returns a result or -errno; those
 * that need all registers find them with syscall_frame().
 */
#ifndef CK_SYSCALL_SYSCALL_H
#define CK_SYSCALL_SYSCALL_H

#include "lib/types.h"

struct frame;

struct syscall_args {
	uint64_t a[6];
};

typedef int64_t (*syscall_handler_t)(const struct syscall_args *args);

enum syscall_kind {
	SYSCALL_ABSENT = 0, /* ENOSYS, counted */
	SYSCALL_INSIDE,	    /* served by the co-kernel */
	SYSCALL_FORWARDED,  /* done by the proxy on Linux */
	SYSCALL_EITHER,	    /* depends on the arguments */
};

struct syscall_entry {
	const char *name;
	syscall_handler_t handler;
	enum syscall_kind kind;
};

#define SYSCALL_TABLE_SIZE 512u
extern const struct syscall_entry syscall_table[SYSCALL_TABLE_SIZE];

/* That of processes with staged I/O: nothing of it is forwarded (staged.h). */
extern const struct syscall_entry syscall_staged_table[SYSCALL_TABLE_SIZE];

/*
 * Not of Linux: the number of system calls that the calling thread has made, this
 * one included. For tests: what never traps must not change it.
 */
#define SYSCALL_COUNT_OWN 0x7001u

struct frame *syscall_frame(void); /* user registers of the running thread */

#endif
