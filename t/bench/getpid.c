/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cost of an empty system call: prints the median of 101 rounds in ns. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 101
#define CALLS 2000

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	static double round[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t start = now();

		for (int j = 0; j < CALLS; j++)
			syscall(SYS_getpid);
		round[i] = (double)(now() - start) / CALLS;
	}
	qsort(round, ROUNDS, sizeof(round[0]), ascending);
	printf("%.1f\n", round[ROUNDS / 2]);
	return 0;
}
