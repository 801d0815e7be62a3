/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The allocator of physical pages, against a model that knows every page. */
#include <pthread.h>
#include <sys/mman.h>

#include "unit-mm.h"

#include "mm/direct.h"
#include "mm/page.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define NODES 4u
#define PAGES_MOST (4 * GIB / PAGE_SIZE)

/* Ranges as they come: several for a node, odd ends, a hole inside a large page. */
static const struct {
	phys_addr_t base;
	uint64_t size;
	node_id_t node;
} ranges[] = {
	{ 2 * MIB, 61 * MIB, 0 },
	{ 64 * MIB + 4 * PAGE_SIZE, 7 * MIB, 0 },
	{ 128 * MIB, 32 * MIB, 1 },
	{ 1024 * MIB, 1088 * MIB, 2 },
	{ 160 * MIB, 16 * MIB, 3 },
	{ 200 * MIB, PAGE_SIZE * 3, 1 },
	{ 3072 * MIB - 24 * MIB, 24 * MIB, 0 },
};
#define RANGES (sizeof(ranges) / sizeof(ranges[0]))

static const uint8_t slit[NODES][8] = {
	{ 10, 20, 40, 30 },
	{ 20, 10, 30, 40 },
	{ 40, 30, 10, 20 },
	{ 30, 40, 20, 10 },
};

/* What the model knows of each page. */
enum page_kind { ABSENT, FREE, TAKEN, KEEPING /* bookkeeping */ };
static uint8_t kind[PAGES_MOST];
static uint8_t node_of[PAGES_MOST];
static uint64_t model_free[NODES];

static void add_all(void)
{
	bool good = true;

	for (unsigned int i = 0; i < RANGES; i++) {
		uint64_t pages = ranges[i].size / PAGE_SIZE, first = ranges[i].base / PAGE_SIZE;
		uint64_t before = page_node_total_bytes(ranges[i].node), got;
		uint64_t keeping = (pages * 4 + PAGE_SIZE - 1) / PAGE_SIZE;

		page_add_range(ranges[i].base, ranges[i].size, ranges[i].node, 21);
		got = page_node_total_bytes(ranges[i].node) - before;
		good &= got == (pages - keeping) * PAGE_SIZE;
		for (uint64_t p = first; p < first + pages; p++) {
			kind[p] = FREE;
			node_of[p] = (uint8_t)ranges[i].node;
		}
	}
	page_set_distances(&slit[0][0], NODES, 8);
	ok(good, "a range gives all of its pages but 4 bytes for each");
	ok(page_free_bytes() == page_total(), "all is free in the beginning");
}

static bool model_take(phys_addr_t block, unsigned int order)
{
	uint64_t first = block / PAGE_SIZE;

	if (block % (PAGE_SIZE << order) != 0 || first + (1ull << order) > PAGES_MOST)
		return false;
	for (uint64_t p = first; p < first + (1ull << order); p++) {
		if (kind[p] != FREE || node_of[p] != node_of[first])
			return false;
		kind[p] = TAKEN;
	}
	model_free[node_of[first]] -= PAGE_SIZE << order;
	return true;
}

static void model_give(phys_addr_t block, unsigned int order)
{
	uint64_t first = block / PAGE_SIZE;

	for (uint64_t p = first; p < first + (1ull << order); p++)
		kind[p] = TAKEN == kind[p] ? FREE : ABSENT;
	model_free[node_of[first]] += PAGE_SIZE << order;
}

/* Is there an aligned free block of ORDER? */
static bool model_has(unsigned int order, node_id_t node)
{
	uint64_t count = 1ull << order;

	for (unsigned int i = 0; i < RANGES; i++) {
		uint64_t first = (ranges[i].base / PAGE_SIZE + count - 1) & ~(count - 1);
		uint64_t end = (ranges[i].base + ranges[i].size) / PAGE_SIZE;

		for (; ranges[i].node == node && first + count <= end; first += count) {
			uint64_t p = first;

			while (p < first + count && kind[p] == FREE)
				p++;
			if (p == first + count)
				return true;
		}
	}
	return false;
}

static int by_random(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a * 0x9e3779b97f4a7c15u;
	uint64_t y = *(const uint64_t *)b * 0x9e3779b97f4a7c15u;

	return x < y ? -1 : x > y;
}

