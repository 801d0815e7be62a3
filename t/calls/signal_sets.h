/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs about signals have in common. */
#include <signal.h>
#include <unistd.h>

#define SET 8 /* bytes of the kernel's sigset_t */

static sigset_t set_of(int a, int b, int c)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, a);
	sigaddset(&set, b);
	sigaddset(&set, c);
	return set;
}

static void block(const sigset_t *set)
{
	pthread_sigmask(SIG_SETMASK, set, NULL);
}

static void queue(int signal, int value)
{
	sigqueue(getpid(), signal, (union sigval){ .sival_int = value });
}
