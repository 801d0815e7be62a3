/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways into the co-kernel and out of it. All build struct frame; those from
 * user mode at the very top of the thread's kernel stack.
 *
 * In the kernel GS base is this CPU's struct cpu; SWAPGS at each crossing. Code that
 * comes on a stack of its own (IST) may have interrupted the instructions before
 * SWAPGS, so it sets GS base itself and puts back what it found.
 */
#include "arch/entry.h"

#define USER_CS 0x33
#define USER_SS 0x2b
#define FRAME_SYSCALL 0x100
#define SINGLE_STEP 0x100 /* of RFLAGS */

/* System calls */
#define NR_GETPID 39
#define NR_GETTID 186

	.text

/* Debuggers end here: what called this is a program, if anything. */
	.cfi_sections .debug_frame
	.cfi_startproc
	.cfi_undefined rip

/*
 * getpid(2) and gettid(2) are answered at once: they change nothing, so there is nothing to
 * look for on the way out, and what comes meanwhile comes with an interrupt. RSP is the
 * program's all the time. All else that a program can ask for ends in leave_to_user; so do
 * these when it single-steps.
 */
.macro ANSWER field
	testl $SINGLE_STEP, %r11d
	jnz 1f
	movq %gs:CPU_STATUS, %rax
	incq CPU_STATUS_HEARTBEAT(%rax)
	incq CPU_STATUS_SYSCALLS(%rax)
	movq %gs:CPU_CURRENT, %rax
	incq CONTEXT_CALLS(%rax)
	movl \field(%rax), %eax
	swapgs
	sysretq
.endm

answer_pid:
	ANSWER CONTEXT_PID
answer_tid:
	ANSWER CONTEXT_TID

	.globl entry_syscall
entry_syscall:
	swapgs
	cmpl $NR_GETPID, %eax
	je answer_pid
	cmpl $NR_GETTID, %eax
	je answer_tid
1:
	.globl entry_syscall_go
entry_syscall_go:
	movq %rsp, %gs:CPU_USER_RSP
	movq %gs:CPU_KERNEL_STACK, %rsp
	pushq $USER_SS
	pushq %gs:CPU_USER_RSP
	pushq %r11
	pushq $USER_CS
	pushq %rcx
	pushq %rax
	pushq $FRAME_SYSCALL
	PUSH_REGISTERS
	xorl %ebp, %ebp
	movq %rsp, %rdi
	call trap_syscall
	jmp leave_to_user

/* All other ways in: vector and error code have been pushed. */
	.globl entry_common
entry_common:
	testb $3, FRAME_CS - FRAME_VECTOR(%rsp)
	jz 1f
	swapgs
	.globl entry_from_user
entry_from_user:
	PUSH_REGISTERS
	cld
	CLEAR_AC
	xorl %ebp, %ebp
	movq %rsp, %rdi
	call trap_from_user
	jmp leave_to_user
1:	PUSH_REGISTERS
	cld
	CLEAR_AC
	movq %rsp, %rdi
	call trap_from_kernel
	POP_REGISTERS
	addq $16, %rsp
	iretq

/* RDI: a frame on the stack that is to be left for user mode. */
	.globl enter_user
enter_user:
	movq %rdi, %rsp
	xorl %ebp, %ebp

/*
 * RSP: the frame. SYSRET is faster, but gives RIP in RCX and RFLAGS in R11, so it is
 * for a frame that says the same; trap_leave() knows, and whether tables are to be changed.
 */
leave_to_user:
	movq %rsp, %rdi
	call trap_leave
	cmpl $LEAVE_BY_SYSRET, %eax
	POP_REGISTERS
	ja leave_isolated
	jb 1f
	swapgs
	movq (FRAME_RSP - FRAME_VECTOR)(%rsp), %rsp
	sysretq
1:	addq $16, %rsp
	swapgs
	iretq

	.globl entry_nmi
entry_nmi:
	pushq $0
	pushq $VECTOR_NMI
	PARANOID trap_nmi

	.globl entry_double_fault
entry_double_fault:
	pushq $VECTOR_DOUBLE_FAULT
	PARANOID trap_fatal

	.globl entry_machine_check
entry_machine_check:
	pushq $0
	pushq $VECTOR_MACHINE_CHECK
	PARANOID trap_fatal

/*
 * A program's own #DB goes on as any exception of a program, on the thread's stack,
 * since it may end in a switch to another thread.
 */
	.globl entry_debug
entry_debug:
	pushq $0
	pushq $VECTOR_DEBUG
	testb $3, 24(%rsp)
	jnz 1f
	PARANOID trap_debug_in_kernel
1:	PUSH_REGISTERS
	cld
	CLEAR_AC
	swapgs
	.globl entry_debug_go
entry_debug_go:
	movq %rsp, %rsi
	movq %gs:CPU_KERNEL_STACK, %rdi
	subq $FRAME_SIZE, %rdi
	movq %rdi, %rsp
	movl $(FRAME_SIZE / 8), %ecx
	rep movsq
	xorl %ebp, %ebp
	movq %rsp, %rdi
	call trap_from_user
	jmp leave_to_user
	.cfi_endproc

	STUBS entry_stubs entry_common

/*
 * The idle halt. An interrupt between STI and HLT would be served and then slept
 * over, if something broke the shadow of STI: who interrupts this window moves RIP to
 * its end (trap.c).
 */
	.globl cpu_halt, cpu_halt_begin, cpu_halt_end
cpu_halt:
	sti
cpu_halt_begin:
	hlt
cpu_halt_end:
	cli
	ret

	.section .note.GNU-stack, "", @progbits
