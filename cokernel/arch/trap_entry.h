/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What entry.S calls. FRAME lies where it was built; changes to it take effect on the way out. */
#ifndef CK_ARCH_TRAP_ENTRY_H
#define CK_ARCH_TRAP_ENTRY_H

#include "lib/types.h"

struct frame;

void trap_syscall(struct frame *frame);
void trap_from_user(struct frame *frame);   /* exception or interrupt */
void trap_from_kernel(struct frame *frame); /* likewise; interrupts: in the idle halt */

/* On stacks of their own; GS_BASE: as it was found. */
void trap_nmi(struct frame *frame, uint64_t gs_base);
void trap_fatal(struct frame *frame, uint64_t gs_base); /* #DF, #MC */
void trap_debug_in_kernel(struct frame *frame, uint64_t gs_base);

/* The last thing before user mode. Returns a LEAVE_... of offsets.h. */
unsigned int trap_leave(struct frame *frame);

__noreturn void enter_user(struct frame *frame);

#endif
