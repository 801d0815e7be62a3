/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linux itself in the place of a proxy, for unit tests: the channel's data area is one page,
 * and a call is made at once, by who calls.
 */
#ifndef UNIT_LINUX_CALLS_H
#define UNIT_LINUX_CALLS_H

#include <stdint.h>

/* The data area; an address in a call is an offset in it. */
extern uint8_t linux_area[4096];

/* Of syscall(2): the result, or the negative errno. */
int64_t linux_result(long result);

#endif
