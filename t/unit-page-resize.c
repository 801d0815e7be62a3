/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that comes to the allocator of pages and leaves it while it is in use. What has
 * left cannot be touched: its pages are not accessible, as those of Linux are not.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "unit-mm.h"

#include "mm/direct.h"
#include "mm/page.h"
#include "mm/page_remove.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define MEMORY (4 * GIB)
#define UNIT (2 * MIB)
#define UNITS (MEMORY / UNIT)
#define RUNS_MOST 64u

/* What Linux gave: by unit, the number of the range from 1, its node and its granule. */
static uint16_t owner[UNITS];
static uint8_t node_of[UNITS], shift_of[UNITS];
static uint16_t last_owner;

static void access_memory(phys_addr_t base, uint64_t size, int protection)
{
	if (mprotect(phys_to_virt(base), size, protection) != 0)
		bail_out("mprotect of %llx", (unsigned long long)base);
	/* What comes back has anything in it. */
	if (protection != PROT_NONE)
		memset(phys_to_virt(base), 0x5a, PAGE_SIZE);
	else
		madvise(phys_to_virt(base), size, MADV_DONTNEED);
}

static void add(phys_addr_t base, uint64_t size, node_id_t node, unsigned int shift)
{
	access_memory(base, size, PROT_READ | PROT_WRITE);
	last_owner++;
	for (uint64_t unit = base / UNIT; unit < (base + size) / UNIT; unit++) {
		owner[unit] = last_owner;
		node_of[unit] = (uint8_t)node;
		shift_of[unit] = (uint8_t)shift;
	}
	page_add_range(base, size, node, shift);
}

/* Is RUN something that can go? Takes it away, from the model too. */
static bool take_run(const struct page_run *run, node_id_t node)
{
	uint64_t first = run->base / UNIT, end = first + run->size / UNIT;
	uint16_t number = owner[first % UNITS];
	bool good = (run->base | run->size) % UNIT == 0 && run->size != 0 && end <= UNITS;

	for (uint64_t unit = first; good && unit < end; unit++) {
		good &= number != 0 && owner[unit] == number && node_of[unit] == node;
		good &= (run->base | run->size) % (1ull << shift_of[unit]) == 0;
		owner[unit] = 0;
	}
	if (good)
		access_memory(run->base, run->size, PROT_NONE);
	return good;
}

/* page_remove(), checked. Returns what it said. */
static uint64_t remove_memory(uint64_t bytes, node_id_t node, bool *good)
{
	uint64_t free_before = page_node_free_bytes(node), total = page_node_total_bytes(node);
	struct page_run runs[RUNS_MOST];
	unsigned int count = RUNS_MOST;
	uint64_t got = page_remove(bytes, node, runs, &count), sum = 0;

	for (unsigned int i = 0; i < count; i++) {
		*good &= take_run(&runs[i], node);
		sum += runs[i].size;
	}
	*good &= sum == (got == bytes ? bytes : 0) && got <= bytes;
	if (got != bytes)
		*good &= page_node_free_bytes(node) == free_before &&
			 page_node_total_bytes(node) == total;
	return got;
}

static uint64_t owned_bytes(void)
{
	uint64_t sum = 0;

	for (uint64_t unit = 0; unit < UNITS; unit++)
		sum += owner[unit] != 0 ? UNIT : 0;
	return sum;
}

static void test_whole(void)
{
	uint64_t total;
	phys_addr_t page;
	bool good = true;

	add(0, 64 * MIB, 0, 21);
	total = page_total();
	add(256 * MIB, 256 * MIB, 0, 27);
	ok(remove_memory(256 * MIB, 0, &good) == 256 * MIB && good && page_total() == total,
	   "a range that was added can go as a whole, with its bookkeeping");
	ok(remove_memory(64 * MIB, 0, &good) == 64 * MIB && good && page_total() == 0,
	   "and so can the last one");
	ok(PANICS(page_order(0)), "then there is no page at all");

	add(256 * MIB, 256 * MIB, 0, 27);
	page = page_alloc(0, 0, 0);
	ok(remove_memory(256 * MIB, 0, &good) == 128 * MIB && good,
	   "one page is in use: half of the range could go, and nothing has changed");
	ok(remove_memory(64 * MIB, 0, &good) == 0 && good,
	   "less than a granule cannot go");
	ok(remove_memory(128 * MIB, 0, &good) == 128 * MIB && good, "that half goes");
	ok(remove_memory(128 * MIB, 0, &good) == 0 && good, "and no more");
	page_free(page, 0);
	ok(remove_memory(128 * MIB, 0, &good) == 128 * MIB && good && page_total() == 0,
	   "until the page is given back");
}

