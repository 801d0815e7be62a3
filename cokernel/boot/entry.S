/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The entry of the image: all CPUs of the enclave, in any order, maybe at the same
 * instant, in the state that <pisces/boot.h> promises. RDI: the boot block.
 *
 * Each finds its index by its APIC id and reports in the status area. The first one
 * (index 0) goes on to C; the others wait here until it has given them a stack, and so
 * do those that are added later.
 * Nothing but an NMI can come here, and without an IDT it would reset the machine; so
 * each CPU gets one before it says that the trampoline may go, and a stack that has
 * room for just that frame.
 */
#include "arch/offsets.h"
#include "arch/x86.h"

#define CPU_ARRIVED 1 /* PISCES_CPU_ARRIVED; boot.c holds it against the contract */
#define MAX_CPUS 1024
#define BOOT_STACK_SIZE 16384

	.text
	.globl image_entry
image_entry:
	cli
	cld
	movq %rdi, %rbp
	rdtsc
	shlq $32, %rdx
	leaq (%rax, %rdx), %r15

	/* The 32-bit APIC id where CPUID knows it, else the old one of 8 bits. */
	xorl %eax, %eax
	cpuid
	cmpl $0xb, %eax
	jb 1f
	movl $0xb, %eax
	xorl %ecx, %ecx
	cpuid
	testl $0xffff, %ebx
	jz 1f
	movl %edx, %r12d
	jmp 2f
1:	movl $1, %eax
	cpuid
	shrl $24, %ebx
	movl %ebx, %r12d

2:	movl BLOCK_CPU_COUNT(%rbp), %ecx
	cmpl $MAX_CPUS, %ecx
	ja stranger
	leaq BLOCK_CPUS(%rbp), %rsi
	xorl %ebx, %ebx
3:	cmpl %ecx, %ebx
	jae stranger
	cmpl (%rsi), %r12d
	je 4f
	addq $(1 << BLOCK_CPU_SHIFT), %rsi
	incl %ebx
	jmp 3b

4:	leal 1(%rbx), %eax
	shll $EARLY_STACK_SHIFT, %eax
	leaq early_stacks(%rip), %rsp
	addq %rax, %rsp
	lgdt early_gdt_register(%rip)
	pushq $KERNEL_CS
	leaq 5f(%rip), %rax
	pushq %rax
	lretq
5:	xorl %eax, %eax
	movl %eax, %ss
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	lidt early_idt_register(%rip)

	/* The contract says RBP + status.offset; the first to come notes the time. */
	movl BLOCK_STATUS(%rbp), %edx
	addq %rbp, %rdx
	xorl %eax, %eax
	lock cmpxchgq %r15, STATUS_BOOT_TSC(%rdx)
	movl %ebx, %eax
	shll $STATUS_CPU_SHIFT, %eax
	movl $CPU_ARRIVED, STATUS_CPU(%rdx, %rax)

	/* A CPU that comes to index 0 of a running enclave is one like all others. */
	testl %ebx, %ebx
	jnz wait
	cmpq $0, start_root(%rip)
	jne wait
	leaq boot_stack_top(%rip), %rsp
	movq %rbp, %rdi
	xorl %ebp, %ebp
	call main_first

wait:	movl %ebx, %eax
	shll $SLOT_SHIFT, %eax
	leaq start_slots(%rip), %rdx
	addq %rax, %rdx
6:	pause
	movq SLOT_STACK(%rdx), %rax
	testq %rax, %rax
	jz 6b
	movq start_root(%rip), %rcx
	movq %rcx, %cr3
	movq %rax, %rsp
	movl %ebx, %edi
	movq SLOT_PERCPU(%rdx), %rsi
	xorl %ebp, %ebp
	call main_other

/* A CPU that the boot block does not name has no place to report to. */
stranger:
	cli
	hlt
	jmp stranger

	.globl early_nmi
early_nmi:
	iretq

	.section .rodata
	.balign 8
early_gdt:
	.quad 0, 0
	.quad 0x00af9b000000ffff /* KERNEL_CS */
	.quad 0x00cf93000000ffff
early_gdt_register:
	.short . - early_gdt - 1
	.quad early_gdt

	.balign 8
early_idt:
	.zero VECTOR_NMI * 16
	.short early_nmi_low, KERNEL_CS, 0x8e00, early_nmi_middle
	.long early_nmi_high, 0
early_idt_register:
	.short . - early_idt - 1
	.quad early_idt

	.bss
	.balign 64
early_stacks:
	.zero MAX_CPUS << EARLY_STACK_SHIFT

	.globl start_slots, start_root
start_slots:
	.zero MAX_CPUS << SLOT_SHIFT
start_root:
	.zero 8

	.balign 4096
	.globl boot_stack_guard, boot_stack_top
boot_stack_guard:
	.zero 4096
	.zero BOOT_STACK_SIZE
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
