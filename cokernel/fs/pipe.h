/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pipes: pipe(2) of a program, whose both ends are its own, since there is no fork. What
 * is written is kept here, and who waits for it sleeps and is woken here.
 *
 * The descriptors are those of a pipe that the proxy has, which stays empty: so their
 * numbers, dup(2), close(2), fstat(2) and what /proc says are as with any other, and it is
 * there when the pipe must be Linux's after all (pipe_to_linux()). With staged I/O there
 * is no such pipe.
 *
 * Bytes are moved in the pipe's turn, in which a program's memory may be touched. Then,
 * in this order: the pipe's lock, the locks of its queues.
 */
#ifndef CK_FS_PIPE_H
#define CK_FS_PIPE_H

#include "fs/pipe_ring.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "lib/types.h"
#include "task/turn.h"

struct open_file;
struct stage_node;

/* As Linux's, in pages: of a new one; what F_SETPIPE_SZ gives at most. */
#define PIPE_SLOTS 16u
#define PIPE_SLOTS_MOST 256u
/* Of all pipes of the enclave: beyond the first, new ones have two and none grows. */
#define PIPE_SLOTS_SOFT 16384u
#define PIPE_SLOTS_LEAST 2u
#define PIPE_SLOTS_HARD 65536u /* beyond this there are no new ones: 25,600 pipes or so */

/* Of open(2). */
#define OPEN_PACKETS 040000u /* O_DIRECT */

struct pipe {
	struct turn turn; /* of who moves bytes */
	struct pipe_ring ring;
	bool on_linux; /* its bytes are there, and so is all that is to be done; for good */
	struct wait_queue read_queue, write_queue;

	struct lock lock;	   /* of the rest */
	uint32_t readers, writers; /* open files; also looked at without the lock */
	struct list watches;
	uint32_t watched; /* how many these are */
};

/*
 * A new pipe, FLAGS of pipe2(2): both ends, each with one reference. NODE, or NULL: what a
 * stage says about it. 0, -ENFILE, -ENOMEM.
 */
int pipe_create(uint32_t flags, struct stage_node *node, struct open_file **reader,
		struct open_file **writer);

/*
 * read(2) and write(2) by an end that can, which the caller holds a reference to: bytes or
 * -errno, with SIGPIPE sent. PIPE_MOVED: the pipe is Linux's, and what of the cursor is
 * left is to be done there.
 */
#define PIPE_MOVED INT64_MIN
int64_t pipe_read(struct open_file *end, struct pipe_cursor *to);
int64_t pipe_write(struct open_file *end, struct pipe_cursor *from);

/* FIONREAD, F_GETPIPE_SZ and F_SETPIPE_SZ: a result, -errno, or PIPE_MOVED. */
int64_t pipe_bytes(struct pipe *pipe);
int64_t pipe_size(struct pipe *pipe);
int64_t pipe_resize(struct pipe *pipe, uint64_t size);

bool pipe_is_on_linux(const struct pipe *pipe);

/*
 * FD is END of a pipe, which is Linux's from now on, with what is in it. 0, also if it was
 * before, or -errno: then it is as it was.
 */
int pipe_to_linux(struct open_file *end, int fd);

/* What poll(2) finds at END. */
#define PIPE_POLL_IN 0x0041  /* POLLIN, POLLRDNORM */
#define PIPE_POLL_OUT 0x0104 /* POLLOUT, POLLWRNORM */
int16_t pipe_found(const struct open_file *end);

/*
 * Waiting for any of several: all are watched, then looked at, then waited for. DEADLINE
 * and result as wait_on(), interruptible; 0: something has changed.
 */
struct pipe_poller {
	struct wait_queue queue;
	bool news;
};

struct pipe_watch {
	struct list link;
	struct pipe *pipe; /* of which its user has a reference to an end */
	struct pipe_poller *poller;
};

void pipe_poller_init(struct pipe_poller *poller);
int pipe_poller_wait(struct pipe_poller *poller, nsec_t deadline);
void pipe_watch_begin(struct pipe_watch *watch, struct pipe *pipe, struct pipe_poller *poller);
void pipe_watch_end(struct pipe_watch *watch);

/* ---- between pipe.c and its other files ---- */

/* Something has changed: who can go on does. The caller has a reference to an end. */
void pipe_tell(struct pipe *pipe);
/* The same to everybody, and to who watches; the pipe's lock is held. */
void pipe_tell_all(struct pipe *pipe);
void pipe_tell_watches(struct pipe *pipe);

/* lseek(2): it cannot be done, but Linux looks at WHENCE first. -ESPIPE or -EINVAL. */
static inline int pipe_seek(unsigned int whence)
{
	return whence > 4 ? -EINVAL : -ESPIPE;
}

#endif
