/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>
#include <sys/signalfd.h>

#include <pisces/ioctl.h>

#include "descriptor.h"
#include "worker.h"

#define SIGNALS 64

/* Taken from Linux at one go: so that calls get their turn under a storm of signals. */
#define FORWARD_MOST 64

static bool is_own(int signal)
{
	return signal == SIGPIPE || signal == SIGTSTP || signal == SIGTTIN ||
	       signal == SIGTTOU || signal == worker_signal();
}

void signals_inherited(uint64_t *ignored, uint64_t *blocked)
{
	struct sigaction action;
	sigset_t mask;
	int signal;

	*ignored = *blocked = 0;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (signal = 1; signal <= SIGNALS; signal++) {
		uint64_t bit = 1ull << (signal - 1);

		if (sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			*ignored |= bit;
		if (sigismember(&mask, signal) == 1)
			*blocked |= bit;
	}
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
		if (is_own(signal))
			sigdelset(&forwarded, signal);
	/* Blocked they come even if they are ignored: the program may think otherwise by now. */
	sigprocmask(SIG_SETMASK, &forwarded, NULL);

	fd = signalfd(-1, &forwarded, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : descriptor_hide(fd);
}

static struct pisces_signal told(const struct signalfd_siginfo *came)
{
	struct pisces_signal signal = {
		.signal = came->ssi_signo,
		.code = came->ssi_code,
		.pid = (int32_t)came->ssi_pid,
		.uid = came->ssi_uid,
		.value = came->ssi_ptr,
	};

	/* Sent by sigqueue(3) with a timer's code: the same bytes have other names then. */
	if (came->ssi_code == SI_TIMER) {
		signal.pid = (int32_t)came->ssi_tid;
		signal.uid = came->ssi_overrun;
	}
	if (came->ssi_signo == SIGCHLD && came->ssi_code > 0)
		signal.value = (uint32_t)came->ssi_status;
	return signal;
}

bool signals_forward(int fd, struct task *task)
{
	/* One that was refused; those behind it wait in Linux, in its order and number. */
	static struct signalfd_siginfo came;
	static bool waiting;
	int count;

	for (count = 0; count < FORWARD_MOST; count++) {
		struct pisces_signal signal;

		if (!waiting && read(fd, &came, sizeof(came)) != (ssize_t)sizeof(came))
			return false;
		signal = told(&came);
		/* Any other refusal means that there is no program to send it to. */
		waiting = task->ops->signal(task, &signal) == -EAGAIN;
		if (waiting)
			return true;
	}
	return false;
}
