/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pipes that are used as nobody should. What is printed is the same on Linux and in an
 * enclave: t/1044-hostile-programs.t.
 *
 *   pipes many    as many as there can be, all of them full, and the program ends so
 *   pipes race    threads that use, copy, close and move the same ones, for some seconds
 */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "../calls/calls.h"

/* ---- many ---- */

#define MANY 100000

static int all[MANY][2];
static char data[65536];

static void many(void)
{
	struct rlimit limit;
	int count = 0, i, error;
	bool good = true;
	long bytes;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	while (count < MANY && pipe2(all[count], O_NONBLOCK) == 0)
		count++;
	error = errno;
	printf("%s\n", count > 100 && (count == MANY || error == EMFILE || error == ENFILE) ?
			       "as many as there can be" : strerror(error));
	for (i = 0; i < count; i++) {
		while ((bytes = write(all[i][1], data, sizeof(data))) > 0)
			;
		good &= errno == EAGAIN || errno == ENOMEM;
	}
	printf("%s\n", good ? "all are full" : "a write fails");
	for (i = 0; i < count; i += 3) {
		good &= read(all[i][0], data, sizeof(data)) > 0 || errno == EAGAIN;
		close(all[i][i % 2]);
	}
	printf("%s\n", good ? "some are read" : "a read fails");
}

/* ---- race ---- */

#define THREADS 6
#define PIPES 8
#define SECONDS 5

static int ends[PIPES][2];
static volatile bool over;

static int any_end(unsigned int *seed)
{
	return ends[(unsigned int)rand_r(seed) % PIPES][rand_r(seed) % 2];
}

static void poll_some(unsigned int *seed, int event)
{
	struct pollfd set[5];
	int i;

	for (i = 0; i < 4; i++)
		set[i] = (struct pollfd){ any_end(seed), POLLIN | POLLOUT, 0 };
	set[4] = (struct pollfd){ event, POLLIN, 0 };
	poll(set, rand_r(seed) % 50 ? 4 : 5, rand_r(seed) % 3);
}

static void make_new(unsigned int *seed)
{
	int pair[2], i = rand_r(seed) % PIPES;

	if (pipe2(pair, O_NONBLOCK | (rand_r(seed) % 8 ? 0 : O_DIRECT)) != 0)
		return;
	/* Whoever uses the old ones meanwhile. */
	dup2(pair[0], ends[i][0]);
	dup2(pair[1], ends[i][1]);
	fcntl(ends[i][0], F_SETFL, O_NONBLOCK);
	close(pair[0]);
	close(pair[1]);
}

static void *race(void *argument)
{
	unsigned int seed = (unsigned int)(uintptr_t)argument;
	int epoll = epoll_create1(0), copy;
	struct epoll_event event = { .events = EPOLLIN };
	char bytes[20000];

	while (!over) {
		size_t size = (size_t)rand_r(&seed) % sizeof(bytes);

		switch (rand_r(&seed) % 24) {
		case 0:
			make_new(&seed);
			break;
		case 1:
			epoll_ctl(epoll, EPOLL_CTL_ADD, any_end(&seed), &event);
			break;
		case 2:
			fcntl(any_end(&seed), F_SETPIPE_SZ, 4096 << rand_r(&seed) % 6);
			break;
		case 3:
			copy = dup(any_end(&seed));
			if (write(copy, bytes, size) < 0 && read(copy, bytes, size) < 0)
				sched_yield();
			close(copy);
			break;
		case 4:
		case 5:
			poll_some(&seed, epoll);
			break;
		default:
			if (rand_r(&seed) % 2 ? write(any_end(&seed), bytes, size) < 0 :
						read(any_end(&seed), bytes, size) < 0)
				sched_yield();
		}
	}
	close(epoll);
	return NULL;
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void races(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval often = { { 0, 3000 }, { 0, 3000 } };
	pthread_t thread[THREADS];
	int i;

	sigaction(SIGALRM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < PIPES; i++) {
		if (pipe2(ends[i], O_NONBLOCK) != 0)
			exit(2);
	}
	setitimer(ITIMER_REAL, &often, NULL);
	for (i = 0; i < THREADS; i++) {
		if (pthread_create(&thread[i], NULL, race, (void *)(uintptr_t)(i + 1)) != 0)
			exit(2);
	}
	sleep_ms(SECONDS * 1000);
	over = true;
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	printf("over\n");
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "many") == 0)
		many();
	else if (argc == 2 && strcmp(argv[1], "race") == 0)
		races();
	else
		return 2;
	return 0;
}
