/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that execute their program while the others do too, make threads, map memory and
 * wait for Linux: one of them wins, and it begins anew. t/1044-hostile-programs.t.
 *
 *   exec race       40 times; prints that
 *   exec endless    until it is killed
 */
#include <sys/mman.h>
#include <sys/socket.h>

#include "../calls/calls.h"

#define ROUNDS 40
#define EXECUTORS 3

static int pair[2];
static char *mode, next[16], self[4096];
static pthread_barrier_t together;

static void *executes(void *unused)
{
	char *argv[] = { "exec", mode, next, NULL }, *envp[] = { NULL };

	(void)unused;
	pthread_barrier_wait(&together);
	for (;;) {
		execve("/no/where", argv, envp);
		execve(self, argv, envp);
		perror("execve");
		exit(1);
	}
}

static void *nothing(void *unused)
{
	return unused;
}

static void *makes_threads(void *unused)
{
	pthread_t thread;

	for (;;) {
		if (pthread_create(&thread, NULL, nothing, NULL) == 0)
			pthread_join(thread, NULL);
	}
	return unused;
}

static void *maps(void *unused)
{
	char *memory;

	for (;;) {
		memory = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
		if (memory == MAP_FAILED)
			continue;
		memory[2 << 20] = 1;
		munmap(memory, 4 << 20);
	}
	return unused;
}

static void *reads(void *unused)
{
	char byte;

	if (read(pair[0], &byte, 1) >= 0)
		puts("a byte that nobody wrote");
	return unused;
}

static void *writes(void *unused)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	char bytes[10000] = "";

	while (write(fd, bytes, sizeof(bytes)) > 0)
		;
	return unused;
}

static void begin(void *(*what)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, what, NULL) != 0)
		exit(2);
}

int main(int argc, char *argv[])
{
	int round = argc > 2 ? atoi(argv[2]) : 0;
	unsigned int i;

	mode = argv[1];
	/* Linux does not know it any more when the first thread has gone. */
	realpath("/proc/self/exe", self);
	if (round == ROUNDS && strcmp(mode, "race") == 0) {
		printf("%d times\n", round);
		return 0;
	}
	snprintf(next, sizeof(next), "%d", round + 1);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	pthread_barrier_init(&together, NULL, EXECUTORS);
	begin(makes_threads);
	begin(maps);
	begin(reads);
	begin(writes);
	for (i = 0; i < EXECUTORS; i++)
		begin(executes);
	/* The first thread goes by itself at times. */
	if (round % 2 == 0)
		pthread_exit(NULL);
	pause();
	return 1;
}