static void test_order(void)
{
	bool good = true;

	add(0, 64 * MIB, 1, 21);
	add(512 * MIB, 32 * MIB, 1, 21);
	ok(remove_memory(34 * MIB, 1, &good) == 34 * MIB && good && owner[256] == 0 && owner[271] == 0,
	   "what was added last goes first, whole");
	ok(page_node_free_bytes(1) == page_node_total_bytes(1), "all of the rest is free");
	add(512 * MIB, 32 * MIB, 1, 21);
	ok(PANICS(page_add_range(540 * MIB, 32 * MIB, 1, 21)), "but no memory comes twice: panic");
	ok(!page_can_add(540 * MIB, 32 * MIB, 1) && page_can_add(544 * MIB, 32 * MIB, 1),
	   "which can be asked before");
	ok(remove_memory(94 * MIB, 1, &good) == 94 * MIB && good && page_total() == 0,
	   "all of it can go, in one request");
}

struct held {
	phys_addr_t block;
	unsigned int order;
	uint64_t tag;
};

static uint64_t *word_at(phys_addr_t address)
{
	return phys_to_virt(address);
}

static void tag(struct held *held, uint64_t value)
{
	held->tag = value;
	*word_at(held->block) = value;
	*word_at(held->block + (PAGE_SIZE << held->order) - 8) = ~value;
}

static bool is_tagged(const struct held *held)
{
	return *word_at(held->block) == held->tag &&
	       *word_at(held->block + (PAGE_SIZE << held->order) - 8) == ~held->tag;
}

static bool is_owned(const struct held *held)
{
	uint64_t end = held->block + (PAGE_SIZE << held->order);

	for (phys_addr_t at = align_down(held->block, UNIT); at < end; at += UNIT) {
		if (owner[at / UNIT] == 0 || owner[at / UNIT] != owner[held->block / UNIT])
			return false;
	}
	return true;
}

static bool nothing_there(phys_addr_t base, uint64_t size)
{
	for (uint64_t unit = base / UNIT; unit < (base + size) / UNIT; unit++) {
		if (owner[unit] != 0)
			return false;
	}
	return true;
}

static void add_some(struct random *random, unsigned int *added)
{
	node_id_t node = (node_id_t)random_below(random, 2);
	unsigned int shift = random_below(random, 3) == 0 ? 27 : 21;
	uint64_t granule = 1ull << shift;
	uint64_t size = granule * (1 + random_below(random, shift == 27 ? 3 : 40));
	phys_addr_t base = random_below(random, (MEMORY - size) / granule) * granule;

	if (owned_bytes() > 2 * GIB || !nothing_there(base, size))
		return;
	add(base, size, node, shift);
	(*added)++;
}

/*
 * Anything at any time. What was refused is asked for again, as much as could be had: that
 * must go. In the end all goes.
 */
