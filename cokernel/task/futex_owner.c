/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Futexes whose word says who owns them: robust lists and the PI operations. */
#include "arch/cpu.h"
#include "arch/user.h"
#include "lib/errno.h"
#include "mm/local.h"
#include "task/futex.h"
#include "task/thread.h"

#define OWNER_TID 0x3fffffffu
#define OWNER_DIED 0x40000000u
#define HAS_WAITERS 0x80000000u

/* A list longer than this is a broken one. */
#define ROBUST_MOST 2048u

/* struct robust_list_head */
struct robust_head {
	user_addr_t first;
	int64_t offset; /* from an entry to its word */
	user_addr_t pending;
};

static void wake_waiter(user_addr_t address)
{
	futex_wake(address, 1, FUTEX_ANY, true);
	futex_wake(address, 1, FUTEX_ANY, false);
}

/*
 * The owner of the word at ADDRESS ends: says so in it, and wakes one who waits for it.
 * PENDING: it was about to take the lock, or to give it up.
 */
static void owner_died(user_addr_t address, bool pi, bool pending)
{
	tid_t tid = thread_current()->tid;
	uint32_t value, found, tries;

	if (address % 4 != 0 || user_load_u32(address, &value) != 0)
		return;
	/* It had given it up but did not come to wake anyone, or was woken and did not take it. */
	if (pending && !pi && value == 0) {
		wake_waiter(address);
		return;
	}
	/* Whoever changes the word all the time does not use it as a lock. */
	for (tries = 0;; tries++) {
		if ((value & OWNER_TID) != tid || tries == FUTEX_TRIES)
			return;
		if (user_cmpxchg_u32(address, value, (value & HAS_WAITERS) | OWNER_DIED, &found))
			return;
		if (found == value)
			break;
		value = found;
	}
	if ((value & HAS_WAITERS) || pi)
		wake_waiter(address);
}

void futex_thread_exit(void)
{
	struct thread *self = thread_current();
	user_addr_t head_at = self->robust_list, entry, next;
	struct robust_head head;
	unsigned int count;

	self->robust_list = 0;
	if (!head_at || copy_from_user(&head, head_at, sizeof(head)) != 0)
		return;
	/* Bit 0 of an entry's address: a PI mutex. */
	entry = head.first;
	for (count = 0; count < ROBUST_MOST && (entry & ~1ull) != head_at; count++) {
		mm_turn(count);
		/* The next one first: who gets the lock may free the entry. */
		if (copy_from_user(&next, entry & ~1ull, sizeof(next)) != 0)
			return;
		if ((entry & ~1ull) != (head.pending & ~1ull))
			owner_died((entry & ~1ull) + (uint64_t)head.offset, entry & 1, false);
		entry = next;
	}
	if (head.pending)
		owner_died((head.pending & ~1ull) + (uint64_t)head.offset, head.pending & 1, true);
}

/*
 * One try to own the word. 1: owned; 0: *VALUE is another's word, marked as waited for (with
 * MARK); -EAGAIN: it has changed meanwhile.
 */
static int try_own(user_addr_t address, bool mark, uint32_t *value)
{
	tid_t tid = thread_current()->tid;
	uint32_t old, new, found;
	int error = user_load_u32(address, &old);

	if (error)
		return error;
	if ((old & OWNER_TID) == tid)
		return -EDEADLK;
	if ((old & OWNER_TID) == 0)
		/* Others may still wait: the mark stays, and an unlock comes by here. */
		new = tid | (old & (HAS_WAITERS | OWNER_DIED));
	else if (mark)
		new = old | HAS_WAITERS;
	else
		return 0;
	error = user_cmpxchg_u32(address, old, new, &found);
	if (error)
		return error;
	*value = new;
	return found != old ? -EAGAIN : (new & OWNER_TID) == tid;
}

int64_t futex_lock_pi(user_addr_t address, nsec_t deadline, bool try, bool shared)
{
	uint32_t value, tries;
	int64_t result;

	for (tries = 0; tries < FUTEX_TRIES; tries++) {
		result = try_own(address, !try, &value);
		if (result == -EAGAIN)
			continue;
		if (result != 0)
			return result < 0 ? result : 0;
		if (try)
			return -EAGAIN;
		result = futex_wait(address, value, FUTEX_ANY, deadline, shared);
		if (result == -EINTR)
			break;
		if (result < 0 && result != -EAGAIN)
			return result;
	}
	return -ERESTARTNOINTR;
}

int64_t futex_unlock_pi(user_addr_t address, bool shared)
{
	uint32_t old, found, tries;
	int error = user_load_u32(address, &old);
	int64_t woken;

	for (tries = 0;; tries++) {
		if (error)
			return error;
		if ((old & OWNER_TID) != thread_current()->tid)
			return -EPERM;
		if (tries == FUTEX_TRIES)
			return -ERESTARTNOINTR;
		/* Nobody owns it, but it is no plain zero: no one can take it without coming
		 * here, so that the waiters behind the one that is woken are not forgotten. */
		error = user_cmpxchg_u32(address, old, HAS_WAITERS, &found);
		if (!error && found == old)
			break;
		old = found;
	}
	woken = futex_wake(address, 1, FUTEX_ANY, shared);
	if (woken != 0)
		return woken < 0 ? woken : 0;
	/* Nobody waited; if one queues now, it has seen a word that has changed by this. */
	error = user_cmpxchg_u32(address, HAS_WAITERS, 0, &found);
	return error;
}
