/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The enclave's end of a task's channel: calls that the proxy executes.
 *
 * The reply ring asks to be rung whenever a thread sleeps until a reply comes, on the CPU
 * of the one that went to sleep last or on an idle CPU, and never else: so a CPU that
 * computes hears nothing of calls that do not concern it.
 */
#ifndef CK_CHANNEL_CHANNEL_H
#define CK_CHANNEL_CHANNEL_H

#include <pisces/channel.h>

#include "lib/types.h"
#include "task/wait.h"

struct channel;
struct process;

/* Maps the channel and attaches to its rings. NULL: out of memory or not a channel. */
struct channel *channel_open(struct process *process, phys_addr_t base, uint64_t size);
void channel_close(struct channel *channel); /* no thread uses it any more */

/* The proxy is gone: callers come back with -EIO, nothing is sent any more. */
void channel_abandon(struct channel *channel);

/*
 * A piece of the data area for one call: at most SIZE bytes, at least 1 page's
 * worth or SIZE; waits (interruptibly) while there is none. Returns bytes, or
 * -ERESTARTSYS for a signal, -EIO when the proxy is gone.
 */
struct channel_buffer {
	uint64_t offset; /* what the proxy is told */
	uint8_t *memory; /* shared: the proxy may change it at any time */
	uint64_t size;
	bool done; /* the proxy has answered: it can be given back even by a dying thread */
};
int64_t channel_buffer_take(struct channel *channel, uint64_t size, struct channel_buffer *buffer);

/* A second one for a caller that has one: of exactly SIZE bytes, if they are free. */
bool channel_buffer_try(struct channel *channel, uint64_t size, struct channel_buffer *buffer);

/* The same for a piece of exactly SIZE bytes; -E2BIG if the channel is too small for it. */
int64_t channel_buffer_take_all(struct channel *channel, uint64_t size,
				struct channel_buffer *buffer);
void channel_buffer_give(struct channel *channel, struct channel_buffer *buffer);

/* One page for a report, whatever happens to the process: bytes, or -EIO. */
int64_t channel_buffer_take_report(struct channel *channel, struct channel_buffer *buffer);

/* The largest piece of one channel_buffer_take(). */
#define CHANNEL_PIECE 0x40000u

/*
 * What a channel is used for. A process with staged I/O (fs/staged.h) calls Linux before
 * its first instruction and after its last one, and in between not: by this. Any process
 * may have something to write out at its end (fs/mapped_file.h).
 */
enum channel_phase {
	CHANNEL_OPEN,	/* as it is asked to */
	CHANNEL_SEALED, /* every call is refused, -ENOSYS; reports get through */
	CHANNEL_LAST,	/* for the last thread, which ends: all waits are for the reply,
			   whatever happens to the process, unless the proxy goes */
};
void channel_set_phase(struct channel *channel, enum channel_phase phase);

/*
 * Sends CALL number NR and sleeps until the REPLY; returns its result, with
 * -ERESTARTSYS for -EINTR. A signal sends CANCEL and goes on waiting for the
 * reply; only the end of the process, not that of a thread alone, breaks off (-EINTR;
 * then buffers are never reused). -EIO: the proxy is gone or its ring is broken. A thread that is `firm` waits for
 * the reply whatever comes: what it has sent will not be done later than what others send.
 */
int64_t channel_call(struct channel *channel, uint32_t nr, const uint64_t args[6]);

/*
 * The same in two parts, for a caller that has work to do until the reply comes. It must
 * end what it has begun, and may call meanwhile. NULL: not now, do it by channel_call();
 * so it is when many calls are on their way: who waits for room never waits for one
 * who does.
 */
struct channel_call;
struct channel_call *channel_call_begin(struct channel *channel, uint32_t nr,
					const uint64_t args[6]);
int64_t channel_call_end(struct channel *channel, struct channel_call *call);

/* The running process's. */
int64_t channel_call_own(uint32_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
			 uint64_t f);

/* Sends a line for the user's stderr and waits until the proxy has it. */
void channel_report(struct channel *channel, const char *line);

/* The exec block, as the proxy left it: a private copy, checked, to free with
 * heap_free(). NULL and *why. */
struct pisces_exec *channel_exec_block(struct channel *channel, const char **why);

/* The last message of a task. */
void channel_send_exit(struct channel *channel, int wait_status, nsec_t cpu_time,
		       uint64_t peak_kib);

/* The ring is broken, or a reply said what cannot be: the process ends with a report. */
void channel_break(struct channel *channel, const char *why);

/* replies.c: those that have come are handed to their callers; from bell_interrupt() and the idle loop. */
void channel_poll_all(void);

/* CPU has parked: replies that ring it ring another one, and those that came are handed out. */
void channel_bells_gone(cpu_id_t cpu);

/* The idle loop of a CPU is about to halt: false if something has come. */
bool channel_may_sleep_all(cpu_id_t cpu);

/*
 * File data to and from a program's memory by forwarded calls, in pieces. As
 * read(2) and so on: bytes, maybe fewer, or -errno. Writing may raise SIGPIPE.
 */
int64_t forward_read(int fd, user_addr_t to, uint64_t size);
int64_t forward_write(int fd, user_addr_t from, uint64_t size);
int64_t forward_pread(int fd, user_addr_t to, uint64_t size, uint64_t offset);
int64_t forward_pwrite(int fd, user_addr_t from, uint64_t size, uint64_t offset);

/* Into the co-kernel's own memory; fewer bytes only at the end of the file. */
int64_t forward_pread_kernel(int fd, void *to, uint64_t size, uint64_t offset);

/* The same for files whose program is being loaded: all of it, into user memory. */
int64_t forward_pread_all(int fd, user_addr_t to, uint64_t size, uint64_t offset);

#endif
