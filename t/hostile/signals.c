/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals whose delivery is the cause of the next one, and locks whose owner is gone. What is
 * printed, and how it ends, is the same on Linux and in an enclave: t/1044-hostile-programs.t.
 *
 *   signals handler GIB   SIGSEGV has a handler at no address; the stack has so many GiB
 *   signals sequence      the memory of a restartable sequence is gone
 *   signals storm         handlers interrupt each other as fast as threads can send; it may
 *                         end in SIGSEGV
 *   signals timers        more timers than a CPU can serve
 *   signals owner         a process ends with robust mutexes, which another one gets; on
 *                         Linux both are made here, in an enclave they are its two tasks
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "../calls/calls.h"

#define MIB (1ul << 20)
#define RW (PROT_READ | PROT_WRITE)

static void handle(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigaction(signal, &action, NULL);
}

static void on_signal(int signal)
{
	(void)signal;
}

/* ---- handler ---- */

/* A stack of a size that costs no memory: the same pages again and again. */
static char *long_stack(unsigned long gib)
{
	const unsigned long piece = 64 * MIB, size = gib << 30;
	int fd = memfd_create("stack", 0);
	char *stack;

	if (gib == 0)
		return NULL;
	stack = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (stack == MAP_FAILED || fd < 0 || ftruncate(fd, piece) != 0)
		exit(2);
	for (unsigned long at = 0; at < size; at += piece) {
		if (mmap(stack + at, piece, RW, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
			exit(2);
	}
	return stack + size;
}

static void bad_handler(unsigned long gib)
{
	char *top = long_stack(gib), *volatile bad = BAD;

	handle(SIGSEGV, (void (*)(int))0x800000000000ul, SA_NODEFER);
	if (!top)
		*bad = 1;
	__asm__ volatile("mov %0, %%rsp\n\tmovb $1, 8" : : "r"(top) : "memory");
}

/* ---- sequence ---- */

#define SEQUENCE_SIZE 32u
#define SEQUENCE_SIGNATURE 0x53053053u /* the C library's */

static void gone_sequence(void)
{
	char *own = (char *)__builtin_thread_pointer() + __rseq_offset;
	char *area = mmap(NULL, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	say("the C library's is given up",
	    syscall(SYS_rseq, own, SEQUENCE_SIZE, 1, SEQUENCE_SIGNATURE));
	TRY(rseq, area, SEQUENCE_SIZE, 0, 1234);
	handle(SIGSEGV, on_signal, SA_NODEFER);
	handle(SIGUSR1, on_signal, 0);
	munmap(area, 4096);
	for (;;)
		raise(SIGUSR1);
}

/* ---- storm ---- */

static const int sent[] = { SIGUSR1, SIGUSR2, SIGHUP, SIGINT, SIGTERM, SIGALRM, SIGPROF, SIGIO };
#define SENT (sizeof(sent) / sizeof(sent[0]))

static volatile pid_t target;
static uintptr_t lowest;

/* Deep in it no more are let in; but the stack may end before the handler has begun. */
static void on_storm(int signal)
{
	char here;
	sigset_t all;

	(void)signal;
	if ((uintptr_t)&here < lowest) {
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, NULL);
	}
}

static void *sends(void *unused)
{
	for (unsigned int i = 0; target; i++)
		syscall(SYS_tgkill, getpid(), target, sent[i % SENT]);
	return unused;
}

static void *suffers(void *unused)
{
	sigset_t none;

	sigemptyset(&none);
	lowest = (uintptr_t)&none - 2 * MIB;
	target = gettid();
	while (target)
		sigprocmask(SIG_SETMASK, &none, NULL);
	return unused;
}

static void storm(void)
{
	pthread_t threads[3];
	int ticks;

	for (size_t i = 0; i < SENT; i++)
		handle(sent[i], on_storm, SA_NODEFER);
	pthread_create(&threads[0], NULL, suffers, NULL);
	while (!target)
		sleep_ms(1);
	pthread_create(&threads[1], NULL, sends, NULL);
	pthread_create(&threads[2], NULL, sends, NULL);
	for (ticks = 0; ticks < 200; ticks++)
		sleep_ms(10);
	SHOW(ticks);
	/* In the middle of it. */
	_exit(0);
}

/* ---- timers ---- */

static void timers(void)
{
	struct itimerval often = { { 0, 1 }, { 0, 1 } };
	struct itimerspec setting = { { 0, 1000 }, { 0, 1000 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	int made = 0, ticks;
	sigset_t blocked;
	timer_t timer;

	/* Handled, they would be the program's own work, without end on Linux too. */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigaddset(&blocked, SIGALRM);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	for (; made < 1000; made++) {
		if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
		    timer_settime(timer, 0, &setting, NULL) != 0)
			break;
	}
	setitimer(ITIMER_REAL, &often, NULL);
	for (ticks = 0; ticks < 100; ticks++)
		sleep_ms(10);
	SHOW(made);
	SHOW(ticks);
}

/* ---- owner ---- */

struct common {
	pthread_mutex_t locks[3];
	uint32_t ready, held;
};

static void *locks_last(void *arg)
{
	struct common *common = arg;

	pthread_mutex_lock(&common->locks[2]);
	__atomic_store_n(&common->ready, 1, __ATOMIC_SEQ_CST);
	pause();
	return NULL;
}

/* Locks all, the last one in a thread of its own, and ends. */
static void owns(struct common *common)
{
	pthread_mutexattr_t attributes;
	pthread_t thread;
	int i;

	for (i = 0; i < 3; i++) {
		pthread_mutexattr_init(&attributes);
		pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
		pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
		pthread_mutexattr_setprotocol(&attributes, i == 1 ? PTHREAD_PRIO_INHERIT :
								    PTHREAD_PRIO_NONE);
		pthread_mutex_init(&common->locks[i], &attributes);
	}
	pthread_mutex_lock(&common->locks[0]);
	pthread_mutex_lock(&common->locks[1]);
	pthread_create(&thread, NULL, locks_last, common);
	while (!__atomic_load_n(&common->ready, __ATOMIC_SEQ_CST))
		sleep_ms(1);
	__atomic_store_n(&common->held, 1, __ATOMIC_SEQ_CST);
	/* The other one waits for the first by now, mostly; it gets the same if it is late. */
	sleep_ms(500);
	_exit(0);
}

static void inherits(struct common *common)
{
	struct timespec later;
	int i, result;

	while (!__atomic_load_n(&common->held, __ATOMIC_SEQ_CST))
		sleep_ms(1);
	clock_gettime(CLOCK_REALTIME, &later);
	later.tv_sec += 30;
	for (i = 0; i < 3; i++) {
		result = pthread_mutex_timedlock(&common->locks[i], &later);
		printf("lock %d: %s\n", i, result == EOWNERDEAD ? "EOWNERDEAD" :
						     result ? strerrorname_np(result) : "0");
	}
}

static struct common *meet(void)
{
	int fd = -1;

	while (fd < 0) {
		fd = shm_open("/hostile-owner", O_RDWR | O_CREAT, 0600);
		if (fd < 0)
			sleep_ms(1);
	}
	if (ftruncate(fd, sizeof(struct common)) != 0)
		exit(2);
	return mmap(NULL, sizeof(struct common), RW, MAP_SHARED, fd, 0);
}

static void owner(void)
{
	const char *rank = getenv("PISCES_TASK_ID");
	struct common *common = meet();
	bool owns_them = rank && atoi(rank) == 0;

	if (common == MAP_FAILED)
		exit(2);
	if (!rank)
		owns_them = fork() == 0;
	if (owns_them)
		owns(common);
	inherits(common);
	shm_unlink("/hostile-owner");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "handler") == 0)
		bad_handler(argc > 2 ? strtoul(argv[2], NULL, 0) : 0);
	else if (strcmp(what, "sequence") == 0)
		gone_sequence();
	else if (strcmp(what, "storm") == 0)
		storm();
	else if (strcmp(what, "timers") == 0)
		timers();
	else if (strcmp(what, "owner") == 0)
		owner();
	else
		return 2;
	return 0;
}