static void test_random(void)
{
	static struct held held[20000];
	struct random random = { 7 };
	unsigned int count = 0, added = 0, removed = 0, refused = 0, wrong = 0, dirty = 0;
	bool good = true;

	for (unsigned int i = 0; i < 60000; i++) {
		uint64_t dice = random_below(&random, 1000);
		bool filling = i / 6000 % 2 == 0;

		if (dice < 12) {
			add_some(&random, &added);
		} else if (dice < 16) {
			node_id_t node = (node_id_t)random_below(&random, 2);
			uint64_t bytes = UNIT * (1 + random_below(&random, 40));
			uint64_t got = remove_memory(bytes, node, &good);

			if (got == bytes) {
				removed++;
			} else {
				refused++;
				good &= got == 0 || remove_memory(got, node, &good) == got;
				removed += got != 0;
			}
		} else if (count < 20000 && random_below(&random, 100) < (filling ? 60 : 35)) {
			struct held *h = &held[count];

			h->order = (unsigned int)random_below(&random, dice < 30 ? 11 : 4);
			h->block = page_alloc(h->order, (node_id_t)random_below(&random, 2), 0);
			if (h->block == PAGE_NONE)
				continue;
			wrong += !is_owned(h);
			tag(h, random_next(&random));
			count++;
		} else if (count > 0) {
			uint64_t victim = random_below(&random, count);

			dirty += !is_tagged(&held[victim]);
			page_free(held[victim].block, held[victim].order);
			held[victim] = held[--count];
		}
	}
	ok(wrong == 0 && dirty == 0, "60,000 random requests: only memory that is there is used");
	ok(good && added > 20 && removed > 20 && refused > 5,
	   "%u ranges came, %u times memory went, %u times there was too little", added, removed,
	   refused);
	while (count > 0) {
		count--;
		page_free(held[count].block, held[count].order);
	}
	ok(page_free_bytes() == page_total(), "nothing is lost");
	for (node_id_t node = 0; node < 2; node++) {
		uint64_t got;

		/* Runs are limited, so it may take more than one request. */
		while ((got = remove_memory(MEMORY, node, &good)) != 0 && good)
			good &= remove_memory(got, node, &good) == got;
	}
	ok(good && page_total() == 0 && owned_bytes() == 0, "and in the end all of it can go");
}

#define THREADS 3
static bool over;

static void *work(void *argument)
{
	struct random random = { (uint64_t)argument + 5 };
	struct held held[100];
	unsigned int count = 0;
	uint64_t bad = 0;

	while (!__atomic_load_n(&over, __ATOMIC_RELAXED) || count > 0) {
		if (!over && count < 100 && random_below(&random, 2) == 0) {
			struct held *h = &held[count];

			h->order = (unsigned int)random_below(&random, 6);
			h->block = page_alloc(h->order, 0, 0);
			if (h->block == PAGE_NONE)
				continue;
			tag(h, random_next(&random));
			page_get(h->block);
			count++;
		} else if (count > 0) {
			unsigned int victim = (unsigned int)random_below(&random, count);

			bad += !is_tagged(&held[victim]);
			page_put(held[victim].block, held[victim].order);
			page_put(held[victim].block, held[victim].order);
			held[victim] = held[--count];
		}
	}
	return (void *)bad;
}

static void test_threads(void)
{
	struct random random = { 3 };
	pthread_t threads[THREADS];
	uint64_t bad = 0, got, removed = 0;
	bool good = true;

	add(0, 64 * MIB, 0, 21);
	for (uint64_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (unsigned int i = 0; i < 3000; i++) {
		phys_addr_t base = random_below(&random, 60) * 16 * MIB;
		struct page_run runs[RUNS_MOST];
		unsigned int count = RUNS_MOST;

		if (owned_bytes() < 256 * MIB && nothing_there(base, 16 * MIB))
			add(base, 16 * MIB, 0, 21);
		got = UNIT * (1 + random_below(&random, 12));
		if (page_remove(got, 0, runs, &count) != got)
			continue;
		for (unsigned int j = 0; j < count; j++)
			good &= take_run(&runs[j], 0);
		removed++;
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < THREADS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		bad += (uint64_t)result;
	}
	ok(bad == 0 && good && removed > 100,
	   "%llu times memory went while three CPUs used it, and never theirs",
	   (unsigned long long)removed);
	ok(page_free_bytes() == page_total(), "and nothing is lost");
}

int main(void)
{
	physical_memory(MEMORY);
	access_memory(0, MEMORY, PROT_NONE);
	test_whole();
	test_order();
	test_random();
	test_threads();
	return done();
}
