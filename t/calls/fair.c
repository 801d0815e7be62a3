/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fair THREADS SECONDS LEAST MOST: so many threads compute for so long, and then on until each
 * has had between LEAST and MOST percent of the mean CPU time, for 60 s at most: a machine that
 * stood still under one of them is made up for by time, an unfair scheduler is not. Says how
 * much the one with the least and the one with the most had, in percent of the mean.
 */
#include "calls.h"

#define PATIENCE_S 60

static volatile bool over;
static pthread_barrier_t start;

struct shares {
	double least, most; /* in percent of the mean */
};

static void *compute(void *unused)
{
	pthread_barrier_wait(&start);
	while (!over)
		__asm__ volatile("pause");
	return unused;
}

static double cpu_time(pthread_t thread)
{
	struct timespec time;
	clockid_t clock;

	if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &time) != 0)
		exit(2);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct shares look_at(const pthread_t *threads, int count)
{
	double used = cpu_time(threads[0]), sum = used;
	struct shares had = { used, used };

	for (int i = 1; i < count; i++) {
		used = cpu_time(threads[i]);
		sum += used;
		had.least = used < had.least ? used : had.least;
		had.most = used > had.most ? used : had.most;
	}
	had.least *= 100 * count / sum;
	had.most *= 100 * count / sum;
	return had;
}

int main(int argc, char *argv[])
{
	int count = argc == 5 ? atoi(argv[1]) : 0, seconds = 0, i;
	pthread_t threads[64];
	struct shares had;

	if (count < 1 || count > 64)
		return 2;
	pthread_barrier_init(&start, NULL, (unsigned int)count + 1);
	for (i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, compute, NULL);
	pthread_barrier_wait(&start);
	do {
		sleep_ms(1000);
		had = look_at(threads, count);
		seconds++;
	} while (seconds < atoi(argv[2]) ||
		 ((had.least < atof(argv[3]) || had.most > atof(argv[4])) && seconds < PATIENCE_S));
	over = true;
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	printf("least %.0f most %.0f\n", had.least, had.most);
	return 0;
}
