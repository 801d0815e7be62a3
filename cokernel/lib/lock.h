/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ticket spin lock. The co-kernel runs with interrupts off everywhere but in
 * user mode and in the idle halt, so a lock never needs to save a flag, and a
 * holder is never preempted. Nobody sleeps with a lock held.
 *
 * Who waits for a lock answers other CPUs' TLB requests meanwhile: the holder may
 * be waiting for just that answer. So must every other loop that waits for a CPU
 * (cpu_relax() does).
 */
#ifndef CK_LIB_LOCK_H
#define CK_LIB_LOCK_H

#include "lib/types.h"

struct lock {
	uint32_t next;
	uint32_t owner;
};

#define LOCK_INIT { 0, 0 }

#ifdef CK_HOSTED_TEST
static inline void lock_relax(void)
{
	__builtin_ia32_pause();
}
#else
void lock_relax(void); /* arch/tlb.c */
#endif

static inline void lock_take(struct lock *lock)
{
	uint32_t ticket = __atomic_fetch_add(&lock->next, 1u, __ATOMIC_RELAXED);

	while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket)
		lock_relax();
}

static inline void lock_drop(struct lock *lock)
{
	__atomic_store_n(&lock->owner, lock->owner + 1, __ATOMIC_RELEASE);
}

#endif
