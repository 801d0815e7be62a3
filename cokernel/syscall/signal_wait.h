/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls that wait on Linux for descriptors, signal files (task/signal_file.h) maybe among
 * them:
 *
 *	signal_wait_begin(&wait, span);
 *	do
 *		result = the call, for signal_wait_left(&wait) milliseconds
 *	while (signal_wait_again(&wait, result));
 */
#ifndef CK_SYSCALL_SIGNAL_WAIT_H
#define CK_SYSCALL_SIGNAL_WAIT_H

#include "lib/types.h"

struct signal_wait {
	nsec_t span, deadline;
	bool again;
};

/* SPAN: what the program asked for; NSEC_FOREVER: no limit. */
void signal_wait_begin(struct signal_wait *wait, nsec_t span);

/* For poll(2) and epoll_wait(2), -1: no limit. Rounded up, since it must not be early. */
uint64_t signal_wait_left(const struct signal_wait *wait);

/* Did RESULT, -ERESTARTSYS, come only of a signal for a signal file? It can be read by now. */
bool signal_wait_again(struct signal_wait *wait, int64_t result);

#endif
