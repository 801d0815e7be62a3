/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ring (include/pisces/ring.h): what goes in comes out; a hostile peer gets
 * PISCES_RING_BROKEN and nothing else; no wake-up is lost. Built with the address
 * and undefined-behaviour sanitizers, which end the test at the first bad access:
 * each ring stands alone in memory of just its size.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <pisces/ring.h>

#include "tap.h"

static struct pisces_ring *new_ring(uint32_t slots)
{
	struct pisces_ring *ring = calloc(1, pisces_ring_bytes(slots));

	if (!ring)
		abort();
	pisces_ring_init(ring, slots);
	return ring;
}

/* Different in every byte for different NUMBERs that are near each other. */
static struct pisces_message message(uint64_t number)
{
	struct pisces_message msg = {
		.type = (uint16_t)(number * 7 + 1),
		.length = (uint16_t)(number * 11 + 2),
		.number = (uint32_t)(number * 13 + 3),
		.tag = number,
	};

	for (unsigned int i = 0; i < 6; i++)
		msg.arg[i] = number * 0x9e3779b97f4a7c15ull + i;
	return msg;
}

static bool same(const struct pisces_message *a, const struct pisces_message *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* ---- two honest sides ---- */

static bool carries(uint32_t slots, uint32_t start)
{
	struct pisces_ring *ring = new_ring(slots);
	struct pisces_ring_end in, out;
	uint64_t put = 0, got = 0;
	bool good = pisces_ring_attach(&in, ring, slots) && pisces_ring_attach(&out, ring, slots);

	/* As if START messages had gone before, to see indices wrap. */
	in.index = out.index = ring->head = ring->tail = start;
	for (int round = 0; good && round < 5; round++) {
		struct pisces_message msg, expected;
		uint32_t burst = round % 2 ? slots : slots / 2 + 1;

		for (uint32_t i = 0; good && i < burst; i++) {
			msg = message(put++);
			good = pisces_ring_put(&in, &msg) == PISCES_RING_OK;
		}
		if (burst == slots) {
			msg = message(put);
			good = good && pisces_ring_put(&in, &msg) == PISCES_RING_AGAIN;
		}
		while (good && got < put) {
			expected = message(got++);
			good = !pisces_ring_empty(&out) &&
			       pisces_ring_get(&out, &msg) == PISCES_RING_OK &&
			       same(&msg, &expected);
		}
		good = good && pisces_ring_empty(&out) &&
		       pisces_ring_get(&out, &msg) == PISCES_RING_AGAIN;
	}
	free(ring);
	return good;
}

static void check_honest(void)
{
	for (uint32_t slots = 1; slots <= PISCES_RING_MAX_SLOTS; slots *= 4)
		ok(carries(slots, 0) && carries(slots, UINT32_MAX - slots / 2) &&
			   carries(slots, 1u << 31),
		   "a ring of %u slots is full at %u, empty at 0, and carries messages over the "
		   "wrap of its indices",
		   slots, slots);
}

static void check_attach(void)
{
	static const uint32_t wrong[] = {0, 3, 5, 63, 65, 4095, 4097, 8192, 1u << 31, UINT32_MAX};
	struct pisces_ring *ring = new_ring(64);
	struct pisces_ring_end end;
	bool refused = true;

	ok(pisces_ring_attach(&end, ring, 64), "a fresh ring is attached to");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		refused = refused && !pisces_ring_attach(&end, ring, wrong[i]);
		/* Also if the ring says the same. */
		ring->slots = wrong[i];
		refused = refused && !pisces_ring_attach(&end, ring, wrong[i]);
		/* Or the ring says so and the caller knows better. */
		refused = refused && !pisces_ring_attach(&end, ring, 64);
		ring->slots = 64;
	}
	ok(refused,
	   "numbers of slots that are no power of two, too many, or not what the ring has");
	ring->version = PISCES_RING_VERSION + 1;
	ok(!pisces_ring_attach(&end, ring, 64), "another version of rings");
	free(ring);
}

