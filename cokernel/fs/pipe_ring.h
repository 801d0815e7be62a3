/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in a pipe: pages in order, each with some bytes, as many of them as there are
 * slots. A short write goes behind the bytes of the last page if it fits there as a whole,
 * and else into a page of its own: so does Linux, and a program can tell by what fits.
 * Called by one at a time, but for pipe_ring_used().
 */
#ifndef CK_FS_PIPE_RING_H
#define CK_FS_PIPE_RING_H

#include "lib/types.h"

struct vector;

struct pipe_slot {
	uint8_t *page;
	uint32_t offset, length; /* length is not 0 */
	bool packet;		 /* of a write with O_DIRECT: one read's, nothing is added to it */
};

struct pipe_ring {
	struct pipe_slot *slots;
	uint32_t room; /* how many slots, a power of two */
	uint32_t first; /* the oldest one */
	uint32_t used;
	uint8_t *spare; /* a page for the next write, or NULL */
};

/* A program's memory, and how far it has been read or written. */
struct pipe_cursor {
	const struct vector *parts; /* the one that it is in */
	uint64_t skip;		    /* bytes of it that are done */
	uint64_t left, done;	    /* of all */
};

/* The next BYTES are done. */
void pipe_cursor_advance(struct pipe_cursor *cursor, uint64_t bytes);

/* False: out of memory. */
bool pipe_ring_init(struct pipe_ring *ring, uint32_t room);
void pipe_ring_destroy(struct pipe_ring *ring);

static inline uint32_t pipe_ring_used(const struct pipe_ring *ring)
{
	return __atomic_load_n(&ring->used, __ATOMIC_SEQ_CST);
}

/* 0, -EBUSY: more is used than ROOM slots, -ENOMEM. */
int pipe_ring_resize(struct pipe_ring *ring, uint32_t room);

uint64_t pipe_ring_bytes(const struct pipe_ring *ring);

/*
 * A write begins: what of FROM goes behind what there is. Then, and again whenever there is
 * room: as much of it as fits. 0; -EFAULT or -ENOMEM, with what was done before in FROM.
 */
int pipe_ring_merge(struct pipe_ring *ring, struct pipe_cursor *from);
int pipe_ring_put(struct pipe_ring *ring, struct pipe_cursor *from, bool packet);

/* As much as there is and TO takes, or one packet. 0 or -EFAULT. */
int pipe_ring_get(struct pipe_ring *ring, struct pipe_cursor *to);

/* The oldest slot, NULL: none; and that it has been taken. */
const struct pipe_slot *pipe_ring_first(const struct pipe_ring *ring);
void pipe_ring_drop_first(struct pipe_ring *ring);

#endif
