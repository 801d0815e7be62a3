/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pieces of the ways in and out: for entry.S, and for isolated.S, where the tables change too. */
#ifndef CK_ARCH_ENTRY_H
#define CK_ARCH_ENTRY_H

#include "arch/offsets.h"
#include "arch/x86.h"

/* Three bytes of no operation that become CLAC on CPUs with SMAP: arch/patch.c. */
.macro CLEAR_AC
771:	.byte 0x0f, 0x1f, 0x00
	.pushsection .patch_clac, "a"
	.quad 771b
	.popsection
.endm

.macro PUSH_REGISTERS
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
.endm

.macro POP_REGISTERS
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
.endm

/*
 * On a stack of its own, from anywhere; the word above the frame is this CPU's
 * struct cpu. RBX keeps the GS base that was there, which the handler is told too.
 * ISOLATED: R12 keeps the tables, which may be a program's.
 */
.macro PARANOID handler isolated=0
	PUSH_REGISTERS
	cld
	CLEAR_AC
	.if \isolated
	movq %cr3, %r12
	movq %r12, %rax
	andq $~TABLES_OF_PROGRAM, %rax
	movq %rax, %cr3
	.endif
	movl $MSR_GS_BASE, %ecx
	rdmsr
	shlq $32, %rdx
	leaq (%rax, %rdx), %rbx
	movq FRAME_SIZE(%rsp), %rax
	movq %rax, %rdx
	shrq $32, %rdx
	wrmsr
	movq %rsp, %rdi
	movq %rbx, %rsi
	call \handler
	movl $MSR_GS_BASE, %ecx
	movq %rbx, %rax
	movq %rbx, %rdx
	shrq $32, %rdx
	wrmsr
	.if \isolated
	movq %r12, %cr3
	.endif
	POP_REGISTERS
	addq $16, %rsp
	iretq
.endm

/* One stub of 16 bytes for each vector. For these the CPU itself pushes an error code. */
#define WITH_ERROR_CODE \
	(1 << 8 | 0x1f << 10 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30)

.macro STUBS name to
	.balign 16
	.globl \name
\name:
vector = 0
.rept 256
	.balign 16
	.if vector >= 32
	pushq $0
	.elseif (1 << vector & WITH_ERROR_CODE) == 0
	pushq $0
	.endif
	pushq $vector
	jmp \to
	vector = vector + 1
.endr
	.balign 16
.endm

#endif
