/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fair THREADS SECONDS: so many threads compute for so long, and then say how much CPU
 * time the one with the least and the one with the most had, in percent of the mean.
 */
#include "calls.h"

static volatile bool over;
static pthread_barrier_t start;

static void *compute(void *used)
{
	struct timespec time;

	pthread_barrier_wait(&start);
	while (!over)
		__asm__ volatile("pause");
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	*(double *)used = (double)time.tv_sec + (double)time.tv_nsec / 1e9;
	return NULL;
}

int main(int argc, char *argv[])
{
	int count = argc == 3 ? atoi(argv[1]) : 0, i;
	pthread_t threads[64];
	double used[64], least, most, sum = 0;

	if (count < 1 || count > 64)
		return 2;
	pthread_barrier_init(&start, NULL, (unsigned int)count + 1);
	for (i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, compute, &used[i]);
	pthread_barrier_wait(&start);
	sleep_ms(1000 * atol(argv[2]));
	over = true;
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	least = most = used[0];
	for (i = 0; i < count; i++) {
		sum += used[i];
		least = used[i] < least ? used[i] : least;
		most = used[i] > most ? used[i] : most;
	}
	printf("least %.0f most %.0f\n", 100 * least * count / sum, 100 * most * count / sum);
	return 0;
}
