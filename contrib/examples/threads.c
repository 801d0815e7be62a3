/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What POSIX threads are made of: mutexes, conditions, barriers, semaphores,
 * timed waits, joins, cancellation, thread-local data. Says "ok" for each that works.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define THREADS 6
#define ROUNDS 2000

static int failed;

static void check(bool good, const char *what)
{
	printf("%s %s\n", good ? "ok    " : "NOT ok", what);
	if (!good)
		failed = 1;
}

static void run(void *(*function)(void *), void *argument)
{
	pthread_t thread[THREADS];
	int i;

	for (i = 0; i < THREADS; i++) {
		if (pthread_create(&thread[i], NULL, function, argument) != 0) {
			perror("pthread_create");
			_exit(1);
		}
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

/* ---- a mutex keeps a counter whole ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void *count(void *unused)
{
	int i;

	(void)unused;
	for (i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

/* ---- a queue of one place, filled and emptied by conditions ---- */

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool full;
static long passed;
static atomic_int role;

static void *pass(void *unused)
{
	bool producer = atomic_fetch_add(&role, 1) % 2 == 0;
	int i;

	(void)unused;
	for (i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		while (full == producer)
			pthread_cond_wait(&changed, &mutex);
		full = producer;
		passed++;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

/* ---- barriers ---- */

static pthread_barrier_t barrier;
static atomic_int arrived;
static atomic_int early;

static void *meet(void *unused)
{
	int i;

	(void)unused;
	for (i = 1; i <= 100; i++) {
		atomic_fetch_add(&arrived, 1);
		pthread_barrier_wait(&barrier);
		if (atomic_load(&arrived) < i * THREADS)
			atomic_fetch_add(&early, 1);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

/* ---- semaphores: two that hand a turn to each other ---- */

static sem_t ping, pong;

static void *answer(void *unused)
{
	int i;

	(void)unused;
	for (i = 0; i < ROUNDS; i++) {
		sem_wait(&ping);
		sem_post(&pong);
	}
	return NULL;
}

static bool take_turns(void)
{
	pthread_t thread;
	int i;

	sem_init(&ping, 0, 0);
	sem_init(&pong, 0, 0);
	pthread_create(&thread, NULL, answer, NULL);
	for (i = 0; i < ROUNDS; i++) {
		sem_post(&ping);
		sem_wait(&pong);
	}
	return pthread_join(thread, NULL) == 0;
}

/* ---- a wait with a time limit ends, and not early ---- */

static bool wait_in_time(void)
{
	struct timespec start, limit, end;
	long elapsed_ms;
	int result;

	clock_gettime(CLOCK_REALTIME, &start);
	limit = start;
	limit.tv_nsec += 50000000;
	if (limit.tv_nsec >= 1000000000) {
		limit.tv_nsec -= 1000000000;
		limit.tv_sec++;
	}
	pthread_mutex_lock(&mutex);
	do {
		result = pthread_cond_timedwait(&changed, &mutex, &limit);
	} while (result == 0);
	pthread_mutex_unlock(&mutex);
	clock_gettime(CLOCK_REALTIME, &end);
	elapsed_ms = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
	return result == ETIMEDOUT && elapsed_ms >= 49;
}

/* ---- each thread has its own ---- */

static _Thread_local int own = 7;
static atomic_int strange;

static void *look_at_own(void *unused)
{
	int i;

	(void)unused;
	if (own != 7)
		atomic_fetch_add(&strange, 1);
	for (i = 0; i < 100; i++) {
		own++;
		sched_yield();
	}
	if (own != 107)
		atomic_fetch_add(&strange, 1);
	return NULL;
}

/* ---- cancellation of a thread that waits for ever ---- */

static void *wait_for_ever(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static bool cancel(void)
{
	pthread_t thread;
	void *result;

	pthread_create(&thread, NULL, wait_for_ever, NULL);
	usleep(10000);
	return pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0 &&
	       result == PTHREAD_CANCELED;
}

/* ---- a robust mutex whose owner has died ---- */

static pthread_mutex_t robust;

static void *die_with_it(void *unused)
{
	pthread_mutex_lock(&robust);
	return unused;
}

static bool recover(void)
{
	pthread_mutexattr_t attributes;
	pthread_t thread;
	int result;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &attributes);
	pthread_create(&thread, NULL, die_with_it, NULL);
	pthread_join(thread, NULL);
	result = pthread_mutex_lock(&robust);
	if (result != EOWNERDEAD)
		return false;
	pthread_mutex_consistent(&robust);
	return pthread_mutex_unlock(&robust) == 0;
}

/* ---- a mutex with priority inheritance ---- */

static pthread_mutex_t inheriting;
static long inherited;

static void *count_inheriting(void *unused)
{
	int i;

	(void)unused;
	for (i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&inheriting);
		inherited++;
		pthread_mutex_unlock(&inheriting);
	}
	return NULL;
}

int main(void)
{
	pthread_mutexattr_t attributes;
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	run(count, NULL);
	check(counter == THREADS * ROUNDS, "mutex");
	run(pass, NULL);
	check(passed == THREADS * ROUNDS, "condition variable");
	pthread_barrier_init(&barrier, NULL, THREADS);
	run(meet, NULL);
	check(early == 0, "barrier");
	check(take_turns(), "semaphores");
	check(wait_in_time(), "timed wait");
	run(look_at_own, NULL);
	check(strange == 0, "thread-local data");
	check(cancel(), "cancellation");
	check(recover(), "robust mutex");
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	if (pthread_mutex_init(&inheriting, &attributes) == 0) {
		run(count_inheriting, NULL);
		check(inherited == THREADS * ROUNDS, "mutex with priority inheritance");
	}
	/* Many threads, one after the other: their memory is given back. */
	for (i = 0; i < 100; i++)
		run(look_at_own, NULL);
	check(strange == 0, "600 more threads");
	return failed;
}
