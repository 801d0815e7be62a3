/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals inside a program: handlers, masks, alternative stacks, interrupted and
 * restarted calls, faults that are survived. Says "ok" for each that works.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static int failed;

static void check(bool good, const char *what)
{
	printf("%s %s\n", good ? "ok    " : "NOT ok", what);
	if (!good)
		failed = 1;
}

static volatile sig_atomic_t count, last_signal;
static siginfo_t last_info;

static void remember(int signal, siginfo_t *info, void *context)
{
	(void)context;
	count++;
	last_signal = signal;
	last_info = *info;
}

static void install(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = handler;
	action.sa_flags = SA_SIGINFO | flags;
	if (sigaction(signal, &action, NULL) != 0) {
		perror("sigaction");
		exit(1);
	}
}

/* ---- floating point and registers survive a handler ---- */

static void disturb(int signal, siginfo_t *info, void *context)
{
	volatile double x = 1.5;
	int i;

	for (i = 0; i < 100; i++)
		x = x * 1.0001 + i;
	remember(signal, info, context);
}

static bool registers_survive(void)
{
	double a = 1.25, b = 2.5, c = 3.75, d = 0;
	int i;

	install(SIGUSR1, disturb, 0);
	for (i = 0; i < 50; i++) {
		d += a * b + c;
		raise(SIGUSR1);
	}
	return d == 50 * (1.25 * 2.5 + 3.75);
}

/* ---- a fault that is repaired, with the address it names ---- */

static char *page;

