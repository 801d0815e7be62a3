/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program pays for what it asks of its kernel: prints "NAME|UNIT|TIME|GOAL" for
 * each, the median of its rounds. GOAL: what of Linux's time it should take in an enclave.
 * FILE, an argument, is one of Linux's with 1 MiB in it at least.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "calls.h"

#define MIB (1024ul * 1024)

static const char *file_name;
static int file_fd;
static char buffer[MIB];

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

void fail(const char *what)
{
	fprintf(stderr, "calls: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void must(bool well, const char *what)
{
	if (!well)
		fail(what);
}

/* ---- one call ---- */

static void do_getpid(void)
{
	syscall(SYS_getpid);
}

static void do_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
}

static void do_open(void)
{
	int fd = open(file_name, O_RDONLY);

	must(fd >= 0 && close(fd) == 0, file_name);
}

static void do_read_page(void)
{
	must(pread(file_fd, buffer, 4096, 0) == 4096, "read 4 KiB");
}

static void do_read_mib(void)
{
	must(pread(file_fd, buffer, MIB, 0) == (ssize_t)MIB, "read 1 MiB");
}

/* ---- memory ---- */

static void do_touch(void)
{
	size_t size = 1024 * MIB;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(memory != MAP_FAILED, "mmap 1 GiB");
	for (size_t i = 0; i < size; i += 4096)
		memory[i] = 1;
	munmap(memory, size);
}

/* ---- threads ---- */

static void *nothing(void *argument)
{
	return argument;
}

static void do_thread(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, nothing, NULL) == 0, "pthread_create");
	pthread_join(thread, NULL);
}

static volatile sig_atomic_t handled;

static void handler(int signal)
{
	(void)signal;
	handled++;
}

static void do_signal(void)
{
	sig_atomic_t before = handled;

	raise(SIGUSR1);
	must(handled == before + 1, "a signal");
}

/* ---- two threads, one CPU each, one waits for the other ---- */

enum { PING, PONG, OVER };

static uint32_t word;
static int there[2], back[2];

static void set_word(uint32_t value)
{
	__atomic_store_n(&word, value, __ATOMIC_RELEASE);
	syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static uint32_t wait_while(uint32_t value)
{
	uint32_t now_is;

	while ((now_is = __atomic_load_n(&word, __ATOMIC_ACQUIRE)) == value)
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
	return now_is;
}

static void *futex_partner(void *argument)
{
	while (wait_while(PING) != OVER)
		set_word(PING);
	return argument;
}

static void do_futex(void)
{
	set_word(PONG);
	wait_while(PONG);
}

static void *pipe_partner(void *argument)
{
	char byte;

	while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
		;
	return argument;
}

static void do_pipe(void)
{
	char byte = 1;

	must(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1, "a pipe");
}

/* The Nth CPU that this process may use is the calling thread's. */
static void use_cpu(int n)
{
	cpu_set_t may, one;

	must(sched_getaffinity(0, sizeof(may), &may) == 0, "sched_getaffinity");
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &may) && n-- == 0)
			CPU_SET(cpu, &one);
	}
	must(sched_setaffinity(0, sizeof(one), &one) == 0, "sched_setaffinity: 2 CPUs are needed");
}

/* ---- */

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void measure(const struct bench *bench)
{
	double round[ROUNDS_MOST];

	if (!bench->first)
		bench->run();
	for (int i = 0; i < bench->rounds; i++) {
		double start = now();

		for (int j = 0; j < bench->calls; j++)
			bench->run();
		round[i] = (now() - start) / bench->calls;
	}
	qsort(round, (size_t)bench->rounds, sizeof(round[0]), ascending);
	printf("%s|%s|%.1f|%s\n", bench->name, bench->unit,
	       round[bench->rounds / 2] / (strcmp(bench->unit, "ms") == 0 ? 1e6 : 1), bench->goal);
	fflush(stdout);
}

/* Measures BENCH with a PARTNER on the other CPU, which ends when END is called. */
static void measure_two(const struct bench *bench, void *(*partner)(void *), void (*end)(void))
{
	cpu_set_t may;
	pthread_t thread;

	must(sched_getaffinity(0, sizeof(may), &may) == 0, "sched_getaffinity");
	use_cpu(1);
	must(pthread_create(&thread, NULL, partner, NULL) == 0, "pthread_create");
	sched_setaffinity(0, sizeof(may), &may);
	use_cpu(0);
	measure(bench);
	end();
	pthread_join(thread, NULL);
	sched_setaffinity(0, sizeof(may), &may);
}

static void end_futex(void)
{
	set_word(OVER);
}

static void end_pipe(void)
{
	close(there[1]);
}

int main(int argc, char **argv)
{
	static const struct bench alone[] = {
		{ "mmap and touch 1 GiB, a program's first", "ms", "0.5", do_touch, 1, 1, true },
		{ "getpid", "ns", "0.2", do_getpid, 101, 2000 },
		{ "clock_gettime", "ns", "0.5", do_clock, 101, 2000 },
		{ "signal to oneself", "ns", "0.5", do_signal, 51, 200 },
		{ "thread create and join", "ns", "0.5", do_thread, 51, 20 },
		{ "mmap and touch 1 GiB, again", "ms", "0.5", do_touch, 5, 1 },
		{ "open and close (forwarded)", "ns", "-", do_open, 51, 20 },
		{ "read 4 KiB (forwarded)", "ns", "3", do_read_page, 51, 50 },
		{ "read 1 MiB (forwarded)", "ns", "1.2", do_read_mib, 21, 5 },
	};
	static const struct bench futex = { "futex ping-pong", "ns", "0.5", do_futex, 51, 200 };
	static const struct bench pipes = { "pipe ping-pong", "ns", "0.5", do_pipe, 51, 200 };
	const struct sigaction action = { .sa_handler = handler };

	must(argc == 2, "usage: calls FILE");
	file_name = argv[1];
	file_fd = open(file_name, O_RDONLY);
	must(file_fd >= 0, file_name);
	sigaction(SIGUSR1, &action, NULL);
	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
		measure(&alone[i]);
	measure_two(&futex, futex_partner, end_futex);
	must(pipe(there) == 0 && pipe(back) == 0, "pipe");
	measure_two(&pipes, pipe_partner, end_pipe);
	measure_numeric();
	return 0;
}
