/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals: what is sent to the proxy is meant for the program, with all that is known of
 * who sent it. The proxy keeps none: those that the module does not take yet wait in
 * Linux, which merges and queues them as it would the program's.
 *
 * Forwarded: all but
 *   - SIGKILL and SIGSTOP, which nobody can catch;
 *   - SIGTSTP, SIGTTIN and SIGTTOU, which stop the proxy, as a terminal's user
 *     expects, and with it what the program does on Linux;
 *   - SIGPIPE: the program's own is raised inside the enclave, from EPIPE;
 *   - the one that the proxy needs for itself (worker_signal()), and the two
 *     that the C library does.
 */
#ifndef PROXY_SIGNALS_H
#define PROXY_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

#include "task.h"

/*
 * What a program inherits: signals that are ignored (nohup), and those that are blocked.
 * Bit SIGNAL - 1 each. To be called before signals_open().
 */
void signals_inherited(uint64_t *ignored, uint64_t *blocked);

/*
 * Blocks them in this thread and all that it will make. Returns a descriptor that
 * is readable when there is one, or a negative errno.
 */
int signals_open(void);

/*
 * Forwards what has come. True: the module could not take all of it; call again
 * soon.
 */
bool signals_forward(int fd, struct task *task);

#endif
