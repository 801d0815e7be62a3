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
 * Who waits for a lock answers other CPUs' TLB requests meanwhile: the holder may
 * be waiting for just that answer. So must every other loop that waits for a CPU
 * (cpu_relax() does).
 */
#ifndef CK_LIB_LOCK_H
#define CK_LIB_LOCK_H

#include "lib/types.h"

struct lock {
	uint32_t taken;
};

#define LOCK_INIT { 0 }

#ifdef CK_HOSTED_TEST
#include <sched.h>

/* Threads of a test can outnumber the CPUs: whose turn it is must get one. */
static inline void lock_relax(void)
{
	sched_yield();
}
#else
void lock_relax(void); /* arch/tlb.c */
#endif

static inline void lock_take(struct lock *lock)
{
	while (__atomic_exchange_n(&lock->taken, 1u, __ATOMIC_ACQUIRE) != 0) {
		/* Reading alone leaves the line with all who wait. */
		do {
			lock_relax();
		} while (__atomic_load_n(&lock->taken, __ATOMIC_RELAXED) != 0);
	}
}

static inline void lock_drop(struct lock *lock)
{
	__atomic_store_n(&lock->taken, 0u, __ATOMIC_RELEASE);
}

#endif
