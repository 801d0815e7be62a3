/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A call of the program: from a message to a system call of Linux and its
 * result. The rights are the user's; what a call is checked for is only that it
 * reaches nothing of the proxy's but the channel's data area.
 */
#ifndef PROXY_CALL_H
#define PROXY_CALL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "channel.h"

/* When another thread may make it end with EINTR. */
enum call_cancel {
	CANCEL_ANY_TIME,
	CANCEL_BEGUN, /* only while Linux is at it */
	CANCEL_NEVER,
};

struct call {
	uint64_t tag;
	long number;	/* of the system call that is executed */
	long arg[6];	/* with offsets made addresses */
	bool may_block; /* then it must not be executed by the main thread */
	enum call_cancel cancel;
	int cancelled;	/* set by another thread: end with EINTR if it blocks */
	bool renumbers; /* an open descriptor may be another file after it */
	unsigned int paths;
	_Alignas(16) char path[2][PATH_MAX]; /* copies, since the co-kernel could change its own */

	uint32_t size; /* a size that goes in and out, and */
	void *shared;  /* what `finish` is to write to: in the data area */
	/* Instead of the system call; and after it, with its result. Or NULL. */
	int64_t (*execute)(struct call *call);
	void (*finish)(struct call *call, int64_t result);
};

/*
 * Fills CALL from a CALL message. Returns 0, or the negative errno that is the
 * answer: ENOSYS for a call the proxy does not execute, EFAULT for a buffer that
 * is not in the data area, EBADF for a descriptor of the proxy's own.
 */
int call_prepare(struct call *call, const struct channel *channel,
		 const struct pisces_message *message);

/* What the main thread may get for a call instead of a result: a worker has to execute it. */
#define CALL_WOULD_BLOCK INT64_MIN

/*
 * Executes it. Returns the result or a negative errno; or, if it was not to block,
 * CALL_WOULD_BLOCK: nothing has been done, it may block now, and is to be executed again.
 */
int64_t call_execute(struct call *call);

/* Or it is not executed after all. */
void call_drop(struct call *call);

/* An offset of the data area, for a structure of SIZE bytes, made an address in *ARG. */
int call_argument(long *arg, const struct channel *channel, uint64_t offset, uint64_t size);

/*
 * ioctl(2) and fcntl(2): what the last argument is depends on the command. As
 * call_prepare(); in command.c.
 */
int call_prepare_ioctl(struct call *call, const struct channel *channel,
		       const struct pisces_message *message);
int call_prepare_fcntl(struct call *call, const struct channel *channel,
		       const struct pisces_message *message);

/*
 * sendmsg(2) and recvmsg(2), by a struct pisces_socket_message; in socket.c.
 */
int call_prepare_sendmsg(struct call *call, const struct channel *channel,
			 const struct pisces_message *message);
int call_prepare_recvmsg(struct call *call, const struct channel *channel,
			 const struct pisces_message *message);

/* ioctl SIOCGIFCONF: a struct ifconf whose address is an offset or PISCES_CHANNEL_NULL. */
int call_prepare_ifconf(struct call *call, const struct channel *channel,
			const struct pisces_message *message);

/* Socket options whose value has an address in it. */
int call_refuse_sockopt(const struct call *call);

/* close_range(2): all but the proxy's own; in descriptor_range.c. */
int call_prepare_close_range(struct call *call, const struct channel *channel,
			     const struct pisces_message *message);

/* PISCES_CALL_CLOSE_ON_EXEC; in descriptor_exec.c. */
int call_prepare_close_on_exec(struct call *call, const struct channel *channel,
			       const struct pisces_message *message);

#endif
