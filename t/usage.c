// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Uses what it is told to, for t/2030-accounting.t and t/2032-accounting-two-nodes.t:
 *
 *   usage SECONDS THREADS MIB[+MORE] [END]
 *
 * Writes to so much memory, and MORE for each rank below its own, then computes on so many
 * threads, each until that much time has passed, and says by getrusage(2) and times(2) what it
 * has used. Then it ends by END: exit3, segv, or hang.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MOST 64

static double seconds;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void *compute(void *unused)
{
	double end = now() + seconds;
	volatile unsigned long rounds = 0;

	while (now() < end)
		for (int i = 0; i < 100000; i++)
			rounds++;
	return unused;
}

/* As the argument says. */
static size_t mebibytes(const char *text)
{
	const char *rank = getenv("SLURM_PROCID");
	char *more;
	long size = strtol(text, &more, 10);

	if (*more == '+' && rank)
		size += atol(more + 1) * atol(rank);
	return (size_t)size;
}

static int touch(size_t bytes)
{
	void *memory = mmap(NULL, bytes + 1, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -1;
	memset(memory, 1, bytes + 1);
	return 0;
}

static void end_by(const char *end)
{
	if (strcmp(end, "exit3") == 0)
		exit(3);
	if (strcmp(end, "segv") == 0)
		raise(SIGSEGV);
	while (strcmp(end, "hang") == 0)
		pause();
}

int main(int argc, char *argv[])
{
	const char *job = getenv("SLURM_JOB_ID");
	pthread_t thread[THREADS_MOST];
	struct rusage usage;
	struct tms ticks;
	int threads, i;

	if (argc < 4 || atoi(argv[2]) < 1 || atoi(argv[2]) > THREADS_MOST)
		return 2;
	seconds = atof(argv[1]);
	threads = atoi(argv[2]);
	if (touch(mebibytes(argv[3]) << 20) != 0) {
		perror("usage: memory");
		return 1;
	}
	printf("computing in job %s\n", job ? job : "?");
	fflush(stdout);
	for (i = 1; i < threads; i++) {
		if (pthread_create(&thread[i], NULL, compute, NULL) != 0)
			return 1;
	}
	compute(NULL);
	for (i = 1; i < threads; i++)
		pthread_join(thread[i], NULL);
	getrusage(RUSAGE_SELF, &usage);
	times(&ticks);
	printf("used: cpu %.2f s, by times %.2f s, peak %ld KiB\n",
	       (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
	       (double)(ticks.tms_utime + ticks.tms_stime) / (double)sysconf(_SC_CLK_TCK),
	       usage.ru_maxrss);
	fflush(stdout);
	if (argc > 4)
		end_by(argv[4]);
	return 0;
}
