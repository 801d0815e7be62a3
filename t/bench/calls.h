/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What calls.c and numeric.c have in common: one thing that is measured. */
#ifndef BENCH_CALLS_H
#define BENCH_CALLS_H

#include <stdbool.h>

#define ROUNDS_MOST 101

struct bench {
	const char *name;
	const char *unit; /* "ns" or "ms" */
	const char *goal; /* of Linux's time; "-": none */
	void (*run)(void);
	int rounds; /* at most ROUNDS_MOST, of which the median counts, */
	int calls;  /* with so many calls of RUN each */
	bool first; /* measured as it is the first time; else that time does not count */
};

/* Runs it and prints a line. */
void measure(const struct bench *bench);

double now(void); /* ns */
_Noreturn void fail(const char *what);

/* Whole computations with OpenMP's threads. */
void measure_numeric(void);

#endif
