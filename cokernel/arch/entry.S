/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways into the co-kernel and out of it. All build struct frame; those from
 * user mode at the very top of the thread's kernel stack.
 *
 * In the kernel GS base is this CPU's struct cpu; SWAPGS at each crossing. Code that
 * comes on a stack of its own (IST) may have interrupted the instructions before
 * SWAPGS, so it sets GS base itself and puts back what it found.
 */
#include "arch/offsets.h"
#include "arch/x86.h"

#define USER_CS 0x33
#define USER_SS 0x2b
#define FRAME_SYSCALL 0x100
#define SINGLE_STEP 0x100 /* of RFLAGS */

/* System calls */
#define NR_GETPID 39
#define NR_GETTID 186

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
1:	movq %rsp, %gs:CPU_USER_RSP
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
entry_common:
	PUSH_REGISTERS
	cld
	CLEAR_AC
	testb $3, FRAME_CS(%rsp)
	jz 1f
	swapgs
	xorl %ebp, %ebp
	movq %rsp, %rdi
	call trap_from_user
	jmp leave_to_user
1:	movq %rsp, %rdi
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
 * for a frame that says the same; trap_leave() knows.
 */
leave_to_user:
	movq %rsp, %rdi
	call trap_leave
	testb %al, %al
	POP_REGISTERS
	jz 1f
	swapgs
	movq (FRAME_RSP - FRAME_VECTOR)(%rsp), %rsp
	sysretq
1:	addq $16, %rsp
	swapgs
	iretq

/*
 * On a stack of its own, from anywhere; the word above the frame is this CPU's
 * struct cpu. RBX keeps the GS base that was there, which the handler is told too.
 */
.macro PARANOID handler
	PUSH_REGISTERS
	cld
	CLEAR_AC
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
	POP_REGISTERS
	addq $16, %rsp
	iretq
.endm

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

/* One stub of 16 bytes for each vector. For these the CPU itself pushes an error code. */
#define WITH_ERROR_CODE \
	(1 << 8 | 0x1f << 10 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30)

	.balign 16
	.globl entry_stubs
entry_stubs:
vector = 0
.rept 256
	.balign 16
	.if vector >= 32
	pushq $0
	.elseif (1 << vector & WITH_ERROR_CODE) == 0
	pushq $0
	.endif
	pushq $vector
	jmp entry_common
	vector = vector + 1
.endr
	.balign 16

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
