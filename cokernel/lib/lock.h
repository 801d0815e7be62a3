/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Spin lock. The co-kernel runs with interrupts off everywhere but in user mode, in
 * the idle halt and in cpu_serve_interrupts(), where no lock is held: so a lock never
 * needs to save a flag, and a holder is never preempted by us. Nobody sleeps with a
 * lock held.
 *
 * It is not fair on purpose. Where CPUs are virtual, the one whose turn it is may not
 * run just now; tickets then make all others wait for it, each time (measured: a
 * program of 6 threads on 3 CPUs of a busy machine took minutes instead of seconds).
 *
 * But nobody waits for ever. Where virtual CPUs share one of the host, who takes and drops a
 * lock in a loop may hold it whenever the host lets another CPU look (measured: 5 s and more
 * beside a thread that calls mprotect(2), whose holder waits for just that CPU's answer to a
 * TLB request). So who has waited for long claims the lock, and then it is the next.
 *
 * Who waits for a lock answers other CPUs' TLB requests meanwhile: the holder may
 * be waiting for just that answer. So must every other loop that waits for a CPU
 * (cpu_relax() does).
 */
#ifndef CK_LIB_LOCK_H
#define CK_LIB_LOCK_H

#include "lib/types.h"

struct lock {
	uint32_t taken;
	uint32_t claimed; /* by one that has waited for long */
};

#define LOCK_INIT { 0, 0 }

#ifdef CK_HOSTED_TEST
#include <sched.h>

/* Threads of a test can outnumber the CPUs: whose turn it is must get one. */
static inline void lock_relax(void)
{
	sched_yield();
}
#define LOCK_PATIENCE 100u
#else
void lock_relax(void); /* arch/tlb.c */

/* Looks until a lock is claimed: a few milliseconds. */
#define LOCK_PATIENCE 65536u
#endif

/* For one who has CLAIMED it, or not. Reading alone leaves the line with all who wait. */
static inline bool lock_is_free(const struct lock *lock, bool claimed)
{
	return __atomic_load_n(&lock->taken, __ATOMIC_RELAXED) == 0 &&
	       (claimed || __atomic_load_n(&lock->claimed, __ATOMIC_RELAXED) == 0);
}

static inline bool lock_get(struct lock *lock)
{
	return __atomic_exchange_n(&lock->taken, 1u, __ATOMIC_ACQUIRE) == 0;
}

static inline void lock_wait(struct lock *lock)
{
	unsigned int looks = 0;
	bool claimed = false;

	while (!lock_is_free(lock, claimed) || !lock_get(lock)) {
		lock_relax();
		if (++looks >= LOCK_PATIENCE && !claimed)
			claimed = __atomic_exchange_n(&lock->claimed, 1u, __ATOMIC_RELAXED) == 0;
	}
	if (claimed)
		__atomic_store_n(&lock->claimed, 0u, __ATOMIC_RELAXED);
}

static inline void lock_take(struct lock *lock)
{
	if (likely(__atomic_load_n(&lock->claimed, __ATOMIC_RELAXED) == 0) && likely(lock_get(lock)))
		return;
	lock_wait(lock);
}

static inline void lock_drop(struct lock *lock)
{
	__atomic_store_n(&lock->taken, 0u, __ATOMIC_RELEASE);
}

#endif
