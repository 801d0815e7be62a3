/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "interruptible.h"

#include <errno.h>
#include <stddef.h>

/*
 * Between interruptible_first and interruptible_done the call has not happened,
 * or the kernel has set the instruction pointer back to restart it: a handler may
 * go to interruptible_cancelled from there. After the instruction at
 * interruptible_done - 2 the result is in rax and must be kept.
 */
__asm__(".text\n"
	".globl interruptible_call\n"
	".type interruptible_call, @function\n"
	"interruptible_call:\n"
	"	.cfi_startproc\n"
	"	mov	%rdi, %rcx\n"
	"	mov	%rsi, %rax\n"
	"	mov	%rdx, %r11\n"
	"	mov	0(%r11), %rdi\n"
	"	mov	8(%r11), %rsi\n"
	"	mov	16(%r11), %rdx\n"
	"	mov	24(%r11), %r10\n"
	"	mov	32(%r11), %r8\n"
	"	mov	40(%r11), %r9\n"
	"interruptible_first:\n"
	"	cmpl	$0, (%rcx)\n"
	"	jne	interruptible_cancelled\n"
	"interruptible_syscall:\n"
	"	syscall\n"
	"interruptible_done:\n"
	"	ret\n"
	"interruptible_cancelled:\n"
	"	mov	$-4, %rax\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size interruptible_call, . - interruptible_call\n");

_Static_assert(EINTR == 4, "interruptible_call returns -EINTR");
_Static_assert(sizeof(long) == 8, "interruptible_call is for x86-64");

extern const char interruptible_first[], interruptible_syscall[], interruptible_done[],
	interruptible_cancelled[];

uintptr_t interruptible_resume(uintptr_t ip)
{
	if (ip >= (uintptr_t)interruptible_first && ip < (uintptr_t)interruptible_done)
		return (uintptr_t)interruptible_cancelled;
	return ip;
}

bool interruptible_has_begun(uintptr_t ip, uintptr_t rcx)
{
	/* The instruction leaves in rcx where it goes on, and that stays when it is set up again. */
	return ip == (uintptr_t)interruptible_syscall && rcx == (uintptr_t)interruptible_done;
}
