/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of interrupted code, as the entry paths (interrupt, exception,
 * SYSCALL) leave them on the kernel stack, at its very top when they came from
 * user mode. All paths build the same frame, so that a signal can be delivered
 * from any of them; all return by IRET from it (SYSRET where nothing changed).
 */
#ifndef CK_ARCH_FRAME_H
#define CK_ARCH_FRAME_H

#include "lib/types.h"

struct frame {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	uint64_t rax, rcx, rdx, rsi, rdi;
	uint64_t vector; /* FRAME_SYSCALL for a system call */
	uint64_t error;	 /* error code of the CPU; for a system call its number (orig_rax) */
	uint64_t rip, cs, rflags, rsp, ss;
};

#define FRAME_SYSCALL 0x100u

#define USER_CS 0x33u
#define USER_SS 0x2bu

/*
 * Makes user registers that a program wrote itself (sigreturn, ptrace) harmless:
 * selectors are the only ones there are, flags only those a program may set. A rip
 * that is no address is found on the way out and becomes SIGSEGV.
 */
void frame_sanitize(struct frame *frame);

static inline bool frame_from_user(const struct frame *frame)
{
	return (frame->cs & 3) == 3;
}

#endif
