/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From SIPI to the co-kernel. Runs at the start of any page below 1 MiB, on all
 * CPUs of an enclave at the same time: therefore it has no stack and writes
 * nothing. From real mode it goes to long mode in one step, without a stop in
 * protected mode (AMD APM volume 2, 14.6.1, allows it).
 *
 * All offsets are from the start of the page, which is where CS and DS point to.
 */
#include "trampoline.h"

#define CR4_PAE		0x20
#define MSR_EFER	0xc0000080
/* PG, WP, NE, ET, MP, PE; and caches on: not CD, not NW. */
#define CR0_START	0x80010033

#define AT(label)	((label) - trampoline_start)

	.section .rodata, "a"
	.balign 16
	.globl trampoline_start
trampoline_start:
	.code16
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	lgdtl	AT(gdt_pointer)
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	AT(parameter_cr3), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	movl	AT(parameter_efer), %eax
	xorl	%edx, %edx
	wrmsr
	movl	$CR0_START, %eax
	movl	%eax, %cr0
	ljmpl	*AT(far_pointer)

	.globl trampoline_64
	.code64
trampoline_64:
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	movq	parameter_boot_block(%rip), %rdi
	jmp	*parameter_entry(%rip)

	.balign 8
	.globl trampoline_gdt
trampoline_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* TRAMPOLINE_CODE64: 64-bit code, accessed */

/* struct trampoline_parameters */
	.globl trampoline_parameters
trampoline_parameters:
	.word	0
gdt_pointer:
	.word	0
	.long	0
far_pointer:
	.long	0
	.word	0
	.word	0
parameter_cr3:
	.long	0
parameter_efer:
	.long	0
parameter_boot_block:
	.quad	0
parameter_entry:
	.quad	0
	.globl trampoline_end
trampoline_end:
