/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions of the CPU: a program's become signals, the kernel's own are its end. */
#ifndef CK_ARCH_FAULT_H
#define CK_ARCH_FAULT_H

#include "lib/types.h"

struct frame;

/* Numbers of the Linux x86-64 ABI. */
enum fault_signal {
	SIGNAL_ILL = 4,
	SIGNAL_TRAP = 5,
	SIGNAL_BUS = 7,
	SIGNAL_FPE = 8,
	SIGNAL_SEGV = 11,
};

#define SIGNAL_CODE_KERNEL 0x80

void fault_from_user(struct frame *frame);
void fault_from_kernel(struct frame *frame);
__noreturn void fault_fatal(const struct frame *frame);

#endif
