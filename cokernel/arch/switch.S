/* SPDX-License-Identifier: GPL-2.0-or-later */
	.text

/* void switch_stacks(uint64_t *save, uint64_t load) */
	.globl switch_stacks
switch_stacks:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret

/* Where the first switch to a thread returns to: R12 is its entry, R13 the argument. */
	.globl context_begin
context_begin:
	movq %r13, %rdi
	xorl %ebp, %ebp
	call *%r12
	ud2

	.section .note.GNU-stack, "", @progbits
