/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ending.h"

#include <signal.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

void ending_with_parent(void)
{
	/*
	 * A parent that was dead before this has closed the enclave's descriptor, which
	 * ends the enclave and so this proxy: nothing to check for.
	 */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void ending_like(int status)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	struct rlimit none = { 0, 0 };
	sigset_t all;
	int signal;

	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));

	/* A core of the proxy says nothing about the program; limits do not stop a piped one. */
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &none);
	signal = WTERMSIG(status);
	sigaction(signal, &standard, NULL);
	sigemptyset(&all);
	sigaddset(&all, signal);
	kill(getpid(), signal);
	sigprocmask(SIG_UNBLOCK, &all, NULL);
	/* Only a signal that kills nobody comes here: say it as a shell does. */
	_exit(128 + signal);
}
