/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that change what the kernel is just looking at: each way for some seconds. What is
 * printed is the same on Linux and in an enclave: t/1044-hostile-programs.t.
 *
 *   threads mapping    a region is cut while a fault maps a large page in it
 *   threads affinity   CPUs are taken from threads that come and go
 *   threads futex      a word is written while calls try to change it
 *   threads leave      the same, and the process ends meanwhile
 *   threads waits      waits that signals interrupt
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <sys/mman.h>

#include "../calls/calls.h"

#define MIB (1ul << 20)
#define RW (PROT_READ | PROT_WRITE)

static volatile bool over;

static bool is_over(time_t *end, int seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (*end == 0)
		*end = now.tv_sec + seconds;
	return now.tv_sec >= *end;
}

static pthread_t begin(void *(*what)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, what, NULL) != 0)
		exit(2);
	return thread;
}

/* ---- mapping ---- */

static char *place; /* 2 MiB that are mapped anew each time */
static volatile unsigned int turn, cut;
static sigjmp_buf back;

static void on_fault(int signal)
{
	(void)signal;
	siglongjmp(back, 1);
}

static void *cuts(void *unused)
{
	unsigned int seen = 0, wait;
	volatile unsigned int i;

	while (!over) {
		if (turn == seen)
			continue;
		seen = turn;
		wait = seen * 37 % 3000;
		for (i = 0; i < wait; i++)
			;
		munmap(place + MIB, MIB);
		cut = seen;
	}
	return unused;
}

