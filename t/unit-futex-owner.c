/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Futexes with an owner, while other threads change the word, and robust lists of any shape. */
#include <string.h>
#include <unistd.h>

#include "tap.h"

#include "arch/user.h"
#include "lib/errno.h"
#include "mm/local.h"
#include "task/futex.h"
#include "task/thread.h"

#define TID 0x400007u
#define OTHER 0x400008u
#define DIED 0x40000000u
#define WAITERS 0x80000000u

/* A program's memory from 0 on; 0 itself is not there. */
static uint64_t memory[8192];
static struct thread self = { .tid = TID };
static unsigned int accesses, wakes, waits;
static int64_t wait_result;

/* Another thread is faster before each access, if it is told to. */
static void (*other)(uint32_t *word);

struct thread *thread_current(void)
{
	return &self;
}

void mm_heartbeat(void)
{
}

static uint32_t *word_at(user_addr_t at)
{
	accesses++;
	if (at == 0 || at >= sizeof(memory) || at % 4 != 0)
		return NULL;
	return (uint32_t *)memory + at / 4;
}

int copy_from_user(void *to, user_addr_t from, size_t size)
{
	accesses++;
	if (from == 0 || from >= sizeof(memory) || size > sizeof(memory) - from)
		return -EFAULT;
	memcpy(to, (uint8_t *)memory + from, size);
	return 0;
}

int user_load_u32(user_addr_t from, uint32_t *value)
{
	const uint32_t *word = word_at(from);

	if (!word)
		return -EFAULT;
	*value = *word;
	return 0;
}

int user_cmpxchg_u32(user_addr_t at, uint32_t expected, uint32_t desired, uint32_t *found)
{
	uint32_t *word = word_at(at);

	if (!word)
		return -EFAULT;
	if (other)
		other(word);
	*found = *word;
	if (*word == expected)
		*word = desired;
	return 0;
}

int64_t futex_wait(user_addr_t address, uint32_t expected, uint32_t bits, nsec_t deadline,
		   bool shared)
{
	uint32_t *word = word_at(address);

	(void)bits, (void)deadline, (void)shared;
	waits++;
	return word && *word != expected ? -EAGAIN : wait_result;
}

int64_t futex_wake(user_addr_t address, uint32_t count, uint32_t bits, bool shared)
{
	(void)address, (void)count, (void)bits;
	wakes += shared;
	return 0;
}

#define WORD ((uint32_t *)memory)[16]
#define AT 64u

static int64_t lock(uint32_t value)
{
	WORD = value;
	accesses = waits = 0;
	return futex_lock_pi(AT, NSEC_FOREVER, false, false);
}

static void counts_up(uint32_t *word)
{
	*word = OTHER + (*word + 1) % 1000;
}

static void counts_up_ours(uint32_t *word)
{
	*word = TID | (*word ^ WAITERS);
}

static void test_locks(void)
{
	int64_t result;

	ok(lock(0) == 0 && WORD == TID, "a free lock is taken");
	ok(lock(DIED | WAITERS) == 0 && WORD == (TID | DIED | WAITERS), "one of a dead owner, too");
	ok(lock(TID) == -EDEADLK, "one's own is not");
	wait_result = -EINTR;
	ok(lock(OTHER) == -ERESTARTNOINTR && WORD == (OTHER | WAITERS) && waits == 1,
	   "a signal makes the call be done again, never fail");
	wait_result = -ETIMEDOUT;
	ok(lock(OTHER) == -ETIMEDOUT, "its time is over");
	other = counts_up;
	result = lock(OTHER);
	ok(result == -ERESTARTNOINTR && accesses < 1000,
	   "a word that always changes: given up after %u looks", accesses);
	ok(futex_lock_pi(AT, NSEC_FOREVER, true, false) == -EAGAIN, "a try is one look");
	WORD = 0;
	ok(futex_lock_pi(AT, NSEC_FOREVER, true, false) == -EAGAIN, "which another may win");
	other = counts_up_ours;
	WORD = TID;
	accesses = 0;
	result = futex_unlock_pi(AT, false);
	ok(result == -ERESTARTNOINTR && accesses < 1000,
	   "unlocked while it changes: given up after %u looks", accesses);
	other = NULL;
	WORD = TID | WAITERS;
	ok(futex_unlock_pi(AT, false) == 0 && WORD == 0, "unlocked, and nobody waits");
	ok(futex_unlock_pi(AT, false) == -EPERM, "what is not owned is not unlocked");
	ok(lock(0) == 0 && futex_lock_pi(0, NSEC_FOREVER, false, false) == -EFAULT, "no memory");
}

/* ---- robust lists: entries are two words, {next, lock}, from ENTRIES on ---- */

#define HEAD 256u
#define ENTRIES 512u

static void entry(unsigned int i, uint64_t next, uint32_t value)
{
	memory[ENTRIES / 8 + 2 * i] = next;
	memory[ENTRIES / 8 + 2 * i + 1] = value;
}

static uint64_t place(unsigned int i)
{
	return ENTRIES + 16 * i;
}

static uint32_t value_of(unsigned int i)
{
	return (uint32_t)memory[ENTRIES / 8 + 2 * i + 1];
}

static void ends(uint64_t first, uint64_t pending)
{
	memory[HEAD / 8] = first;
	memory[HEAD / 8 + 1] = 8;
	memory[HEAD / 8 + 2] = pending;
	self.robust_list = HEAD;
	accesses = wakes = 0;
	futex_thread_exit();
}

static void test_lists(void)
{
	unsigned int i, dead;

	entry(0, place(1), TID);
	entry(1, place(2) | 1, TID | WAITERS);
	entry(2, HEAD, OTHER);
	ends(place(0), 0);
	ok(value_of(0) == DIED && value_of(1) == (DIED | WAITERS) && value_of(2) == OTHER,
	   "its own locks are given up");
	ok(wakes == 1 && self.robust_list == 0, "who waits for one is woken");
	entry(3, HEAD, 0);
	ends(HEAD, place(3));
	ok(wakes == 1 && value_of(3) == 0, "and who waits for one that it had just given up");
	entry(3, HEAD, TID);
	ends(place(3), place(3));
	ok(value_of(3) == DIED, "one that it was about to add");

	entry(0, place(0), OTHER);
	ends(place(0), 0);
	ok(accesses < 10000, "a ring without the head ends: %u looks", accesses);
	for (i = 0; i < 3000; i++)
		entry(i, place(i + 1), TID);
	ends(place(0), 0);
	for (i = dead = 0; i < 3000; i++)
		dead += value_of(i) == DIED;
	ok(dead == 2048, "of a long one as many as on Linux");
	other = counts_up_ours;
	for (i = 0; i < 2048; i++)
		entry(i, place(i + 1), TID);
	ends(place(0), 0);
	ok(accesses <= 1 + 2048 * (2 + FUTEX_TRIES), "all of it changes all the time: %u looks",
	   accesses);
	other = NULL;
	ends(1ull << 40, 8);
	ok(wakes == 0, "a list that is nowhere");
	self.robust_list = 1ull << 40;
	futex_thread_exit();
	ok(wakes == 0 && self.robust_list == 0, "and a head that is");
}

int main(void)
{
	/* What does not end has failed. */
	alarm(60);
	test_locks();
	test_lists();
	return done();
}
