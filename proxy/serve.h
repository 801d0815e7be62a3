/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proxy's work while the program runs.
 */
#ifndef PROXY_SERVE_H
#define PROXY_SERVE_H

#include "channel.h"

/*
 * Executes the program's calls and forwards its signals, which come from
 * SIGNAL_FD, until it ends. Returns its wait status, as waitpid(2) gives it. Does
 * not return if the enclave ends before the program.
 */
int serve(struct channel *channel, int signal_fd);

#endif