static void repair(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	count++;
	if (info->si_addr != page + 123 || info->si_code != SEGV_ACCERR)
		_exit(1);
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static bool fault_is_repaired(void)
{
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	install(SIGSEGV, repair, 0);
	count = 0;
	((volatile char *)page)[123] = 42;
	return count == 1 && page[123] == 42;
}

static sigjmp_buf back;

static void jump(int signal, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	siglongjmp(back, signal);
}

/* The signal that ends FUNCTION, 0 if it returns. */
static int signal_of(void (*function)(void))
{
	int signal = sigsetjmp(back, 1);

	if (signal == 0)
		function();
	return signal;
}

static void write_nowhere(void)
{
	volatile uintptr_t nowhere = 16;

	*(volatile int *)nowhere = 1;
}

static void divide_by_zero(void)
{
	volatile int number = 1, zero = 0;

	number = number / zero;
}

static void execute_nonsense(void)
{
	__asm__ volatile("ud2");
}

static bool faults_are_left(void)
{
	install(SIGSEGV, jump, 0);
	install(SIGFPE, jump, 0);
	install(SIGILL, jump, 0);
	return signal_of(write_nowhere) == SIGSEGV && signal_of(divide_by_zero) == SIGFPE &&
	       signal_of(execute_nonsense) == SIGILL;
}

/* ---- the stack overflows, and its handler has another one ---- */

static char other_stack[64 * 1024];
static volatile bool was_on_other;

static void on_other_stack(int signal, siginfo_t *info, void *context)
{
	char here;

	(void)info;
	(void)context;
	was_on_other = &here >= other_stack && &here < other_stack + sizeof(other_stack);
	siglongjmp(back, signal);
}

static int dig(int depth)
{
	volatile char room[4096];

	room[0] = (char)depth;
	return depth == 0 ? room[0] : dig(depth - 1) + room[0];
}

static void overflow(void)
{
	/* 4 TiB are more than any stack. */
	dig(1 << 30);
}

static bool overflow_is_survived(void)
{
	const stack_t stack = { .ss_sp = other_stack, .ss_size = sizeof(other_stack) };

	if (sigaltstack(&stack, NULL) != 0)
		return false;
	install(SIGSEGV, on_other_stack, SA_ONSTACK);
	return signal_of(overflow) == SIGSEGV && was_on_other;
}

/* ---- masks ---- */

static bool blocked_waits(void)
{
	sigset_t set, old, pending;
	bool good;

	install(SIGTERM, remember, 0);
	count = 0;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	kill(getpid(), SIGTERM);
	sigpending(&pending);
	good = count == 0 && sigismember(&pending, SIGTERM);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return good && count == 1 && last_info.si_pid == getpid();
}

static bool real_time_signals_queue(void)
{
	const union sigval value[3] = { { .sival_int = 1 }, { .sival_int = 2 }, { .sival_int = 3 } };
	sigset_t set;
	siginfo_t info;
	int i;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (i = 0; i < 3; i++)
		sigqueue(getpid(), SIGRTMIN + 1, value[i]);
	for (i = 0; i < 3; i++) {
		if (sigwaitinfo(&set, &info) != SIGRTMIN + 1 || info.si_value.sival_int != i + 1)
			return false;
	}
	return true;
}

/* ---- calls that are interrupted, or go on ---- */

static void alarm_in(int microseconds)
{
	const struct itimerval timer = { .it_value = { .tv_usec = microseconds } };

	setitimer(ITIMER_REAL, &timer, NULL);
}

static bool sleep_is_interrupted(void)
{
	struct timespec ten = { .tv_sec = 10 }, left = { 0 };

	install(SIGALRM, remember, SA_RESTART);
	count = 0;
	alarm_in(20000);
	return nanosleep(&ten, &left) == -1 && errno == EINTR && count == 1 && left.tv_sec == 9;
}

static pthread_t main_thread;
static int pipe_ends[2];

static void *signal_then_write(void *unused)
{
	usleep(20000);
	pthread_kill(main_thread, SIGALRM);
	usleep(20000);
	if (write(pipe_ends[1], "x", 1) != 1)
		_exit(1);
	return unused;
}

static bool read_with(int flags, bool restarts)
{
	pthread_t thread;
	ssize_t result;
	char byte = 0;

	install(SIGALRM, remember, flags);
	count = 0;
	pthread_create(&thread, NULL, signal_then_write, NULL);
	result = read(pipe_ends[0], &byte, 1);
	if (restarts)
		return pthread_join(thread, NULL) == 0 && result == 1 && byte == 'x' && count == 1;
	if (result != -1 || errno != EINTR || count != 1)
		return false;
	pthread_join(thread, NULL);
	return read(pipe_ends[0], &byte, 1) == 1;
}

static bool suspend_works(void)
{
	sigset_t none, alarms, old;

	install(SIGALRM, remember, 0);
	count = 0;
	sigemptyset(&none);
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	sigprocmask(SIG_BLOCK, &alarms, &old);
	alarm_in(20000);
	if (sigsuspend(&none) != -1 || errno != EINTR || count != 1)
		return false;
	sigprocmask(SIG_SETMASK, NULL, &none);
	return sigismember(&none, SIGALRM);
}

/* ---- a signal to one thread of several ---- */

static atomic_bool there;
static atomic_bool leave;
static pthread_t hit;

static void note_thread(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	(void)context;
	hit = pthread_self();
	atomic_store(&leave, true);
}

static void *compute(void *unused)
{
	atomic_store(&there, true);
	while (!atomic_load(&leave))
		;
	return unused;
}

static bool computing_thread_is_hit(void)
{
	pthread_t thread;

	install(SIGUSR2, note_thread, 0);
	pthread_create(&thread, NULL, compute, NULL);
	while (!atomic_load(&there))
		usleep(1000);
	pthread_kill(thread, SIGUSR2);
	pthread_join(thread, NULL);
	return pthread_equal(hit, thread);
}

static bool once_is_once(void)
{
	struct sigaction now;

	install(SIGUSR1, remember, SA_RESETHAND);
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &now);
	return now.sa_handler == SIG_DFL;
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	main_thread = pthread_self();
	if (pipe(pipe_ends) != 0) {
		perror("pipe");
		return 1;
	}
	check(registers_survive(), "registers survive a handler");
	check(fault_is_repaired(), "a fault is repaired by its handler");
	check(faults_are_left(), "faults are left by siglongjmp");
	check(overflow_is_survived(), "a stack overflow on an alternative stack");
	check(blocked_waits(), "a blocked signal waits");
	check(real_time_signals_queue(), "real-time signals queue");
	check(sleep_is_interrupted(), "a sleep is interrupted");
	check(read_with(0, false), "a read on Linux is interrupted");
	check(read_with(SA_RESTART, true), "a read on Linux goes on with SA_RESTART");
	check(computing_thread_is_hit(), "a computing thread is hit");
	check(once_is_once(), "SA_RESETHAND");
	check(suspend_works(), "sigsuspend");
	return failed;
}
