/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The messages that cross a ring. Every ring has slots of this one shape;
 * what arg[] means depends on type. All numbers are little endian, as the CPU's.
 */
#ifndef PISCES_MESSAGE_H
#define PISCES_MESSAGE_H

#include <pisces/types.h>

struct pisces_message {
	uint16_t type;	 /* enum pisces_message_type */
	uint16_t length; /* CONSOLE_TEXT: bytes of text in arg[]; else 0 */
	uint32_t number; /* CALL: the call's number; else 0 */
	uint64_t tag;	 /* CALL and REPLY: which call; PING and PONG: which ping; changes: which */
	uint64_t arg[6];
};
PISCES_ASSERT_SIZE(struct pisces_message, 64);

#define PISCES_CONSOLE_TEXT_MAX (6u * 8u)

enum pisces_message_type {
	PISCES_MSG_NONE = 0,

	/*
	 * Control ring, Linux (the module) to enclave.
	 * A task is announced with TASK_NEW, its CPUs with one TASK_CPUS for each
	 * 64 of them, then started with TASK_START.
	 */
	PISCES_MSG_PING = 0x0100,	 /* answered by PONG with the same tag */
	PISCES_MSG_STOP = 0x0101,	 /* park all CPUs; no answer: status says PARKED */
	PISCES_MSG_TASK_NEW = 0x0110,	 /* id, channel phys, channel bytes, uid | gid << 32,
					    pid of the proxy in Linux */
	PISCES_MSG_TASK_CPUS = 0x0111,	 /* id, word index, bits: CPUs of the task by index in
					    the boot block */
	PISCES_MSG_TASK_START = 0x0112,	 /* id: read the exec block of the channel and run */
	PISCES_MSG_TASK_SIGNAL = 0x0113, /* id, signal number 1..64 | si_code << 32, pid | uid << 32
					    of who sent it, value: see struct pisces_signal */
	PISCES_MSG_TASK_KILL = 0x0114,	 /* id: the proxy is gone; end the task without a word to
					    it. Answered by TASK_ENDED */

	/*
	 * Changes of a running enclave, one at a time. Each is answered by CHANGED with
	 * its tag; a refused one has changed nothing.
	 */
	PISCES_MSG_CPU_ADD = 0x0120,	/* index in the boot block; it has ARRIVED */
	PISCES_MSG_CPU_REMOVE = 0x0121, /* index: move everything away from it and park it;
					   CHANGED comes when its status says PARKED */
	PISCES_MSG_MEMORY_ADD = 0x0122, /* base, size, node | flags << 32 | granule_shift << 48,
					   as in struct pisces_boot_range */
	PISCES_MSG_MEMORY_REMOVE = 0x0123, /* bytes, node: give up exactly so many, of memory that
					      is free, in pieces that fit the granule of their
					      range. Each piece comes in a GIVEN before CHANGED */

	/* Control ring, enclave to Linux. */
	PISCES_MSG_READY = 0x0200,	/* all CPUs are up; sent once */
	PISCES_MSG_PONG = 0x0201,
	PISCES_MSG_PANIC = 0x0202,	/* the co-kernel is dead; status.reason says why */
	PISCES_MSG_TASK_ENDED = 0x0210, /* id, wait status: the co-kernel has let go of the channel */
	PISCES_MSG_CHANGED = 0x0220, /* tag; 0 or -errno; bytes that MEMORY_REMOVE could have had */
	PISCES_MSG_GIVEN = 0x0221,   /* tag; base, size: not touched any more by the co-kernel */

	/* Console ring, enclave to Linux: length bytes of text, any bytes, no NUL. */
	PISCES_MSG_CONSOLE_TEXT = 0x0300,

	/*
	 * Task channel, enclave to proxy: CALL asks the proxy to do something and
	 * is answered by REPLY with the same tag, in any order. Pointers among a
	 * call's arguments are byte offsets into the channel's data area.
	 */
	PISCES_MSG_CALL = 0x0400,
	PISCES_MSG_CANCEL = 0x0401,	/* the thread behind call `tag` has a signal: end the call with
					   EINTR if it blocks; its REPLY still comes */
	PISCES_MSG_TASK_EXIT = 0x0402,	/* wait status (as waitpid(2) gives it), CPU time in ns,
					   largest memory in KiB. The last message of a task. */

	/* Task channel, proxy to enclave. */
	PISCES_MSG_REPLY = 0x0500,	/* tag; arg[0]: result, or -errno */
};

/*
 * Call numbers: those of Linux on x86-64 below PISCES_CALL_BASE mean that system
 * call, executed by the proxy with its own rights. Those above are ours.
 */
#define PISCES_CALL_BASE 0x10000u

enum pisces_call {
	PISCES_CALL_REPORT = PISCES_CALL_BASE, /* data offset, bytes: a line for the user's stderr */
	PISCES_CALL_CLOSE_ON_EXEC,	       /* data offset, bytes: room for descriptors of the
						  program, 32 bits each, that execve(2) closes;
						  result: how many are there */
};

#endif
