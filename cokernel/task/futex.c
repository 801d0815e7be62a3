/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "task/futex.h"

#include "arch/cpu.h"
#include "arch/user.h"
#include "lib/errno.h"
#include "mm/aspace.h"
#include "task/process.h"
#include "task/sched.h"
#include "task/thread.h"
#include "task/wait.h"

#define BUCKETS 256u
static struct wait_queue buckets[BUCKETS];

/* Which word: an address of one process, or a place in memory that processes share. */
struct key {
	uint64_t word;
	uint64_t object; /* 0: of the process */
	const struct process *process;
};

void futex_init(void)
{
	unsigned int i;

	for (i = 0; i < BUCKETS; i++)
		wait_queue_init(&buckets[i]);
}

static int make_key(user_addr_t address, bool shared, struct key *key)
{
	if (address % 4 != 0)
		return -EINVAL;
	if (address >= USER_END)
		return -EFAULT;
	key->word = address;
	key->object = 0;
	key->process = process_current();
	return shared ? aspace_identify(process_current()->aspace, address, &key->object, &key->word) :
			0;
}

static struct wait_queue *bucket_of(const struct key *key)
{
	uint64_t hash = key->word ^ (key->object ? key->object << 32 : (uint64_t)key->process);

	hash *= 0x9e3779b97f4a7c15ull; /* 2^64 / golden ratio: spreads neighbours */
	return &buckets[hash >> 56];
}
_Static_assert(BUCKETS == 256, "eight bits of the hash");

static bool matches(const struct thread *waiter, const struct key *key, uint32_t bits)
{
	return waiter->wait_key == key->word && waiter->wait_object == key->object &&
	       (key->object || waiter->process == key->process) && (waiter->wait_bits & bits);
}

/* Wakes up to COUNT waiters of KEY; its bucket's lock is held. */
static uint32_t wake_matching(struct wait_queue *bucket, const struct key *key, uint32_t count,
			      uint32_t bits)
{
	struct list *pos, *next;
	struct thread *waiter;
	uint32_t woken = 0;

	LIST_FOR_EACH_SAFE(pos, next, &bucket->waiters) {
		if (woken == count)
			break;
		waiter = LIST_ENTRY(pos, struct thread, wait_link);
		if (!matches(waiter, key, bits))
			continue;
		wake_thread(bucket, waiter, 0);
		woken++;
	}
	return woken;
}

/* Two buckets at once, always in the order of their addresses. */
static void lock_two(struct wait_queue *a, struct wait_queue *b)
{
	if (a == b) {
		lock_take(&a->lock);
		return;
	}
	lock_take(a < b ? &a->lock : &b->lock);
	lock_take(a < b ? &b->lock : &a->lock);
}

static void drop_two(struct wait_queue *a, struct wait_queue *b)
{
	lock_drop(&a->lock);
	if (a != b)
		lock_drop(&b->lock);
}

int64_t futex_wait(user_addr_t address, uint32_t expected, uint32_t bits, nsec_t deadline,
		   bool shared)
{
	struct thread *self = thread_current();
	struct wait_queue *bucket;
	struct key key;
	uint32_t value;
	int error, result;

	if (bits == 0)
		return -EINVAL;
	error = make_key(address, shared, &key);
	if (error)
		return error;

	bucket = bucket_of(&key);
	self->wait_key = key.word;
	self->wait_object = key.object;
	self->wait_bits = bits;
	lock_take(&bucket->lock);
	wait_begin(bucket, WAIT_INTERRUPTIBLE);
	lock_drop(&bucket->lock);

	/* The lock's atomic operations order the queueing before this load. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	error = user_load_u32(address, &value);
	if (!error && value != expected)
		error = -EAGAIN;
	if (!error)
		wait_sleep(deadline);
	result = wait_finish();
	/* A wake that has chosen us counts, whatever else happened meanwhile. */
	if (result == 0)
		return 0;
	return error ? error : result;
}

int64_t futex_wake(user_addr_t address, uint32_t count, uint32_t bits, bool shared)
{
	struct wait_queue *bucket;
	struct key key;
	uint32_t woken;
	int error;

	if (bits == 0)
		return -EINVAL;
	error = make_key(address, shared, &key);
	if (error)
		return error;
	bucket = bucket_of(&key);
	lock_take(&bucket->lock);
	woken = wake_matching(bucket, &key, (int32_t)count < 1 ? 1 : count, bits);
	lock_drop(&bucket->lock);
	return woken;
}