/* Takes all blocks of ORDER that NODE has. */
static uint64_t take_all(unsigned int order, node_id_t node, phys_addr_t *blocks)
{
	uint64_t count = 0;

	while ((blocks[count] = page_alloc(order, node, PAGE_LOCAL)) != PAGE_NONE)
		count++;
	return count;
}

static phys_addr_t blocks[PAGES_MOST];

/* Every page is handed out once; the pages never handed out are the bookkeeping. */
static void test_each_page(void)
{
	uint64_t count = 0, most[NODES];
	bool good = true;

	for (node_id_t n = 0; n < NODES; n++) {
		most[n] = take_all(PAGE_ORDER_LARGE, n, blocks + count);
		for (uint64_t i = 0; i < most[n]; i++)
			page_free(blocks[count + i], PAGE_ORDER_LARGE);
	}
	for (node_id_t n = 0; n < NODES; n++) {
		uint64_t got = take_all(0, n, blocks + count);

		for (uint64_t i = count; i < count + got; i++) {
			good &= node_of[blocks[i] / PAGE_SIZE] == n;
			good &= model_take(blocks[i], 0);
		}
		count += got;
	}
	ok(good && count * PAGE_SIZE == page_total(), "each page of each node comes once");
	ok(page_free_bytes() == 0 && page_alloc(0, 1, 0) == PAGE_NONE, "and then there is none");
	for (uint64_t p = 0; p < PAGES_MOST; p++)
		kind[p] = kind[p] == FREE ? KEEPING : kind[p];
	qsort(blocks, count, sizeof(blocks[0]), by_random);
	for (uint64_t i = 0; i < count; i++) {
		page_free(blocks[i], 0);
		model_give(blocks[i], 0);
	}
	for (node_id_t n = 0; n < NODES; n++)
		model_free[n] = page_node_free_bytes(n);
	ok(page_free_bytes() == page_total(), "given back in any order, all is free again");
	for (node_id_t n = 0; n < NODES; n++) {
		uint64_t got = take_all(PAGE_ORDER_LARGE, n, blocks);

		good &= got == most[n] && got > 0;
		for (uint64_t i = 0; i < got; i++)
			page_free(blocks[i], PAGE_ORDER_LARGE);
	}
	ok(good, "and merged again: as many blocks of 2 MiB as before");
	blocks[0] = page_alloc(PAGE_ORDER_HUGE, 0, 0);
	ok(blocks[0] == 1024 * MIB, "the one aligned GiB is there as a block");
	page_free(blocks[0], PAGE_ORDER_HUGE);
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

static void tag(const struct held *held)
{
	*word_at(held->block) = held->tag;
	*word_at(held->block + (PAGE_SIZE << held->order) - 8) = ~held->tag;
}

static bool is_tagged(const struct held *held)
{
	return *word_at(held->block) == held->tag &&
	       *word_at(held->block + (PAGE_SIZE << held->order) - 8) == ~held->tag;
}

/* ---- memory that nobody has used is not cleared again ---- */

static bool is_zero(phys_addr_t block, unsigned int order)
{
	const uint64_t *words = phys_to_virt(block);

	for (uint64_t i = 0; i < (PAGE_SIZE << order) / 8; i++) {
		if (words[i] != 0)
			return false;
	}
	return true;
}

/* Pages of BLOCK that somebody has ever touched: the arena is given memory when it is. */
static unsigned int touched(phys_addr_t block, unsigned int order)
{
	static unsigned char resident[1u << 10];
	unsigned int count = 0;

	mincore(phys_to_virt(block), PAGE_SIZE << order, resident);
	for (unsigned int i = 0; i < 1u << order; i++)
		count += resident[i] & 1;
	return count;
}

/* Blocks of all kinds, asked for cleared or not, written to from end to end. */
static void *use_memory(void *argument)
{
	static const unsigned int orders[] = { 0, 0, 0, 1, 3, 4, 4, 5, 8, 9, 9, 9, 10, 11 };
	struct random random = { (uint64_t)argument + 5 };
	struct held held[24];
	unsigned int count = 0;
	uint64_t bad = 0;

	for (unsigned int i = 0; i < 1500; i++) {
		if (count == 24 || (count > 0 && random_below(&random, 3) == 0)) {
			unsigned int victim = (unsigned int)random_below(&random, count);

			page_free(held[victim].block, held[victim].order);
			held[victim] = held[--count];
		} else {
			struct held *h = &held[count];
			bool zero = random_below(&random, 2), local = random_below(&random, 2);
			node_id_t node = (node_id_t)random_below(&random, NODES);

			h->order = orders[random_below(&random, 14)];
			if (local)
				h->block = zero ? page_alloc(h->order, node, PAGE_LOCAL | PAGE_ZERO) :
						  page_alloc(h->order, node, PAGE_LOCAL);
			else
				h->block = zero ? page_alloc(h->order, node, PAGE_ZERO) :
						  page_alloc(h->order, node, 0);
			if (h->block == PAGE_NONE)
				continue;
			bad += zero && !is_zero(h->block, h->order);
			memset(phys_to_virt(h->block), 0xa5, PAGE_SIZE << h->order);
			count++;
		}
	}
	while (count > 0) {
		count--;
		page_free(held[count].block, held[count].order);
	}
	return (void *)bad;
}

static void test_clean(void)
{
	phys_addr_t large = page_alloc(PAGE_ORDER_LARGE, 2, PAGE_LOCAL | PAGE_ZERO), huge;
	pthread_t threads[4];
	unsigned int pages;
	uint64_t bad = 0;

	pages = touched(large, PAGE_ORDER_LARGE);
	ok(pages <= 1 && is_zero(large, PAGE_ORDER_LARGE),
	   "the first who takes 2 MiB has them as they came (%u page was touched)", pages);
	memset(phys_to_virt(large), 0xff, LARGE_PAGE_SIZE);
	page_free(large, PAGE_ORDER_LARGE);
	huge = page_alloc(PAGE_ORDER_LARGE, 2, PAGE_LOCAL | PAGE_ZERO);
	ok(huge == large && is_zero(huge, PAGE_ORDER_LARGE), "the next one has them cleared");
	page_free(huge, PAGE_ORDER_LARGE);

	for (uint64_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, use_memory, (void *)i);
	for (unsigned int i = 0; i < 4; i++) {
		void *result;

		pthread_join(threads[i], &result);
		bad += (uint64_t)result;
	}
	ok(bad == 0, "four CPUs that write to all that they take, and want it cleared: it is");
	huge = page_alloc(PAGE_ORDER_HUGE, 2, PAGE_LOCAL | PAGE_ZERO);
	ok(huge != PAGE_NONE && is_zero(huge, PAGE_ORDER_HUGE), "so is a GiB after that");
	page_free(huge, PAGE_ORDER_HUGE);
	ok(page_free_bytes() == page_total(), "nothing is lost");
}

static unsigned int some_order(struct random *random)
{
	uint64_t dice = random_below(random, 100);

	if (dice < 60)
		return (unsigned int)random_below(random, 3);
	if (dice < 95)
		return (unsigned int)random_below(random, 10);
	return (unsigned int)random_below(random, PAGE_ORDER_HUGE + 1);
}

static bool counts_agree(void)
{
	uint64_t sum = 0;

	for (node_id_t n = 0; n < NODES; n++) {
		if (page_node_free_bytes(n) != model_free[n])
			return false;
		sum += model_free[n];
	}
	return page_free_bytes() == sum;
}

/*
 * Any order, any node, for long; memory full now and empty then. When a request
 * fails, the model must agree that no aligned block was free: so no merge is ever
 * missed, and nothing gets lost.
 */
static void test_random(void)
{
	static struct held held[100000];
	struct random random = { 1 };
	unsigned int count = 0, refused = 0, wrong = 0, dirty = 0, lost = 0, zeroed = 0;

	for (unsigned int i = 0; i < 200000; i++) {
		bool filling = i / 25000 % 2 == 0;
		node_id_t node = (node_id_t)random_below(&random, NODES);
		bool local = random_below(&random, 2);
		struct held *h = &held[count];

		if (count < 100000 && random_below(&random, 100) < (filling ? 60 : 40)) {
			h->order = some_order(&random);
			if (local) {
				h->block = page_alloc(h->order, node, PAGE_LOCAL);
			} else if (h->order <= 4 && random_below(&random, 8) == 0) {
				h->block = page_alloc(h->order, node, PAGE_ZERO);
				if (h->block != PAGE_NONE)
					zeroed += *word_at(h->block) != 0;
			} else {
				h->block = page_alloc(h->order, node, 0);
			}
			if (h->block == PAGE_NONE) {
				refused++;
				if (refused % 100 != 0)
					continue;
				for (node_id_t n = 0; n < NODES; n++)
					lost += (!local || n == node) && model_has(h->order, n);
				continue;
			}
			if (!model_take(h->block, h->order) ||
			    (local && node_of[h->block / PAGE_SIZE] != node))
				wrong++;
			h->tag = random_next(&random);
			tag(h);
			count++;
		} else if (count > 0) {
			struct held *last = &held[--count], given;
			struct held *victim = &held[random_below(&random, count + 1)];

			given = *victim;
			*victim = *last;
			dirty += !is_tagged(&given);
			model_give(given.block, given.order);
			page_free(given.block, given.order);
		}
		if (i % 1000 == 0)
			wrong += !counts_agree();
	}
	ok(wrong == 0, "200,000 random requests: no block overlaps, counts are right");
	ok(dirty == 0, "nobody writes into a block that is taken");
	ok(zeroed == 0, "a block asked for cleared is so");
	ok(refused > 1000 && lost == 0, "what was refused (%u) was really not there", refused);
	while (count > 0) {
		count--;
		model_give(held[count].block, held[count].order);
		page_free(held[count].block, held[count].order);
	}
	ok(counts_agree() && page_free_bytes() == page_total(), "all came back");
	blocks[0] = page_alloc(PAGE_ORDER_HUGE, 2, PAGE_LOCAL);
	ok(blocks[0] != PAGE_NONE, "up to the GiB");
	page_free(blocks[0], PAGE_ORDER_HUGE);
}

static void test_nearest(void)
{
	/* By the table above, from node 3. */
	static const node_id_t order[NODES] = { 3, 2, 0, 1 };
	uint64_t used[NODES] = { 0 };
	unsigned int at = 0;
	bool good = true;
	uint64_t count = 0;

	ok(page_alloc(PAGE_ORDER_HUGE, 3, PAGE_LOCAL) == PAGE_NONE, "node 3 alone has no GiB");
	while ((blocks[count] = page_alloc(0, 3, 0)) != PAGE_NONE) {
		node_id_t node = node_of[blocks[count++] / PAGE_SIZE];

		while (order[at] != node && at + 1 < NODES) {
			good &= page_node_free_bytes(order[at]) == 0;
			at++;
		}
		good &= order[at] == node;
		used[node]++;
	}
	ok(good && at == NODES - 1, "nodes are asked from the nearest on, each until it is empty");
	for (uint64_t i = 0; i < count; i++)
		page_free(blocks[i], 0);
	ok(used[3] * PAGE_SIZE == page_node_total_bytes(3), "and the own one is used up first");
}

static void test_references(void)
{
	phys_addr_t block = page_alloc(3, 0, 0), free_before;
	bool shared;

	free_before = page_free_bytes();
	page_get(block);
	page_get(block);
	shared = page_is_shared(block);
	page_put(block, 3);
	page_put(block, 3);
	ok(shared && !page_is_shared(block) && page_free_bytes() == free_before,
	   "a block stays as long as one has a reference");
	ok(page_order(block) == 3, "and knows its order");
	page_put(block, 3);
	ok(page_free_bytes() == free_before + 8 * PAGE_SIZE, "the last one frees it");

	block = page_alloc(PAGE_ORDER_LARGE, 0, 0);
	free_before = page_free_bytes();
	page_split(block, PAGE_ORDER_LARGE, 0);
	page_put(block + 17 * PAGE_SIZE, 0);
	ok(page_free_bytes() == free_before + PAGE_SIZE && page_order(block) == 0,
	   "a large block can be split and given back in pieces");
	for (unsigned int i = 0; i < 512; i++) {
		if (i != 17)
			page_free(block + i * PAGE_SIZE, 0);
	}
	ok(page_free_bytes() == page_total(), "until all is back");
}

#define THREADS 4
#define ROUNDS 30000u

static void *work(void *argument)
{
	struct random random = { (uint64_t)argument + 77 };
	struct held held[300];
	unsigned int count = 0;
	uint64_t bad = 0;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		if (count < 300 && random_below(&random, 2) == 0) {
			struct held *h = &held[count];

			h->order = (unsigned int)random_below(&random, 5);
			h->block = page_alloc(h->order, (node_id_t)random_below(&random, NODES), 0);
			h->tag = random_next(&random);
			if (h->block == PAGE_NONE)
				continue;
			tag(h);
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
	while (count > 0) {
		count--;
		bad += !is_tagged(&held[count]);
		page_put(held[count].block, held[count].order);
		page_put(held[count].block, held[count].order);
	}
	return (void *)bad;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];
	uint64_t bad = 0;

	for (uint64_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (unsigned int i = 0; i < THREADS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		bad += (uint64_t)result;
	}
	ok(bad == 0, "four CPUs at once never get the same page");
	ok(page_free_bytes() == page_total(), "and nothing is lost");
}

/* Each leaves a lock taken, so each has a node of its own, or is of no node; they come last. */
static void test_misuse(void)
{
	phys_addr_t block = page_alloc(1, 0, 0), single = page_alloc(0, 1, 0), other = page_alloc(2, 2, 0);

	ok(PANICS(page_put(block, 0)), "a block given back with another order: panic");
	ok(PANICS(page_get(block + PAGE_SIZE)), "a reference to the inside of a block: panic");
	page_free(single, 0);
	ok(PANICS(page_get(single)), "a reference to a free page: panic");
	ok(PANICS(page_free(3 * GIB + GIB / 2, 0)), "a page of nobody: panic");
	ok(PANICS(page_add_range(150 * MIB, 20 * MIB, 3, 21)), "memory added twice: panic");
	ok(PANICS(page_alloc(PAGE_ORDER_HUGE + 1, 3, 0)), "more than a GiB: panic");
	ok(PANICS(page_free(single, 0)), "freed twice: panic (%s)", panic_text);
	ok(PANICS(page_free(other + PAGE_SIZE, 0)), "the inside freed: panic");
	ok(PANICS(page_free(block, 2)), "freed with another order: panic");
}

static void bench(void)
{
	enum { COUNT = 200000 };
	uint64_t start;

	for (phys_addr_t page = 1024 * MIB; page < 2112 * MIB; page += PAGE_SIZE)
		*word_at(page) = 1;
	page_add_range(1024 * MIB, 1088 * MIB, 2, 21);
	start = now_ns();
	for (unsigned int i = 0; i < COUNT; i++)
		page_free(page_alloc(0, 2, 0), 0);
	printf("# page, taken and given at once: %.1f ns\n", (double)(now_ns() - start) / COUNT);
	start = now_ns();
	for (unsigned int i = 0; i < COUNT; i++)
		blocks[i] = page_alloc(0, 2, 0);
	printf("# page_alloc(0), %u in a row: %.1f ns\n", COUNT, (double)(now_ns() - start) / COUNT);
	start = now_ns();
	for (unsigned int i = 0; i < COUNT; i++)
		page_free(blocks[i], 0);
	printf("# page_free(0), %u in a row: %.1f ns\n", COUNT, (double)(now_ns() - start) / COUNT);
	start = now_ns();
	for (unsigned int i = 0; i < 500; i++)
		blocks[i] = page_alloc(PAGE_ORDER_LARGE, 2, 0);
	for (unsigned int i = 0; i < 500; i++)
		page_free(blocks[i], PAGE_ORDER_LARGE);
	printf("# 2 MiB, taken and given: %.1f ns\n", (double)(now_ns() - start) / 500);
}

int main(int argc, char **argv)
{
	physical_memory(PAGES_MOST * PAGE_SIZE);
	if (is_bench(argc, argv)) {
		bench();
		return 0;
	}
	add_all();
	test_clean();
	test_each_page();
	test_random();
	test_nearest();
	test_references();
	test_threads();
	test_misuse();
	return done();
}
