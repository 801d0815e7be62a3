/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two computations that a kernel can only disturb, with OpenMP: the triad of STREAM, which
 * is memory's speed, and complex Fourier transforms, which are the CPUs'.
 */
#include <complex.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "calls.h"

#define TRIAD (2u << 20) /* doubles in each of three vectors */
#define POINTS 4096u	 /* of a transform, a power of 2 */
#define BATCH 64u	 /* transforms */

static double *a, *b, *c;
static double complex *signal, *roots;

static void triad(void)
{
#pragma omp parallel for
	for (size_t i = 0; i < TRIAD; i++)
		a[i] = b[i] + 3.0 * c[i];
}

/* In place, radix 2, of one row that was brought into bit-reversed order. */
static void transform(double complex *row)
{
	for (size_t i = 0, j = 0; i < POINTS; i++) {
		if (i < j) {
			double complex held = row[i];

			row[i] = row[j];
			row[j] = held;
		}
		for (size_t bit = POINTS >> 1; ((j ^= bit) & bit) == 0 && bit > 1; bit >>= 1)
			;
	}
	for (size_t half = 1; half < POINTS; half *= 2) {
		for (size_t first = 0; first < POINTS; first += 2 * half) {
			for (size_t k = 0; k < half; k++) {
				double complex odd = row[first + half + k] * roots[k * (POINTS / 2 / half)];

				row[first + half + k] = row[first + k] - odd;
				row[first + k] += odd;
			}
		}
	}
}

static void transforms(void)
{
#pragma omp parallel for
	for (size_t i = 0; i < BATCH; i++)
		transform(signal + i * POINTS);
}

static void *get(size_t size)
{
	void *memory = aligned_alloc(64, size);

	if (!memory)
		fail("memory");
	return memory;
}

static void prepare(void)
{
	a = get(TRIAD * sizeof(*a));
	b = get(TRIAD * sizeof(*b));
	c = get(TRIAD * sizeof(*c));
	signal = get(BATCH * POINTS * sizeof(*signal));
	roots = get(POINTS / 2 * sizeof(*roots));
#pragma omp parallel for
	for (size_t i = 0; i < TRIAD; i++) {
		a[i] = 0;
		b[i] = 1;
		c[i] = (double)i;
	}
	for (size_t k = 0; k < POINTS / 2; k++)
		roots[k] = cexp(-2 * M_PI * I * (double)k / POINTS);
	for (size_t i = 0; i < BATCH * POINTS; i++)
		signal[i] = sin((double)i);
}

/* A transform of an impulse is flat: what is fast and wrong is no figure. */
static void check(void)
{
	for (size_t i = 0; i < POINTS; i++)
		signal[i] = i == 1;
	transform(signal);
	for (size_t i = 0; i < POINTS; i++) {
		if (cabs(signal[i] - cexp(-2 * M_PI * I * (double)i / POINTS)) > 1e-9)
			fail("the transform is wrong");
	}
}

void measure_numeric(void)
{
	static const struct bench numeric[] = {
		{ "STREAM triad, 3 x 16 MiB, OpenMP", "ms", "0.97", triad, 21, 4 },
		{ "64 FFTs of 4096 points, OpenMP", "ms", "0.97", transforms, 11, 1 },
	};

	prepare();
	check();
	for (size_t i = 0; i < sizeof(numeric) / sizeof(numeric[0]); i++)
		measure(&numeric[i]);
}