int64_t futex_requeue(user_addr_t address, uint32_t wake, user_addr_t to, uint32_t move,
		      bool compare, uint32_t expected, bool shared)
{
	struct wait_queue *from_bucket, *to_bucket;
	struct key from_key, to_key;
	struct list *pos, *next;
	struct thread *waiter;
	uint32_t value, woken, moved = 0;
	int error;

	if ((int32_t)wake < 0 || (int32_t)move < 0)
		return -EINVAL;
	error = make_key(address, shared, &from_key);
	if (!error)
		error = make_key(to, shared, &to_key);
	/* A page that is missing comes here, rather than with the locks held. */
	if (!error && compare)
		error = user_load_u32(address, &value);
	if (error)
		return error;

	from_bucket = bucket_of(&from_key);
	to_bucket = bucket_of(&to_key);
	lock_two(from_bucket, to_bucket);
	/* With them, so that nobody is moved who has queued for another value meanwhile. */
	if (compare)
		error = user_load_u32(address, &value);
	if (!error && compare && value != expected)
		error = -EAGAIN;
	if (error) {
		drop_two(from_bucket, to_bucket);
		return error;
	}
	woken = wake_matching(from_bucket, &from_key, wake, FUTEX_ANY);
	LIST_FOR_EACH_SAFE(pos, next, &from_bucket->waiters) {
		if (moved == move)
			break;
		waiter = LIST_ENTRY(pos, struct thread, wait_link);
		if (!matches(waiter, &from_key, FUTEX_ANY))
			continue;
		waiter->wait_key = to_key.word;
		waiter->wait_object = to_key.object;
		/* In one bucket a waiter that moved must not be met again. */
		if (from_bucket != to_bucket)
			wait_move(waiter, to_bucket);
		moved++;
	}
	drop_two(from_bucket, to_bucket);
	return woken + moved;
}

/* Does OPERATION, as FUTEX_OP() packs it, to the word at ADDRESS; *HOLDS: its comparison. */
static int operate(user_addr_t address, uint32_t operation, bool *holds)
{
	uint32_t op = operation >> 28 & 7, compare = operation >> 24 & 15;
	/* Two signed numbers of 12 bits. */
	int32_t op_arg = (int32_t)(operation << 8) >> 20;
	int32_t compare_arg = (int32_t)(operation << 20) >> 20;
	uint32_t arg = operation >> 31 ? 1u << (op_arg & 31) : (uint32_t)op_arg;
	uint32_t old, new, found, tries;
	int error = user_load_u32(address, &old);

	for (tries = 0;; tries++) {
		if (error)
			return error;
		if (tries == FUTEX_TRIES)
			return -ERESTARTNOINTR;
		switch (op) {
		case 0:
			new = arg;
			break;
		case 1:
			new = old + arg;
			break;
		case 2:
			new = old | arg;
			break;
		case 3:
			new = old & ~arg;
			break;
		case 4:
			new = old ^ arg;
			break;
		default:
			return -ENOSYS;
		}
		error = user_cmpxchg_u32(address, old, new, &found);
		if (!error && found == old)
			break;
		old = found;
	}
	switch (compare) {
	case 0:
		*holds = (int32_t)old == compare_arg;
		return 0;
	case 1:
		*holds = (int32_t)old != compare_arg;
		return 0;
	case 2:
		*holds = (int32_t)old < compare_arg;
		return 0;
	case 3:
		*holds = (int32_t)old <= compare_arg;
		return 0;
	case 4:
		*holds = (int32_t)old > compare_arg;
		return 0;
	case 5:
		*holds = (int32_t)old >= compare_arg;
		return 0;
	default:
		return -ENOSYS;
	}
}

int64_t futex_wake_op(user_addr_t address, uint32_t wake, user_addr_t address2, uint32_t wake2,
		      uint32_t operation, bool shared)
{
	int64_t woken, more;
	bool holds;
	int error = operate(address2, operation, &holds);

	if (error)
		return error;
	woken = futex_wake(address, wake, FUTEX_ANY, shared);
	if (woken < 0 || !holds)
		return woken;
	more = futex_wake(address2, wake2, FUTEX_ANY, shared);
	return more < 0 ? more : woken + more;
}
