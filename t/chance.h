/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chance for fuzzers: what a thread rolls follows from what it set chance to. */
#ifndef T_CHANCE_H
#define T_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

static __thread uint64_t chance;

/* Any 64 bits (splitmix64). */
static inline uint64_t roll(void)
{
	uint64_t z = chance += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static inline uint32_t below(uint32_t limit)
{
	return (uint32_t)(roll() >> 33) % limit;
}

static inline bool one_in(uint32_t n)
{
	return below(n) == 0;
}

/* Numbers that are likely to be at somebody's limit. */
static inline uint64_t odd_number(void)
{
	static const uint64_t odd[] = {
		0, 1, 2, 3, 63, 64, 65, 127, 128, 255, 256, 1023, 1024, 4095, 4096, 65535, 65536,
		0x1fffff, 0x200000, 0x200001, 0x3fffffff, 0x7fffffff, 0x80000000, 0xffffffff,
		0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffff000, ~0ull,
	};

	if (one_in(4))
		return roll();
	return odd[below(sizeof(odd) / sizeof(odd[0]))] + (one_in(8) ? below(9) : 0);
}

#endif
