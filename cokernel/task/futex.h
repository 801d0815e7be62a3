/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * futex(2), the operations that C libraries use. Results as there, or -errno.
 *
 * A waiter queues itself first and looks at the program's word then, without any
 * lock: a waker that changes the word before it wakes finds it in the queue, or it
 * finds the word changed.
 */
#ifndef CK_TASK_FUTEX_H
#define CK_TASK_FUTEX_H

#include "lib/types.h"

#define FUTEX_ANY UINT32_MAX /* bits of a waiter or waker that are not selective */

/*
 * So often a call tries to change a word that other threads change all the time. Then it gives
 * up with -ERESTARTNOINTR, which makes it be done again by way of user mode: there interrupts
 * come, and signals, and other threads have their turn.
 */
#define FUTEX_TRIES 128u

void futex_init(void);

/* DEADLINE: CLOCK_MONOTONIC, NSEC_FOREVER: none. -EINTR when a signal came. */
int64_t futex_wait(user_addr_t address, uint32_t expected, uint32_t bits, nsec_t deadline,
		   bool shared);
/* COUNT less than 1, as a signed number, is 1: so Linux has it. */
int64_t futex_wake(user_addr_t address, uint32_t count, uint32_t bits, bool shared);
int64_t futex_requeue(user_addr_t address, uint32_t wake, user_addr_t to, uint32_t move,
		      bool compare, uint32_t expected, bool shared);
int64_t futex_wake_op(user_addr_t address, uint32_t wake, user_addr_t address2, uint32_t wake2,
		      uint32_t operation, bool shared);

/* FUTEX_LOCK_PI and friends, without priorities, since there are none: who waits
 * longest gets the lock. Signals do not end the wait: -ERESTARTNOINTR. */
int64_t futex_lock_pi(user_addr_t address, nsec_t deadline, bool try, bool shared);
int64_t futex_unlock_pi(user_addr_t address, bool shared);

/*
 * The robust list of the running thread, which ends, alone or with its process: FUTEX_OWNER_DIED
 * and a wake for each, as long as its address space is there.
 */
void futex_thread_exit(void);

#endif
