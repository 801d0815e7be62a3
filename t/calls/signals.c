/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals that are queued and sent, and what becomes of them: sigqueue, kill, sigaction. */
#include <limits.h>

#include "calls.h"
#include "signal_sets.h"

static int seen;

static struct {
	int code;
	int order[8];
} got;

static void on_info(int signal, siginfo_t *info, void *context)
{
	(void)context;
	if (seen < 8)
		got.order[seen] = (signal >= SIGRTMIN ? signal - SIGRTMIN : -signal) * 100 +
				  info->si_value.sival_int;
	got.code = info->si_code;
	seen++;
}

static pid_t sleeper;
static bool over; /* for it */

static void *sleeps(void *unused)
{
	__atomic_store_n(&sleeper, gettid(), __ATOMIC_RELEASE);
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	return unused;
}

static void queued(void)
{
	struct sigaction action = { .sa_sigaction = on_info, .sa_flags = SA_SIGINFO };
	sigset_t set = set_of(SIGUSR1, SIGRTMIN + 1, SIGRTMIN + 2), none, pending;
	siginfo_t info = { .si_code = SI_QUEUE };
	pthread_t thread;
	int i;

	part("sigqueue");
	sigemptyset(&none);
	sigfillset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGRTMIN + 1, &action, NULL);
	sigaction(SIGRTMIN + 2, &action, NULL);
	block(&set);
	seen = 0;
	queue(SIGRTMIN + 2, 1);
	queue(SIGRTMIN + 1, 2);
	queue(SIGRTMIN + 2, 3);
	queue(SIGRTMIN + 1, 4);
	queue(SIGUSR1, 5);
	queue(SIGUSR1, 6);
	TRY(rt_sigpending, &pending, SET);
	SHOW(sigismember(&pending, SIGRTMIN + 1));
	SHOW(sigismember(&pending, SIGHUP));
	block(&none);
	SHOW(seen);
	SHOW(got.code == SI_QUEUE);
	for (i = 0; i < seen && i < 8; i++)
		SHOW(got.order[i]);

	TRY(rt_sigqueueinfo, getpid(), 99, &info);
	TRY(rt_sigqueueinfo, getpid(), -1, &info);
	TRY(rt_sigqueueinfo, getpid(), SIGUSR1, BAD);
	TRY(rt_sigqueueinfo, getpid(), 0, &info);
	TRY(rt_sigqueueinfo, INT_MAX, SIGUSR1, &info);
	TRY(rt_tgsigqueueinfo, getpid(), 0, SIGUSR1, &info);
	TRY(rt_tgsigqueueinfo, getpid(), INT_MAX, SIGUSR1, &info);
	TRY(rt_tgsigqueueinfo, getpid(), gettid(), 99, &info);
	info.si_code = SI_USER;
	TRY(rt_sigqueueinfo, INT_MAX, SIGUSR1, &info);
	info.si_code = SI_TKILL;
	TRY(rt_sigqueueinfo, INT_MAX, SIGUSR1, &info);
	seen = 0;
	TRY(rt_sigqueueinfo, getpid(), SIGUSR1, &info);
	TRY(rt_tgsigqueueinfo, getpid(), gettid(), SIGUSR1, &info);
	SHOW(seen);
	SHOW(got.code);
	/* What a caller leaves in the upper half of an int is not looked at. */
	TRY(kill, getpid(), 0x100000000l + SIGUSR1);
	SHOW(seen);

	part("kill");
	TRY(kill, getpid(), 0);
	TRY(kill, getpid(), 65);
	TRY(kill, getpid(), -1);
	TRY(kill, INT_MAX, 0);
	TRY(kill, INT_MAX, 65);
	TRY(kill, INT_MIN, 0);
	TRY(kill, -77777777, 0);
	TRY(kill, -getpgrp(), 0);
	pthread_create(&thread, NULL, sleeps, NULL);
	while (!__atomic_load_n(&sleeper, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	/* The number of any thread is good for its process. */
	TRY(kill, sleeper, 0);
	TRY(tgkill, sleeper, sleeper, 0);
	TRY(rt_sigqueueinfo, sleeper, 0, &info);
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	TRY(tkill, 0, SIGUSR1);
	TRY(tkill, INT_MAX, SIGUSR1);
	TRY(tkill, INT_MAX, 65);
	TRY(tkill, gettid(), 65);
	TRY(tgkill, getpid(), -1, 0);
	TRY(tgkill, getpid(), INT_MAX, 65);
	TRY(tgkill, 0, gettid(), 0);
	seen = 0;
	TRY(tkill, gettid(), SIGUSR1);
	SHOW(seen);
	SHOW(got.code);
	TRY(kill, getpid(), SIGUSR1);
	SHOW(got.code);
}

static void actions(void)
{
	struct {
		void (*handler)(int);
		unsigned long flags, restorer, mask;
	} action = { SIG_IGN, ~0ul & ~0x04000000ul, 0, ~0ul }, old;
	int pipes[2];

	part("actions");
	TRY(rt_sigaction, SIGHUP, &action, NULL, SET);
	TRY(rt_sigaction, SIGHUP, NULL, &old, SET);
	SHOW(old.handler == SIG_IGN);
	SHOW(old.flags);
	SHOW(old.mask);
	TRY(rt_sigaction, SIGKILL, &action, NULL, SET);
	TRY(rt_sigaction, SIGKILL, NULL, &old, SET);
	TRY(rt_sigaction, 0, NULL, NULL, SET);
	TRY(rt_sigaction, 65, NULL, NULL, SET);
	TRY(rt_sigaction, SIGHUP, NULL, NULL, 4);
	TRY(rt_sigprocmask, 77, NULL, NULL, SET);
	TRY(rt_sigprocmask, 77, &old.mask, NULL, SET);
	TRY(rt_sigprocmask, SIG_BLOCK, BAD, NULL, SET);
	TRY(rt_sigprocmask, SIG_BLOCK, NULL, BAD, SET);

	/* Who wrote is who sent it. */
	block(&(sigset_t){ 0 });
	sigset_t set = set_of(SIGPIPE, SIGPIPE, SIGPIPE);
	siginfo_t info;

	block(&set);
	if (pipe(pipes) < 0)
		return;
	close(pipes[0]);
	TRY(write, pipes[1], "x", 1);
	TRY(rt_sigtimedwait, &set, &info, &(struct timespec){ 1, 0 }, SET);
	SHOW(info.si_code);
	SHOW(info.si_pid == getpid());
	SHOW(info.si_uid == getuid());
	close(pipes[1]);
}

int main(void)
{
	queued();
	actions();
	return 0;
}
