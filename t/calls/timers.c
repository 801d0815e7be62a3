/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time: clocks, sleeps, and timers that send signals. */
#include <sys/time.h>
#include <sys/timex.h>

#include "calls.h"

static volatile int seen, seen_code, seen_value, most_overrun;
static pthread_t handled_by;

static void on_timer(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	seen++;
	seen_code = info->si_code;
	seen_value = info->si_value.sival_int;
	if (info->si_overrun > most_overrun)
		most_overrun = info->si_overrun;
	handled_by = pthread_self();
}

/* Until the handler has run COUNT times, 5 s at most. */
static void await(int count)
{
	int i;

	for (i = 0; i < 500 && seen < count; i++)
		sleep_ms(10);
}

static void kernel_timers(void)
{
	struct itimerspec set = { .it_value = { 0, 20000000 } }, old;
	struct itimerspec wrong = { .it_value = { -1, 0 } }, off = { { 0, 0 }, { 0, 0 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct sigaction action = { .sa_sigaction = on_timer, .sa_flags = SA_SIGINFO };
	sigset_t mask, before;
	int timer, other, none;

	part("timer_create");
	sigaction(SIGRTMIN, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	event.sigev_value.sival_int = 77;
	TRY(timer_create, 99, &event, &timer);
	TRY(timer_create, CLOCK_MONOTONIC_RAW, &event, &timer);
	TRY(timer_create, CLOCK_MONOTONIC, BAD, &timer);
	TRY(timer_create, CLOCK_MONOTONIC, &event, BAD);
	event.sigev_notify = 99;
	TRY(timer_create, CLOCK_MONOTONIC, &event, &timer);
	event.sigev_notify = SIGEV_THREAD_ID;
	event._sigev_un._tid = 1;
	TRY(timer_create, CLOCK_MONOTONIC, &event, &timer);
	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = 65;
	TRY(timer_create, CLOCK_MONOTONIC, &event, &timer);
	event.sigev_signo = 0;
	TRY(timer_create, CLOCK_MONOTONIC, &event, &timer);
	event.sigev_signo = SIGRTMIN;
	TRY(timer_create, CLOCK_MONOTONIC, &event, &timer);
	TRY(timer_gettime, timer, &old);
	SHOW(old.it_value.tv_nsec);
	TRY(timer_gettime, timer, BAD);
	TRY(timer_gettime, 1234, &old);
	TRY(timer_settime, timer, 0, NULL, NULL);
	TRY(timer_settime, timer, 0, BAD, NULL);
	TRY(timer_settime, timer, 0, &wrong, NULL);
	TRY(timer_settime, 1234, 0, &set, NULL);
	TRY(timer_settime, timer, 0, &set, &old);
	await(1);
	SHOW(seen);
	SHOW(seen_code == SI_TIMER);
	SHOW(seen_value);
	SHOW(most_overrun);
	TRY(timer_getoverrun, timer);
	TRY(timer_getoverrun, 1234);

	part("periods");
	seen = 0;
	set.it_interval.tv_nsec = 10000000;
	TRY(timer_settime, timer, 0, &set, NULL);
	await(3);
	SHOW(seen >= 3);
	sigemptyset(&mask);
	sigaddset(&mask, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &mask, &before);
	most_overrun = 0;
	sleep_ms(200);
	sigprocmask(SIG_SETMASK, &before, NULL);
	SHOW(most_overrun >= 5);
	TRY(timer_settime, timer, 0, &off, &old);
	SHOW(old.it_interval.tv_nsec);
	SHOW(old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 10000000);
	seen = 0;
	sleep_ms(50);
	SHOW(seen);

	part("points in time");
	clock_gettime(CLOCK_REALTIME, &set.it_value);
	set.it_interval.tv_nsec = 0;
	TRY(timer_create, CLOCK_REALTIME, NULL, &other);
	TRY(timer_settime, other, TIMER_ABSTIME, &set, NULL);
	await(1);
	SHOW(seen);
	SHOW(seen_value == other);
	event.sigev_notify = SIGEV_NONE;
	TRY(timer_create, CLOCK_BOOTTIME, &event, &none);
	set.it_value = (struct timespec){ 1000, 0 };
	TRY(timer_settime, none, 0, &set, NULL);
	TRY(timer_gettime, none, &old);
	SHOW(old.it_value.tv_sec >= 900);
	event.sigev_notify = SIGEV_THREAD_ID;
	event._sigev_un._tid = gettid();
	TRY(timer_delete, none);
	TRY(timer_create, CLOCK_MONOTONIC, &event, &none);
	seen = 0;
	set.it_value = (struct timespec){ 0, 1 };
	TRY(timer_settime, none, 0, &set, NULL);
	await(1);
	SHOW(seen);
	TRY(timer_delete, none);
	TRY(timer_delete, other);
	TRY(timer_delete, timer);
	TRY(timer_delete, timer);
}

static volatile int thread_calls;

static void in_thread(union sigval value)
{
	if (value.sival_int == 5)
		__atomic_fetch_add(&thread_calls, 1, __ATOMIC_SEQ_CST);
}

/* As the C library does it: a thread of its own. */
static void library_timers(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD };
	struct itimerspec set = { { 0, 5000000 }, { 0, 5000000 } };
	timer_t timer;
	int i;

	part("SIGEV_THREAD");
	event.sigev_value.sival_int = 5;
	event.sigev_notify_function = in_thread;
	say("timer_create", timer_create(CLOCK_MONOTONIC, &event, &timer));
	say("timer_settime", timer_settime(timer, 0, &set, NULL));
	for (i = 0; i < 500 && thread_calls < 3; i++)
		sleep_ms(10);
	SHOW(thread_calls >= 3);
	say("timer_delete", timer_delete(timer));
}

static void intervals(void)
{
	struct itimerval set = { .it_value = { 0, 20000 } }, old, wrong = { .it_value = { 0, -1 } };
	long left;

	part("setitimer, alarm");
	seen = 0;
	TRY(setitimer, 77, &set, NULL);
	TRY(setitimer, ITIMER_REAL, &wrong, NULL);
	TRY(setitimer, ITIMER_REAL, BAD, NULL);
	TRY(setitimer, ITIMER_REAL, &set, &old);
	TRY(getitimer, ITIMER_REAL, &old);
	TRY(getitimer, ITIMER_REAL, BAD);
	TRY(getitimer, 77, &old);
	await(1);
	SHOW(seen);
	SHOW(seen_code == SI_KERNEL);
	TRY(alarm, 1000);
	left = syscall(SYS_alarm, 0);
	SHOW(left >= 900 && left <= 1000);
	TRY(alarm, 0);
}

static void clocks(void)
{
	struct timespec time, later = { 0, 1000000 }, wrong = { 0, -5 };
	struct timeval day;
	clockid_t clock;

	part("clocks");
	for (clock = 0; clock < 12; clock++) {
		printf("clock %d\n", clock);
		TRY(clock_gettime, clock, &time);
	}
	TRY(clock_gettime, 99, &time);
	TRY(clock_gettime, CLOCK_MONOTONIC, BAD);
	TRY(clock_gettime, CLOCK_MONOTONIC, KERNEL);
	TRY(clock_getres, CLOCK_MONOTONIC, NULL);
	TRY(clock_getres, CLOCK_MONOTONIC, &time);
	SHOW(time.tv_nsec);
	TRY(clock_getres, 99, &time);
	TRY(clock_settime, CLOCK_MONOTONIC, &time);
	TRY(gettimeofday, &day, NULL);
	TRY(gettimeofday, NULL, NULL);
	TRY(gettimeofday, BAD, NULL);
	TRY_ANY(time, NULL);
	TRY_ANY(times, NULL);
	TRY(nanosleep, &later, NULL);
	TRY(nanosleep, &wrong, NULL);
	TRY(nanosleep, BAD, NULL);
	TRY(clock_nanosleep, CLOCK_MONOTONIC, 0, &later, NULL);
	TRY(clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &later, NULL);
	TRY(clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &later, NULL);
	TRY(clock_nanosleep, 99, 0, &later, NULL);
	TRY(clock_nanosleep, CLOCK_MONOTONIC, 0, &wrong, NULL);
}

/* Computes until the handler has run COUNT times, 10 s at most. */
static void compute_until(int count)
{
	struct timespec start, now;
	volatile int i;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		for (i = 0; i < 10000; i++)
			;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (seen < count && now.tv_sec < start.tv_sec + 10);
}

static long long cpu_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/*
 * Those that count CPU time: not while the program sleeps, and not too early. In an enclave a
 * CPU that stands still counts as if it computed.
 */
static void cpu_intervals(void)
{
	static const struct {
		int clock, signal;
	} kinds[] = { { ITIMER_PROF, SIGPROF }, { ITIMER_VIRTUAL, SIGVTALRM } };
	struct sigaction action = { .sa_sigaction = on_timer, .sa_flags = SA_SIGINFO | SA_RESTART };
	const struct itimerval set = { { 0, 20000 }, { 0, 50000 } }, off = { { 0, 0 }, { 0, 0 } };
	struct itimerval old;
	long long start;
	size_t i;

	part("interval timers of CPU time");
	for (i = 0; i < 2; i++) {
		sigaction(kinds[i].signal, &action, NULL);
		seen = 0;
		start = cpu_time();
		TRY(setitimer, kinds[i].clock, &set, &old);
		sleep_ms(300);
		SHOW(seen == 0 || cpu_time() - start >= 30000000);
		TRY(getitimer, kinds[i].clock, &old);
		SHOW(old.it_value.tv_sec == 0 && old.it_value.tv_usec > 0);
		SHOW(old.it_interval.tv_usec);
		compute_until(1);
		SHOW(seen >= 1);
		SHOW(cpu_time() - start >= 30000000);
		compute_until(5);
		SHOW(seen >= 5);
		SHOW(cpu_time() - start >= 90000000);
		TRY(setitimer, kinds[i].clock, &off, &old);
		SHOW(old.it_interval.tv_usec);
		seen = 0;
		compute_until(0);
		SHOW(seen);
		TRY(getitimer, kinds[i].clock, &old);
		SHOW(old.it_value.tv_sec + old.it_value.tv_usec);
	}
	TRY(getitimer, 3, &old);
	TRY(setitimer, 3, &set, NULL);
	TRY(setitimer, -1, &set, NULL);
}

int main(void)
{
	kernel_timers();
	library_timers();
	intervals();
	cpu_intervals();
	clocks();
	return 0;
}
