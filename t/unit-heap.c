/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The co-kernel's heap: sizes, alignment, nothing overlaps, misuse is caught, all comes back. */
#include <pthread.h>

#include "unit-mm.h"

#include "mm/heap.h"
#include "mm/page.h"

#define MIB (1ull << 20)
#define MEMORY (64 * MIB)
#define HELD 4000u

struct held {
	uint8_t *memory;
	size_t size;
	uint8_t fill;
};

static bool is_filled(const struct held *held)
{
	return held->size == 0 || (held->memory[0] == held->fill &&
				   memcmp(held->memory, held->memory + 1, held->size - 1) == 0);
}

static bool is_aligned(const struct held *held)
{
	return (uint64_t)held->memory % (held->size >= 64 ? 64 : 16) == 0;
}

static size_t some_size(struct random *random)
{
	uint64_t dice = random_below(random, 100);

	if (dice < 80)
		return random_below(random, 700);
	if (dice < 98)
		return random_below(random, 6000);
	return random_below(random, 200000);
}

static void test_sizes(void)
{
	bool aligned = true, distinct = true;

	for (size_t size = 0; size <= 5000; size++) {
		struct held a = { heap_alloc(size), size, 0x55 }, b = { heap_alloc(size), size, 0xaa };

		memset(a.memory, a.fill, size);
		memset(b.memory, b.fill, size);
		aligned &= is_aligned(&a) && is_aligned(&b);
		distinct &= is_filled(&a) && is_filled(&b) && a.memory != b.memory;
		heap_free(a.memory);
		heap_free(b.memory);
	}
	ok(aligned, "aligned to 16, and to 64 from 64 bytes on: all sizes up to 5000");
	ok(distinct, "two of one size do not overlap");
	for (size_t size = MIB - 3; size <= MIB; size++) {
		struct held a = { heap_alloc(size), size, 1 };

		aligned &= a.memory != NULL;
		memset(a.memory, 1, size);
		heap_free(a.memory);
	}
	ok(aligned, "up to 1 MiB");
	ok(heap_alloc(MIB + 1) == NULL && heap_alloc(SIZE_MAX) == NULL, "and not more");
	heap_free(NULL);
}

static void test_zero(void)
{
	bool good = true;

	for (size_t size = 1; size < 9000; size += 37) {
		uint8_t *dirty = heap_alloc(size);
		struct held clean;

		memset(dirty, 0xff, size);
		heap_free(dirty);
		clean = (struct held){ heap_alloc_zero(size), size, 0 };
		good &= is_filled(&clean);
		heap_free(clean.memory);
	}
	ok(good, "heap_alloc_zero() clears what was used before");
}

/* Returns how often something was not as it should be. */
static uint64_t churn(uint64_t seed, unsigned int rounds)
{
	struct random random = { seed };
	struct held *held = calloc(HELD, sizeof(*held));
	unsigned int count = 0;
	uint64_t bad = 0;

	for (unsigned int i = 0; i < rounds; i++) {
		if (count < HELD && random_below(&random, 100) < (i / 8192 % 2 ? 45 : 60)) {
			struct held *h = &held[count];

			h->size = some_size(&random);
			h->fill = (uint8_t)random_next(&random);
			h->memory = heap_alloc(h->size);
			if (h->memory == NULL)
				continue;
			bad += !is_aligned(h);
			memset(h->memory, h->fill, h->size);
			count++;
		} else if (count > 0) {
			unsigned int victim = (unsigned int)random_below(&random, count);

			bad += !is_filled(&held[victim]);
			heap_free(held[victim].memory);
			held[victim] = held[--count];
		}
	}
	while (count > 0) {
		bad += !is_filled(&held[--count]);
		heap_free(held[count].memory);
	}
	free(held);
	return bad;
}

#define SLABS_KEPT 16u /* one for each size */

static bool all_back(void)
{
	return page_free_bytes() + SLABS_KEPT * PAGE_SIZE >= page_total();
}

static void *churn_thread(void *seed)
{
	return (void *)churn((uint64_t)seed, 40000);
}

static void test_churn(void)
{
	pthread_t threads[4];
	uint64_t bad = 0;

	ok(churn(5, 150000) == 0, "150,000 random requests keep their contents");
	ok(all_back(), "freed, all pages come back but one for each size");
	for (uint64_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, churn_thread, (void *)(i + 1));
	for (unsigned int i = 0; i < 4; i++) {
		void *result;

		pthread_join(threads[i], &result);
		bad += (uint64_t)result;
	}
	ok(bad == 0 && all_back(), "so on four CPUs at once");
}

static void test_exhaustion(void)
{
	static void *all[MEMORY / 1024];
	unsigned int count = 0, large = 0;

	while ((all[count] = heap_alloc(1344)) != NULL)
		count++;
	ok(count > MEMORY / 1344 * 9 / 10 && heap_alloc(1344) == NULL,
	   "NULL when memory is used up, and not before (%u objects)", count);
	while (count > 0)
		heap_free(all[--count]);
	ok(all_back(), "then it is all there again");
	while ((all[large] = heap_alloc(MIB)) != NULL)
		large++;
	ok(large >= MEMORY / MIB - SLABS_KEPT - 2, "in large pieces, too");
	while (large > 0)
		heap_free(all[--large]);
}

static void test_misuse(void)
{
	uint8_t *small = heap_alloc(100), *other = heap_alloc(300), *pages = heap_alloc(8000);

	ok(PANICS(heap_free(small + 64)), "freeing the inside of an object: panic");
	ok(PANICS(heap_free(pages + 4096)), "freeing the inside of a block: panic");
	heap_free(pages);
	ok(PANICS(heap_free(pages)), "freeing a block twice: panic");
	heap_free(other);
	ok(PANICS(heap_free(other)), "freeing an object twice: panic");
}

static void bench(void)
{
	enum { COUNT = 1000000 };
	uint64_t start = now_ns();

	for (unsigned int i = 0; i < COUNT; i++)
		heap_free(heap_alloc(64));
	printf("# 64 bytes, taken and given at once: %.1f ns\n", (double)(now_ns() - start) / COUNT);
	start = now_ns();
	churn(1, COUNT);
	printf("# random sizes, with filling and checking: %.1f ns\n",
	       (double)(now_ns() - start) / COUNT);
}

int main(int argc, char **argv)
{
	physical_memory(MEMORY);
	page_add_range(0, MEMORY, 0, 21);
	if (is_bench(argc, argv)) {
		bench();
		return 0;
	}
	test_sizes();
	test_zero();
	test_churn();
	test_exhaustion();
	test_misuse();
	return done();
}