/* ---- a peer that writes nonsense ---- */

/* What the rules say of a peer's index that is AHEAD of ours. */
static enum pisces_ring_result verdict(uint32_t ahead, uint32_t slots, uint32_t nothing)
{
	if (ahead > slots)
		return PISCES_RING_BROKEN;
	return ahead == nothing ? PISCES_RING_AGAIN : PISCES_RING_OK;
}

/* One index that the producer of a ring may show to its consumer. */
static bool consumer_stands(struct pisces_ring *ring, uint32_t slots, uint32_t own, uint32_t ahead)
{
	struct pisces_ring_end end = {.ring = ring, .slots = slots, .index = own};
	const struct pisces_message before = message(4711);
	struct pisces_message msg = before;
	enum pisces_ring_result expected = verdict(ahead, slots, 0), result;

	ring->head = own + ahead;
	ring->tail = own;
	result = pisces_ring_get(&end, &msg);
	if (result != expected)
		return false;
	if (result == PISCES_RING_OK)
		return end.index == own + 1 && ring->tail == own + 1;
	/* Refused: nothing was read, nothing was said. */
	return end.index == own && ring->tail == own && same(&msg, &before) &&
	       pisces_ring_empty(&end) == (ahead == 0);
}

/* One index that the consumer of a ring may show to its producer. */
static bool producer_stands(struct pisces_ring *ring, uint32_t slots, uint32_t own, uint32_t behind)
{
	struct pisces_ring_end end = {.ring = ring, .slots = slots, .index = own};
	struct pisces_message msg = message(own);
	enum pisces_ring_result expected = verdict(behind, slots, slots), result;

	ring->tail = own - behind;
	ring->head = own;
	result = pisces_ring_put(&end, &msg);
	if (result != expected)
		return false;
	if (result == PISCES_RING_OK)
		return end.index == own + 1 && ring->head == own + 1 &&
		       same(&ring->slot[own & (slots - 1)], &msg);
	return end.index == own && ring->head == own;
}

static void check_hostile_indices(void)
{
	for (uint32_t slots = 1; slots <= PISCES_RING_MAX_SLOTS; slots *= 8) {
		uint32_t owns[] = {0, 1, slots - 1, slots, (1u << 31) - 1, 1u << 31, UINT32_MAX};
		struct pisces_ring *ring = new_ring(slots);
		bool good = true;

		for (size_t i = 0; i < sizeof(owns) / sizeof(owns[0]); i++) {
			/* All that are near a border, and each power of two with its neighbours. */
			for (uint32_t off = 0; good && off <= slots + 64; off++)
				good = consumer_stands(ring, slots, owns[i], off) &&
				       producer_stands(ring, slots, owns[i], off) &&
				       consumer_stands(ring, slots, owns[i], 0 - off) &&
				       producer_stands(ring, slots, owns[i], 0 - off);
			for (int bit = 0; good && bit < 32; bit++) {
				for (uint32_t near = 0; good && near < 3; near++)
					good = consumer_stands(ring, slots, owns[i],
							       (1u << bit) + near - 1) &&
					       producer_stands(ring, slots, owns[i],
							       (1u << bit) + near - 1);
			}
		}
		srandom(slots);
		for (int i = 0; good && i < 200000; i++) {
			uint32_t own = (uint32_t)random() * 2, off = (uint32_t)random() * 2 + 1;

			good = consumer_stands(ring, slots, own, off) &&
			       producer_stands(ring, slots, own, off);
		}
		ok(good,
		   "a ring of %u slots: each index of the peer is taken, waited for or refused by "
		   "the rules",
		   slots);
		free(ring);
	}
}

/* A peer that changes everything in the shared ring all the time. */
struct scribbler {
	struct pisces_ring *ring;
	uint32_t slots;
	bool stop;
	uint64_t writes;
};

