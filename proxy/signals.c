/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>
#include <sys/signalfd.h>

#include "descriptor.h"
#include "worker.h"

/* Bit SIGNAL - 1: has come, and was not sent yet. As in Linux, one of a kind waits. */
static uint64_t waiting;

static bool is_inherited_ignored(int signal)
{
	struct sigaction action;

	return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static bool is_own(int signal)
{
	return signal == SIGPIPE || signal == SIGTSTP || signal == SIGTTIN ||
	       signal == SIGTTOU || signal == worker_signal();
}

int signals_open(void)
{
	/* A write to a closed pipe shall return EPIPE, not kill the proxy. */
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t forwarded;
	int signal;
	int fd;

	sigaction(SIGPIPE, &ignore, NULL);
	sigfillset(&forwarded);
	for (signal = 1; signal <= SIGRTMAX; signal++)
		if (is_own(signal) || is_inherited_ignored(signal))
			sigdelset(&forwarded, signal);
	sigprocmask(SIG_SETMASK, &forwarded, NULL);

	fd = signalfd(-1, &forwarded, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : descriptor_hide(fd);
}

bool signals_forward(int fd, struct task *task)
{
	struct signalfd_siginfo came;
	int signal;

	while (read(fd, &came, sizeof(came)) == (ssize_t)sizeof(came))
		waiting |= 1ull << (came.ssi_signo - 1);
	for (signal = 1; signal <= 64; signal++) {
		uint64_t bit = 1ull << (signal - 1);

		/* Any other refusal means that there is no program to send it to. */
		if ((waiting & bit) && task->ops->signal(task, signal) != -EAGAIN)
			waiting &= ~bit;
	}
	return waiting != 0;
}
