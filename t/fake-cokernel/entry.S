/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where each CPU arrives, in the state that <pisces/boot.h> promises; RDI: the boot
 * block. It gets a stack and an IDT whose every gate halts: a mistake of the fake's own
 * must not reset the machine, since that would be taken for the module's.
 */
#define STACK_SHIFT 13
#define STACKS 16
#define CODE 8

	.text
	.globl fake_entry
fake_entry:
	cli
	cld
	movl $1, %eax
	lock xaddl %eax, arrivals(%rip)
	cmpl $STACKS, %eax
	jae fake_halt
	incl %eax
	shll $STACK_SHIFT, %eax
	leaq stacks(%rip), %rsp
	addq %rax, %rsp
	lgdt gdt_register(%rip)
	pushq $CODE
	leaq 1f(%rip), %rax
	pushq %rax
	lretq
1:	xorl %eax, %eax
	movl %eax, %ss
	movl %eax, %ds
	movl %eax, %es
	/* All the same, so each CPU may write them. */
	leaq fake_halt(%rip), %rax
	leaq idt(%rip), %rsi
	movl $256, %ecx
2:	movw %ax, (%rsi)
	movw $CODE, 2(%rsi)
	movw $0x8e00, 4(%rsi)
	movq %rax, %rdx
	shrq $16, %rdx
	movw %dx, 6(%rsi)
	shrq $16, %rdx
	movl %edx, 8(%rsi)
	addq $16, %rsi
	loop 2b
	lidt idt_register(%rip)
	xorl %ebp, %ebp
	call fake_main

	.globl fake_halt
fake_halt:
	cli
	hlt
	jmp fake_halt

	.section .rodata
	.balign 8
gdt:	.quad 0, 0x00af9b000000ffff
gdt_register:
	.short . - gdt - 1
	.quad gdt
	.balign 8
idt_register:
	.short 256 * 16 - 1
	.quad idt

	.bss
	.balign 16
idt:	.zero 256 * 16
stacks:	.zero STACKS << STACK_SHIFT
arrivals:
	.zero 4

	.section .note.GNU-stack, "", @progbits
