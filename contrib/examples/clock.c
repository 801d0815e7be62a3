/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the clock two million times. In an enclave it also asks the co-kernel how
 * many system calls it has made meanwhile: none, since the vDSO tells the time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 1000000

/* The co-kernel's own call: system calls of this thread, this one included. */
#define CALL_COUNT 0x7001

static long long now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000ll + time.tv_nsec;
}

int main(void)
{
	long long first, last, previous, current;
	long before, after;
	struct timeval day;
	int i;

	/* The C library looks for the vDSO at the first use. */
	previous = first = now(CLOCK_MONOTONIC);
	before = syscall(CALL_COUNT);
	for (i = 0; i < ROUNDS; i++) {
		current = now(CLOCK_MONOTONIC);
		if (current < previous) {
			printf("the clock went back by %lld ns\n", previous - current);
			return 1;
		}
		previous = current;
		now(CLOCK_REALTIME);
	}
	gettimeofday(&day, NULL);
	time(NULL);
	sched_getcpu();
	after = syscall(CALL_COUNT);
	last = now(CLOCK_MONOTONIC);
	printf("%d readings of two clocks, %lld ns each\n", ROUNDS, (last - first) / ROUNDS / 2);
	if (before < 0)
		printf("how many system calls that took is not known on Linux\n");
	else
		printf("%ld system calls\n", after - before - 1);
	if (day.tv_sec < 1600000000) {
		printf("but it is not %lld seconds after 1970\n", (long long)day.tv_sec);
		return 1;
	}
	return 0;
}
