/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Spin locks: one at a time, and nobody is kept out for ever by a thread that has the lock
 * nearly always, though both share a CPU and take turns at any moment.
 */
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#include "lib/lock.h"

#define THREADS 4
#define TURNS 50000
#define LIMIT_S 60

static struct lock lock;
static long turns;
static bool over;
static long kept;

static void *takes_turns(void *unused)
{
	for (int i = 0; i < TURNS; i++) {
		lock_take(&lock);
		turns++;
		lock_drop(&lock);
	}
	return unused;
}

static void share_a_cpu(void)
{
	cpu_set_t cpus, one;
	int cpu = 0;

	sched_getaffinity(0, sizeof(cpus), &cpus);
	while (!CPU_ISSET(cpu, &cpus))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Lets go of it for an instant in some 100 microseconds. */
static void *keeps(void *unused)
{
	double until;

	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		lock_take(&lock);
		__atomic_fetch_add(&kept, 1, __ATOMIC_RELAXED);
		for (until = seconds() + 100e-6; seconds() < until;)
			;
		lock_drop(&lock);
	}
	return unused;
}

static void test_turns(void)
{
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, takes_turns, NULL);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	is_number(turns, THREADS * TURNS, "one at a time");
	is_number(lock.taken, 0, "nobody has it then");
	is_number(lock.claimed, 0, "nor claims it");
}

/* Not before the keeper has had it again. */
static void take_once(void)
{
	long before = __atomic_load_n(&kept, __ATOMIC_RELAXED);

	while (__atomic_load_n(&kept, __ATOMIC_RELAXED) == before)
		sched_yield();
	lock_take(&lock);
	lock_drop(&lock);
}

static void test_patience(void)
{
	double begin = seconds();
	pthread_t keeper;
	int i;

	share_a_cpu();
	pthread_create(&keeper, NULL, keeps, NULL);
	for (i = 0; i < 10 && seconds() < begin + LIMIT_S; i++)
		take_once();
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_join(keeper, NULL);
	ok(i == 10 && seconds() < begin + LIMIT_S,
	   "10 times from one that keeps it, on the same CPU, in %.1f s of at most %d", seconds() - begin,
	   LIMIT_S);
	is_number(lock.claimed, 0, "nobody claims it then");
}

int main(void)
{
	/* One that waits for ever is not to be waited for. */
	alarm(2 * LIMIT_S);
	test_turns();
	test_patience();
	return done();
}
