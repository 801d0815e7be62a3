/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What mm/ asks of the machine that it runs on; in its tests, of the test. */
#ifndef CK_MM_LOCAL_H
#define CK_MM_LOCAL_H

#include "lib/lock.h"
#include "lib/types.h"
#include "mm/policy.h"

/* The node of the calling CPU. */
node_id_t mm_this_node(void);

/* A sign of life: long work goes on. */
void mm_heartbeat(void);

/*
 * In a loop that a program can make as long as it likes, at step I: Linux sees that this CPU
 * gets on, and other CPUs get their answers. With locks or without.
 */
static inline void mm_turn(uint64_t i)
{
	if (i % 512 == 0) {
		mm_heartbeat();
		lock_relax();
	}
}

/* Do the CPUs have pages of 1 GiB? */
bool mm_has_huge_pages(void);

/* Sets POLICY to the calling thread's: set_mempolicy(). */
void mm_thread_policy(struct policy *policy);

/*
 * Gives back memory that is only kept in case it is needed again: false if there is
 * none of it. Not URGENT: there is still some, so it is not tried each time. No lock
 * is held.
 */
bool mm_shrink(bool urgent);

/* A number that a program cannot guess. */
uint64_t mm_entropy(void);

#endif
