/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CK_ARCH_PANIC_H
#define CK_ARCH_PANIC_H

#include "lib/types.h"

struct frame;

/* panic() for an exception: shows the registers of FRAME and the way that led to it. */
__noreturn void panic_at(const struct frame *frame, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
