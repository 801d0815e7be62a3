/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking a running co-kernel for a change of its CPUs or its memory, and hearing
 * what it says. One at a time: e->mutex is held from the question to the answer.
 */
#ifndef PISCES_KMOD_CHANGE_H
#define PISCES_KMOD_CHANGE_H

#include <linux/types.h>

struct enclave;
struct pisces_message;

/* Memory that the co-kernel says it does not touch any more. */
struct change_piece {
	phys_addr_t base;
	u64 size;
};

enum change_state {
	CHANGE_NONE = 0,
	CHANGE_ASKED,	  /* there will be an answer */
	CHANGE_ABANDONED, /* nobody waits for it: the enclave is over, or about to be */
};

/* All of the enclave's lock. */
struct change {
	enum change_state state;
	u64 tag;       /* of this one, or the last */
	int result;    /* 0 or -errno, once it has been answered */
	u64 available; /* bytes; what the co-kernel says of a refused MEMORY_REMOVE */
	/* MEMORY_REMOVE; else 0 and NULL */
	u64 wanted, given; /* bytes */
	struct change_piece *pieces;
	size_t capacity, count;
};

/*
 * Sends the co-kernel MESSAGE, whose tag it sets, and waits for the answer, for which the
 * co-kernel may have to clear BYTES of memory. Returns 0 or what the co-kernel refuses it
 * with. -ESHUTDOWN: the enclave is over, and what was asked for may have been done or not;
 * -ETIMEDOUT: so it is now, for it did not answer. Not to be interrupted: until there is
 * an answer, nobody knows what the co-kernel uses. e->mutex is held.
 */
int change_ask(struct enclave *e, struct pisces_message *message, u64 bytes);

/*
 * The same for MEMORY_REMOVE of SIZE bytes of NODE. On success *PIECES, *COUNT of them,
 * sorted, are the enclave's no more; they have been checked against its ranges. The
 * caller frees them by kvfree(). *AVAILABLE: bytes that could have been had.
 */
int change_ask_memory(struct enclave *e, u64 size, u32 node, struct change_piece **pieces,
		      size_t *count, u64 *available);

/*
 * The co-kernel has said CHANGED or GIVEN. NULL, or a sentence on how it has broken the
 * rules. e->lock is held.
 */
const char *change_changed_locked(struct enclave *e, const struct pisces_message *message);
const char *change_given_locked(struct enclave *e, const struct pisces_message *message);

#endif
