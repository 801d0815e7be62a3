/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways in and out where programs run on tables without the co-kernel (isolation.c):
 * those tables have this section, the IDT, and each CPU's struct entry_area. So what is here
 * may touch nothing else before it has changed to the co-kernel's tables, and after it has
 * left them. The two differ in one bit of CR3.
 *
 * Interrupts are off in all of it; what can come all the same comes on a stack of its own.
 */
#include "arch/entry.h"

	.section .entry, "ax"
	.cfi_startproc
	.cfi_undefined rip

.macro TO_KERNEL scratch
	movq %cr3, \scratch
	andq $~TABLES_OF_PROGRAM, \scratch
	movq \scratch, %cr3
.endm

.macro TO_PROGRAM scratch
	movq %cr3, \scratch
	orq $TABLES_OF_PROGRAM, \scratch
	movq \scratch, %cr3
.endm

	.globl isolated_syscall
isolated_syscall:
	swapgs
	movq %rsp, %gs:ENTRY_SCRATCH
	TO_KERNEL %rsp
	movq %gs:ENTRY_SCRATCH, %rsp
	jmp entry_syscall_go

/* From user mode it is the entry area's small stack, from where the frame goes to the thread's. */
isolated_common:
	testb $3, FRAME_CS - FRAME_VECTOR(%rsp)
	jz entry_common
	swapgs
	movq %rdi, %gs:ENTRY_SCRATCH
	TO_KERNEL %rdi
	movq %rsp, %rdi
	movq %gs:CPU_KERNEL_STACK, %rsp
	pushq 48(%rdi) /* SS */
	pushq 40(%rdi) /* RSP */
	pushq 32(%rdi) /* RFLAGS */
	pushq 24(%rdi) /* CS */
	pushq 16(%rdi) /* RIP */
	pushq 8(%rdi)  /* error code */
	pushq (%rdi)   /* vector */
	movq %gs:ENTRY_SCRATCH, %rdi
	jmp entry_from_user

/* RSP: the frame, from its vector on; all other registers are the program's. */
	.globl leave_isolated
leave_isolated:
	movq %rdi, %gs:ENTRY_SCRATCH
	movq %rsp, %rdi
	movq %gs:ENTRY_RSP0, %rsp
	pushq 48(%rdi)
	pushq 40(%rdi)
	pushq 32(%rdi)
	pushq 24(%rdi)
	pushq 16(%rdi)
	TO_PROGRAM %rdi
	movq %gs:ENTRY_SCRATCH, %rdi
	swapgs
	iretq

	.globl isolated_nmi
isolated_nmi:
	pushq $0
	pushq $VECTOR_NMI
	PARANOID trap_nmi isolated=1

	.globl isolated_double_fault
isolated_double_fault:
	pushq $VECTOR_DOUBLE_FAULT
	PARANOID trap_fatal isolated=1

	.globl isolated_machine_check
isolated_machine_check:
	pushq $0
	pushq $VECTOR_MACHINE_CHECK
	PARANOID trap_fatal isolated=1

	.globl isolated_debug
isolated_debug:
	pushq $0
	pushq $VECTOR_DEBUG
	testb $3, FRAME_CS - FRAME_VECTOR(%rsp)
	jnz 1f
	PARANOID trap_debug_in_kernel isolated=1
1:	PUSH_REGISTERS
	cld
	CLEAR_AC
	swapgs
	TO_KERNEL %rax
	jmp entry_debug_go

/*
 * uint64_t isolation_peek(const uint64_t *address): what a program would find there if its
 * tables were all that keeps it from it. For a test: what they do not have ends it.
 */
	.globl isolation_peek
isolation_peek:
	TO_PROGRAM %rax
	movq (%rdi), %rdx
	TO_KERNEL %rax
	movq %rdx, %rax
	ret
	.cfi_endproc

	STUBS isolated_stubs isolated_common

	.section .note.GNU-stack, "", @progbits
