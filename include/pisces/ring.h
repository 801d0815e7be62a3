/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ring: the one way that messages cross between Linux and an enclave.
 *
 * Fixed-size slots, one producer, one consumer. A side that has several threads
 * takes its own lock first. The peer is not trusted: it may write anything, at
 * any time, everywhere in the shared ring. Therefore
 *   - each side keeps its own index privately (struct pisces_ring_end) and only
 *     publishes it; it never reads its own index back from shared memory;
 *   - the peer's index is checked before use, and a slot is reached by a masked
 *     index, so no value that a peer can write leads outside the ring;
 *   - a message is copied out before it is looked at, so it cannot change
 *     between check and use.
 * A peer that breaks these rules gets PISCES_RING_BROKEN and nothing else.
 *
 * Waking: a consumer that wants to sleep announces it, looks once more, then
 * sleeps; a producer that has published looks at the announcement, takes it
 * back and rings. The two full barriers make sure that at least one of the two
 * sees the other (Dekker's argument), so no wake-up is lost.
 *
 * Who is rung must announce again if anybody still sleeps, also if there is no message.
 * For a producer may be slow: before it looks at the announcement its message can have
 * been found without it, by another thread of the consumer, and a sleep announced anew.
 * It takes that one back, and rings for nothing; but for the next message nobody would be
 * rung then.
 *
 * Looking awake: before it sleeps, a consumer may look at the ring for a while. It
 * announces nothing meanwhile and is not rung, which saves both sides most of what a
 * message costs. It promises nothing either: when it has looked long enough it goes
 * to sleep as always, announcement first, and its last look is the one behind that.
 * So the argument above is about that look alone, and how long the consumer looked
 * before it, or that it stopped in the very moment that a message came, is no matter.
 * An announcement of an earlier sleep may be taken back while it looks; a producer
 * that has read it already rings in vain, or finds it gone and does not: the consumer
 * still has its last look before it.
 */
#ifndef PISCES_RING_H
#define PISCES_RING_H

#include <pisces/message.h>
#include <pisces/types.h>

#define PISCES_RING_VERSION 1u

/* Slots of a ring: a power of two, at most this. */
#define PISCES_RING_MAX_SLOTS 4096u

enum pisces_ring_result {
	PISCES_RING_OK = 0,
	PISCES_RING_AGAIN = 1,	/* empty for a consumer, full for a producer */
	PISCES_RING_BROKEN = 2, /* the peer wrote an impossible index */
};

/* In shared memory. Each side writes a cache line of its own. */
struct pisces_ring {
	uint32_t version; /* set once, by the module */
	uint32_t slots;
	uint32_t unused0[14];

	uint32_t head; /* slots ever produced; written by the producer */
	uint32_t unused1[15];

	uint32_t tail;	   /* slots ever consumed; written by the consumer */
	uint32_t sleeping; /* 1: the consumer asks to be rung; the producer clears it */
	uint32_t bell_cpu; /* index of the enclave's CPU to ring, if the consumer is there */
	uint32_t unused2[13];

	struct pisces_message slot[];
};
PISCES_ASSERT_SIZE(struct pisces_ring, 192);

/* One side's private view of a ring. */
struct pisces_ring_end {
	struct pisces_ring *ring;
	uint32_t slots;
	uint32_t index; /* own head or own tail */
};

static inline uint64_t pisces_ring_bytes(uint32_t slots)
{
	return sizeof(struct pisces_ring) + (uint64_t)slots * sizeof(struct pisces_message);
}

/* Makes a fresh ring in zeroed memory of pisces_ring_bytes(slots) bytes. */
static inline void pisces_ring_init(struct pisces_ring *ring, uint32_t slots)
{
	ring->version = PISCES_RING_VERSION;
	ring->slots = slots;
	ring->head = 0;
	ring->tail = 0;
	ring->sleeping = 0;
	ring->bell_cpu = 0;
}

/*
 * Makes END a side of a fresh RING that has SLOTS slots (a power of two that
 * the caller knows from its own side of the contract, not from the ring).
 * False if the ring does not look like that.
 */
static inline bool pisces_ring_attach(struct pisces_ring_end *end, struct pisces_ring *ring,
				      uint32_t slots)
{
	if (slots == 0 || slots > PISCES_RING_MAX_SLOTS || (slots & (slots - 1)) != 0)
		return false;
	if (__atomic_load_n(&ring->version, __ATOMIC_ACQUIRE) != PISCES_RING_VERSION ||
	    __atomic_load_n(&ring->slots, __ATOMIC_RELAXED) != slots)
		return false;
	end->ring = ring;
	end->slots = slots;
	end->index = 0;
	return true;
}

/* Copies *MSG into the ring and publishes it. */
static inline enum pisces_ring_result pisces_ring_put(struct pisces_ring_end *end,
						      const struct pisces_message *msg)
{
	uint32_t used = end->index - __atomic_load_n(&end->ring->tail, __ATOMIC_ACQUIRE);

	if (used > end->slots)
		return PISCES_RING_BROKEN;
	if (used == end->slots)
		return PISCES_RING_AGAIN;
	end->ring->slot[end->index & (end->slots - 1)] = *msg;
	end->index++;
	__atomic_store_n(&end->ring->head, end->index, __ATOMIC_RELEASE);
	return PISCES_RING_OK;
}

/* Copies the oldest message to *MSG and gives its slot back. */
static inline enum pisces_ring_result pisces_ring_get(struct pisces_ring_end *end,
						      struct pisces_message *msg)
{
	uint32_t ready = __atomic_load_n(&end->ring->head, __ATOMIC_ACQUIRE) - end->index;

	if (ready > end->slots)
		return PISCES_RING_BROKEN;
	if (ready == 0)
		return PISCES_RING_AGAIN;
	*msg = end->ring->slot[end->index & (end->slots - 1)];
	end->index++;
	__atomic_store_n(&end->ring->tail, end->index, __ATOMIC_RELEASE);
	return PISCES_RING_OK;
}

/* For the consumer: is there nothing to get? A broken ring is not empty. */
static inline bool pisces_ring_empty(const struct pisces_ring_end *end)
{
	return __atomic_load_n(&end->ring->head, __ATOMIC_ACQUIRE) == end->index;
}

/*
 * For the consumer: asks to be rung, on the enclave's CPU BELL_CPU if the
 * consumer is an enclave. True: the ring is still empty, go to sleep. False:
 * something came in between, get it.
 */
static inline bool pisces_ring_may_sleep(struct pisces_ring_end *end, uint32_t bell_cpu)
{
	__atomic_store_n(&end->ring->bell_cpu, bell_cpu, __ATOMIC_RELAXED);
	__atomic_store_n(&end->ring->sleeping, 1u, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return pisces_ring_empty(end);
}

/*
 * For the consumer: it is awake and looks by itself, so it need not be rung any more. It
 * must not sleep after this but by pisces_ring_may_sleep(). Where several threads sleep
 * on one ring, for one that is the last awake only: the others wait for the bell.
 */
static inline void pisces_ring_stay_awake(struct pisces_ring_end *end)
{
	__atomic_store_n(&end->ring->sleeping, 0u, __ATOMIC_RELAXED);
}

/* For the consumer, behind an announcement: does it stand? Else the bell is on its way. */
static inline bool pisces_ring_is_announced(const struct pisces_ring_end *end)
{
	return __atomic_load_n(&end->ring->sleeping, __ATOMIC_RELAXED) != 0;
}

/*
 * For the producer, after pisces_ring_put(): must the consumer be rung? Takes
 * the announcement back, so that one sleep is rung once.
 */
static inline bool pisces_ring_must_wake(struct pisces_ring_end *end)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&end->ring->sleeping, __ATOMIC_RELAXED) == 0)
		return false;
	return __atomic_exchange_n(&end->ring->sleeping, 0u, __ATOMIC_SEQ_CST) != 0;
}

#endif