static void *scribble(void *argument)
{
	struct scribbler *scribbler = argument;
	uint32_t *words = (uint32_t *)scribbler->ring;
	uint64_t count = pisces_ring_bytes(scribbler->slots) / sizeof(*words);
	uint64_t random_state = 88172645463325252ull;

	while (!__atomic_load_n(&scribbler->stop, __ATOMIC_RELAXED)) {
		random_state ^= random_state << 13;
		random_state ^= random_state >> 7;
		random_state ^= random_state << 17;
		/* Indices more often than text, and near each other more often than not. */
		if (random_state % 4 == 0)
			__atomic_store_n(&scribbler->ring->head,
					 (uint32_t)(random_state >> 40) % 256, __ATOMIC_RELAXED);
		else if (random_state % 4 == 1)
			__atomic_store_n(&scribbler->ring->tail,
					 (uint32_t)(random_state >> 40) % 256, __ATOMIC_RELAXED);
		else
			__atomic_store_n(&words[random_state / 4 % count],
					 (uint32_t)(random_state >> 32), __ATOMIC_RELAXED);
		scribbler->writes++;
	}
	return NULL;
}

static void check_scribbling(void)
{
	struct scribbler scribbler = {.slots = 64, .ring = new_ring(64)};
	struct pisces_ring_end in, out;
	uint64_t results[3] = {0}, wakes = 0, sleeps = 0;
	pthread_t thread;
	bool good;

	good = pisces_ring_attach(&in, scribbler.ring, 64) &&
	       pisces_ring_attach(&out, scribbler.ring, 64);
	good = good && pthread_create(&thread, NULL, scribble, &scribbler) == 0;
	for (int i = 0; good && i < 3000000; i++) {
		struct pisces_message msg = message((uint64_t)i);
		uint32_t in_before = in.index, out_before = out.index;
		enum pisces_ring_result put = pisces_ring_put(&in, &msg);
		enum pisces_ring_result got = pisces_ring_get(&out, &msg);

		results[put]++;
		results[got]++;
		wakes += pisces_ring_must_wake(&in);
		sleeps += pisces_ring_may_sleep(&out, (uint32_t)i);
		good = in.index - in_before == (put == PISCES_RING_OK) &&
		       out.index - out_before == (got == PISCES_RING_OK);
		/* A broken ring would stay broken: begin again where the nonsense is near. */
		if (i % 16 == 0)
			in.index = out.index = (uint32_t)i % 256;
	}
	__atomic_store_n(&scribbler.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	ok(good, "a peer that scribbles while we read and write: own indices stay our own");
	ok(results[PISCES_RING_OK] && results[PISCES_RING_AGAIN] && results[PISCES_RING_BROKEN] &&
		   wakes && sleeps,
	   "and all cases came up: %llu ok, %llu again, %llu broken, %llu wakes, %llu sleeps in "
	   "%llu scribbles",
	   (unsigned long long)results[0], (unsigned long long)results[1],
	   (unsigned long long)results[2], (unsigned long long)wakes, (unsigned long long)sleeps,
	   (unsigned long long)scribbler.writes);
	free(scribbler.ring);
}

/* ---- sleeping and waking ---- */

/*
 * The heart of it: one puts a message and looks whether to wake while the other
 * announces its sleep and looks for messages, at the same moment, again and again.
 * Never may both look in vain. Without its barriers the processor makes them do so.
 */
struct duel {
	struct pisces_ring_end producer;
	struct pisces_ring_end consumer;
	uint32_t rounds;
	uint32_t ready[2]; /* rounds that each side has come to, */
	uint32_t over[2];  /* and has been through */
	bool woke;
};

/* Waits until the other side is as far; almost at once if it runs. */
static void meet(uint32_t *own, const uint32_t *other, uint32_t round)
{
	__atomic_store_n(own, round, __ATOMIC_SEQ_CST);
	for (uint32_t spins = 0; __atomic_load_n(other, __ATOMIC_ACQUIRE) < round; spins++) {
		if (spins % 1024 == 1023)
			sched_yield();
	}
}

static void *duel_producer(void *argument)
{
	struct duel *duel = argument;

	for (uint32_t round = 1; round <= duel->rounds; round++) {
		struct pisces_message msg = message(round);

		meet(&duel->ready[0], &duel->ready[1], round);
		pisces_ring_put(&duel->producer, &msg);
		duel->woke = pisces_ring_must_wake(&duel->producer);
		meet(&duel->over[0], &duel->over[1], round);
	}
	return NULL;
}

static void check_duel(uint32_t rounds)
{
	struct pisces_ring *ring = new_ring(64);
	struct duel duel = {.rounds = rounds};
	uint32_t lost = 0, slept = 0, saw = 0;
	pthread_t thread;

	if (!pisces_ring_attach(&duel.producer, ring, 64) ||
	    !pisces_ring_attach(&duel.consumer, ring, 64) ||
	    pthread_create(&thread, NULL, duel_producer, &duel)) {
		ok(false, "two threads");
		return;
	}
	for (uint32_t round = 1; round <= rounds; round++) {
		struct pisces_message msg;
		bool sleeps;

		meet(&duel.ready[1], &duel.ready[0], round);
		sleeps = pisces_ring_may_sleep(&duel.consumer, 0);
		meet(&duel.over[1], &duel.over[0], round);
		lost += sleeps && !duel.woke;
		slept += sleeps;
		saw += !sleeps;
		pisces_ring_get(&duel.consumer, &msg);
		__atomic_store_n(&ring->sleeping, 0, __ATOMIC_SEQ_CST);
	}
	pthread_join(thread, NULL);
	free(ring);
	is_number(lost, 0,
		  "a sleep and a message at the same moment: one of the two sides sees the other");
	ok(slept && saw,
	   "in %u rounds the consumer went to sleep %u times and saw the message %u times", rounds,
	   slept, saw);
}

/* Well above what a message takes on a loaded machine; a lost wake-up takes for ever. */
#define WAKE_LIMIT_MS 60000

struct side {
	struct pisces_ring_end end;
	int bell;
};

struct link {
	struct side producer;
	struct side consumer;
	uint64_t count;
	unsigned int burst;
	uint64_t rings; /* of the bell */
	bool failed;
};

/* Sleeps until the bell rings. False if it does not. */
static bool sleep_on(int bell)
{
	struct pollfd poll_bell = {.fd = bell, .events = POLLIN};
	uint64_t rings;

	return poll(&poll_bell, 1, WAKE_LIMIT_MS) == 1 &&
	       read(bell, &rings, sizeof(rings)) == sizeof(rings);
}

static bool send(struct side *side, uint64_t number, uint64_t *rings)
{
	struct pisces_message msg = message(number);
	enum pisces_ring_result result;
	uint64_t one = 1;

	/* A full ring is not part of the protocol of waking: the producer polls. */
	while ((result = pisces_ring_put(&side->end, &msg)) == PISCES_RING_AGAIN)
		sched_yield();
	if (result != PISCES_RING_OK)
		return false;
	if (!pisces_ring_must_wake(&side->end))
		return true;
	(*rings)++;
	return write(side->bell, &one, sizeof(one)) == sizeof(one);
}

/* Gets message NUMBER, asleep until it is there. */
static bool receive(struct side *side, uint64_t number)
{
	struct pisces_message msg, expected = message(number);
	enum pisces_ring_result result;

	while ((result = pisces_ring_get(&side->end, &msg)) == PISCES_RING_AGAIN) {
		if (pisces_ring_may_sleep(&side->end, 0) && !sleep_on(side->bell))
			return false;
	}
	return result == PISCES_RING_OK && same(&msg, &expected);
}

static void *produce(void *argument)
{
	struct link *link = argument;
	uint64_t random_state = 1;

	for (uint64_t i = 0; i < link->count && !link->failed; i++) {
		/* Let the consumer run dry at odd moments. */
		random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
		if ((random_state >> 33) % link->burst == 0) {
			for (uint64_t pause = random_state >> 55; pause > 0; pause--)
				__builtin_ia32_pause();
			if (random_state >> 62 == 0)
				sched_yield();
		}
		if (!send(&link->producer, i, &link->rings))
			link->failed = true;
	}
	return NULL;
}

static bool open_link(struct link *link, uint32_t slots)
{
	struct pisces_ring *ring = new_ring(slots);
	int bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	link->producer.bell = link->consumer.bell = bell;
	return bell >= 0 && pisces_ring_attach(&link->producer.end, ring, slots) &&
	       pisces_ring_attach(&link->consumer.end, ring, slots);
}

static void close_link(struct link *link)
{
	close(link->producer.bell);
	free(link->producer.end.ring);
}

static void check_stream(uint32_t slots, uint64_t count, unsigned int burst)
{
	struct link link = {.count = count, .burst = burst};
	pthread_t thread;
	uint64_t i;

	if (!open_link(&link, slots) || pthread_create(&thread, NULL, produce, &link)) {
		ok(false, "two threads");
		return;
	}
	for (i = 0; i < count && receive(&link.consumer, i); i++)
		;
	/* If the consumer gave up, the producer must not wait for room for ever. */
	if (i < count)
		link.failed = true;
	while (i < count) {
		struct pisces_message msg;

		if (pisces_ring_get(&link.consumer.end, &msg) == PISCES_RING_AGAIN &&
		    pthread_tryjoin_np(thread, NULL) == 0)
			break;
	}
	if (i == count)
		pthread_join(thread, NULL);
	ok(i == count && !link.failed,
	   "%llu messages through %u slots, in bursts of about %u: in order, none lost, none "
	   "waited for in vain",
	   (unsigned long long)count, slots, burst);
	ok(link.rings > count / 10000, "the consumer slept and was rung %llu times",
	   (unsigned long long)link.rings);
	close_link(&link);
}

/* Each message alone, there and back: every one finds the other side on its way to sleep. */
struct echo {
	struct link there;
	struct link back;
	uint64_t count;
	bool failed;
};

static void *echo(void *argument)
{
	struct echo *pair = argument;

	for (uint64_t i = 0; i < pair->count; i++) {
		if (!receive(&pair->there.consumer, i) ||
		    !send(&pair->back.producer, i, &pair->back.rings)) {
			pair->failed = true;
			break;
		}
	}
	return NULL;
}

static void check_echo(uint64_t count)
{
	struct echo pair = {.count = count};
	pthread_t thread;
	uint64_t i;

	if (!open_link(&pair.there, 64) || !open_link(&pair.back, 64) ||
	    pthread_create(&thread, NULL, echo, &pair)) {
		ok(false, "two threads");
		return;
	}
	for (i = 0; i < count; i++) {
		if (!send(&pair.there.producer, i, &pair.there.rings) ||
		    !receive(&pair.back.consumer, i))
			break;
	}
	pthread_join(thread, NULL);
	ok(i == count && !pair.failed, "%llu messages there and back, each alone",
	   (unsigned long long)count);
	ok(pair.there.rings > count / 100 && pair.back.rings > count / 100,
	   "both sides slept: %llu and %llu rings", (unsigned long long)pair.there.rings,
	   (unsigned long long)pair.back.rings);
	close_link(&pair.there);
	close_link(&pair.back);
}

int main(void)
{
	check_honest();
	check_attach();
	check_hostile_indices();
	check_scribbling();
	check_duel(1000000);
	check_stream(64, 1000000, 4);
	check_stream(1, 50000, 2);
	check_stream(4096, 200000, 64);
	check_echo(100000);
	return done();
}
