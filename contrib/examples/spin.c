/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spin SECONDS [THREADS]: computes without a single system call, on as many
 * threads, and then says how far it came.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void *compute(void *result)
{
	double end = now() + seconds, sum = 0;
	unsigned long rounds = 0, i;

	do {
		for (i = 1; i <= 100000; i++)
			sum += 1.0 / ((double)i * (double)i);
		rounds++;
	} while (now() < end);
	*(double *)result = sum / (double)rounds;
	return NULL;
}

int main(int argc, char *argv[])
{
	int threads = argc > 2 ? atoi(argv[2]) : 1, i;
	pthread_t thread[64];
	double result[64];

	if (argc < 2 || threads < 1 || threads > 64) {
		fprintf(stderr, "usage: %s SECONDS [THREADS: 1 to 64]\n", argv[0]);
		return 2;
	}
	seconds = atof(argv[1]);
	puts("computing");
	fflush(stdout);
	for (i = 1; i < threads; i++) {
		if (pthread_create(&thread[i], NULL, compute, &result[i]) != 0) {
			fprintf(stderr, "%s: cannot make thread %d\n", argv[0], i);
			return 1;
		}
	}
	compute(&result[0]);
	for (i = 1; i < threads; i++)
		pthread_join(thread[i], NULL);
	printf("done: the sum of 1/n^2 is about %.6f\n", result[0]);
	return 0;
}
