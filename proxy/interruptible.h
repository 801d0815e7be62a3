/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A system call that another thread can end, without a window: no matter whether
 * the wish comes before the call, on the last instruction before it, or while it
 * sleeps in the kernel, the call ends with EINTR; and when it comes too late, the
 * result is the call's own and nothing is lost.
 */
#ifndef PROXY_INTERRUPTIBLE_H
#define PROXY_INTERRUPTIBLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Executes system call NUMBER with six arguments. Returns its result or a negative
 * errno; -EINTR without executing it if *CANCELLED is not 0.
 */
long interruptible_call(const int *cancelled, long number, const long arg[6]);

/*
 * For a signal handler that interrupted the caller of interruptible_call(), with
 * its instruction pointer: where to go on if the call is to be ended.
 */
uintptr_t interruptible_resume(uintptr_t ip);

/* The same, with its register rcx: has Linux begun the call, and would set it up again? */
bool interruptible_has_begun(uintptr_t ip, uintptr_t rcx);

#endif