/* Keeps the lock of the address space busy, so that the other two wait for it. */
static void *protects(void *unused)
{
	char *other = mmap(NULL, 4 * MIB, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i;

	memset(other, 1, 4 * MIB);
	for (i = 0; !over; i++)
		mprotect(other, 4 * MIB, i % 2 ? PROT_READ : RW);
	return unused;
}

static bool is_readable(volatile char *at)
{
	if (sigsetjmp(back, 1) != 0)
		return false;
	(void)*at;
	return true;
}

static void mapping(void)
{
	char *room = mmap(NULL, 6 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long readable = 0;
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
	pthread_t threads[2] = { begin(cuts), begin(protects) };
	time_t end = 0;

	sigaction(SIGSEGV, &action, NULL);
	place = (char *)(((unsigned long)room + 4 * MIB - 1) & ~(2 * MIB - 1));
	while (!is_over(&end, 4)) {
		int fd = memfd_create("cut", 0);

		if (fd < 0 || ftruncate(fd, 2 * MIB) != 0 ||
		    mmap(place, 2 * MIB, RW, MAP_SHARED | MAP_FIXED, fd, 0) != place)
			exit(2);
		turn++;
		if (turn % 2)
			*(volatile char *)place = 1;
		else
			is_readable(place + MIB - 1);
		while (cut != turn)
			;
		munmap(place, MIB);
		close(fd);
		readable += is_readable(place + MIB);
		readable += is_readable(place + 2 * MIB - 1);
	}
	over = true;
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	SHOW(readable);
}

/* ---- affinity ---- */

static volatile pid_t runner, sleeper;

static void *runs(void *unused)
{
	runner = gettid();
	while (!over)
		syscall(SYS_getppid);
	return unused;
}

static void *sleeps(void *unused)
{
	struct timespec span = { 0, 20000 };

	sleeper = gettid();
	while (!over)
		nanosleep(&span, NULL);
	return unused;
}

static void affinity(void)
{
	pthread_t threads[2] = { begin(runs), begin(sleeps) };
	int cpus[1024], count = 0, cpu, i;
	unsigned long failed = 0;
	cpu_set_t set;
	time_t end = 0;

	sched_getaffinity(0, sizeof(set), &set);
	for (cpu = 0; cpu < 1024; cpu++) {
		if (CPU_ISSET(cpu, &set))
			cpus[count++] = cpu;
	}
	while (!runner || !sleeper)
		sched_yield();
	while (!is_over(&end, 4)) {
		/* Against the order in which a CPU is looked for. */
		for (i = 3000; i > 0; i--) {
			CPU_ZERO(&set);
			CPU_SET(cpus[i % count], &set);
			failed += sched_setaffinity(runner, sizeof(set), &set) != 0;
			failed += sched_setaffinity(sleeper, sizeof(set), &set) != 0;
		}
	}
	over = true;
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	SHOW(failed);
}

/* ---- futex ---- */

static uint32_t word, other, third;
static volatile int handled;
static volatile unsigned long calls;

static void on_user(int signal)
{
	(void)signal;
	handled++;
}

/* Never free, and never anyone's that there is. */
static void *writes(void *unused)
{
	uint32_t n = 0;

	while (!over)
		__atomic_store_n(&word, 0x20000000u | (++n & 0xffffffu), __ATOMIC_RELAXED);
	return unused;
}

static void *tries(void *unused)
{
	struct timespec soon = { 0, 0 };

	while (!over) {
		syscall(SYS_futex, &word, FUTEX_LOCK_PI, 0, &soon, NULL, 0);
		syscall(SYS_futex, &other, FUTEX_WAKE_OP, 1, 1, &word,
			FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0));
		syscall(SYS_futex, &word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
		calls++;
	}
	return unused;
}

static void *locks(void *unused)
{
	while (!over) {
		if (syscall(SYS_futex, &word, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0)
			break;
	}
	return unused;
}

static void futex(bool leave)
{
	struct sigaction action = { .sa_handler = on_user };
	pthread_t threads[3];
	int before, ticks;

	word = 0x20000000u;
	sigaction(SIGUSR1, &action, NULL);
	threads[0] = begin(writes);
	threads[1] = begin(locks);
	threads[2] = begin(tries);
	if (leave) {
		sleep_ms(1000);
		printf("leaves\n");
		fflush(stdout);
		_exit(7);
	}
	before = handled;
	/* Longer where signals have become one, since the machine stood still. */
	for (ticks = 0; ticks < 300 || (handled - before <= 10 && ticks < 3000); ticks++) {
		sleep_ms(10);
		if (ticks % 10 == 0)
			pthread_kill(threads[1], SIGUSR1);
	}
	SHOW(ticks >= 300);
	SHOW(handled - before > 10);
	over = true;
	pthread_join(threads[0], NULL);
	__atomic_store_n(&word, 0, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
	pthread_join(threads[1], NULL);
	pthread_join(threads[2], NULL);
	SHOW(calls > 0);
}

/* ---- waits ---- */

static pthread_mutex_t mutex;
static sem_t semaphore, taken;

static void *holds(void *unused)
{
	pthread_mutex_lock(&mutex);
	sem_post(&taken);
	await_alarm();
	sleep_ms(300);
	pthread_mutex_unlock(&mutex);
	return unused;
}

static void waits(int flags)
{
	pthread_mutexattr_t attributes;
	struct timespec later;
	pthread_t thread;

	part(flags ? "waits that a handler lets go on" : "waits that a handler ends");
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&mutex, &attributes);
	sem_init(&semaphore, 0, 0);
	sem_init(&taken, 0, 0);

	/* Before the thread, which waits for it. */
	alarm_soon(flags);
	thread = begin(holds);
	while (sem_wait(&taken) != 0)
		;
	SHOW(pthread_mutex_lock(&mutex));
	alarm_off();
	SHOW(pthread_mutex_unlock(&mutex));
	pthread_join(thread, NULL);

	/* The limits are of no use but to end a wait that no signal ends. */
	clock_gettime(CLOCK_REALTIME, &later);
	later.tv_sec += 60;
	alarm_soon(flags);
	say("sem_timedwait", sem_timedwait(&semaphore, &later));
	alarm_off();
	word = 0;
	clock_gettime(CLOCK_MONOTONIC, &later);
	later.tv_sec += 60;
	alarm_soon(flags);
	TRY(futex, &word, FUTEX_WAIT_BITSET, 0, &later, NULL, 1);
	alarm_off();
	later = (struct timespec){ 60, 0 };
	alarm_soon(flags);
	TRY(futex, &word, FUTEX_WAIT, 0, &later, NULL, 0);
	alarm_off();
}

static void *waits_for_word(void *unused)
{
	syscall(SYS_futex, &other, FUTEX_WAIT, 0, NULL, NULL, 0);
	return unused;
}

/*
 * Moves COUNT threads that wait for one word to another: so it is known that they wait. Tells how
 * many there were within 30 s.
 */
static long await_waiters(uint32_t *from, uint32_t *to, long count)
{
	long moved = 0;

	for (int i = 0; i < 3000 && moved < count; i++) {
		moved += syscall(SYS_futex, from, FUTEX_CMP_REQUEUE, 0, count - moved, to, *from);
		if (moved < count)
			sleep_ms(10);
	}
	return moved;
}

static void wakes(void)
{
	pthread_t threads[2] = { begin(waits_for_word), begin(waits_for_word) };

	part("wakes of less than one");
	SHOW(await_waiters(&other, &third, 2));
	TRY(futex, &third, FUTEX_WAKE, 0, NULL, NULL, 0);
	TRY(futex, &third, FUTEX_WAKE, -1, NULL, NULL, 0);
	TRY(futex, &third, FUTEX_WAKE, -1, NULL, NULL, 0);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "mapping") == 0) {
		mapping();
	} else if (strcmp(what, "affinity") == 0) {
		affinity();
	} else if (strcmp(what, "futex") == 0) {
		futex(false);
	} else if (strcmp(what, "leave") == 0) {
		futex(true);
	} else if (strcmp(what, "waits") == 0) {
		waits(0);
		waits(SA_RESTART);
		wakes();
	} else {
		return 2;
	}
	return 0;
}
