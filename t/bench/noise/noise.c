// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Computes, and does nothing else: no system call, no new page. plugin.c, in the emulator, counts
 * the instructions that its CPU executes meanwhile, by where they are: the linker puts the three
 * functions to the addresses of places.h.
 *
 *   noise MILLIONS-OF-TURNS
 */
#include <stdio.h>
#include <stdlib.h>

#define AT(place) __attribute__((section(place), noinline, noclone))

static volatile unsigned long long sink;

AT(".noise_begin") static void begin(void)
{
	sink = 1;
}

AT(".noise_end") static void end(void)
{
	sink = 2;
}

/* Some tens of instructions without a branch, so that counting is a small part of it. */
AT(".noise_loop") static unsigned long long compute(unsigned long long turns)
{
	unsigned long long a = 1, b = 2, c = 3, d = 4;

	for (unsigned long long i = 0; i < turns; i++) {
#define STEP a += b ^ i; b = b << 7 | b >> 57; c ^= a; d += c; a ^= d >> 3;
		STEP STEP STEP STEP STEP STEP STEP STEP
	}
	return a ^ b ^ c ^ d;
}

int main(int argc, char *argv[])
{
	unsigned long long turns = argc > 1 ? strtoull(argv[1], NULL, 10) * 1000000 : 0;

	sink = compute(1000); /* its pages are there */
	begin();
	sink = compute(turns);
	end();
	return turns == 0;
}
