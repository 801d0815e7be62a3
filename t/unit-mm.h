/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the tests of cokernel/mm on the host: memory that plays physical memory, a
 * panic that can be expected, and a deterministic source of random numbers.
 */
#ifndef T_UNIT_MM_H
#define T_UNIT_MM_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "tap.h"

/* Physical addresses [0, SIZE) can be used, as far as page_add_range() is told so. */
void physical_memory(uint64_t size);

/* The node that mm/ thinks it runs on: of the calling thread. */
extern __thread uint32_t this_node;

extern bool huge_pages; /* has the machine pages of 1 GiB? */

/*
 * PANICS(expression): does it panic? The text is in panic_text. Nothing that it
 * has locked is unlocked, so the same data cannot be used again afterwards.
 */
extern __thread jmp_buf *panic_wanted;
extern char panic_text[256];
#define PANICS(expression)                                                              \
	({                                                                               \
		jmp_buf here;                                                            \
		volatile bool panicked = true;                                               \
		if (setjmp(here) == 0) {                                                 \
			panic_wanted = &here;                                            \
			(void)(expression);                                              \
			panicked = false;                                                \
		}                                                                        \
		panic_wanted = NULL;                                                     \
		panicked;                                                                \
	})

struct random {
	uint64_t state;
};

/* xorshift64*: the same numbers on every machine. */
static inline uint64_t random_next(struct random *random)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return random->state * 0x2545f4914f6cdd1dull;
}

static inline uint64_t random_below(struct random *random, uint64_t limit)
{
	return (random_next(random) >> 11) % limit;
}

static inline uint64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* The test is at its end: something is so wrong that going on makes no sense. */
__attribute__((noreturn, format(printf, 1, 2))) void bail_out(const char *format, ...);

/* Was an argument --bench given? Then times are printed instead of tests. */
static inline bool is_bench(int argc, char **argv)
{
	return argc > 1 && strcmp(argv[1], "--bench") == 0;
}

#endif
