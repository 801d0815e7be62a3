/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/percpu.h"
#include "arch/x86.h"

#define IDT_ENTRIES 256

struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t unused;
};
_Static_assert(sizeof(struct gate) == 16, "as the CPU reads it");

struct table_register {
	uint16_t limit;
	uint64_t base;
} __packed;

#define GATE_INTERRUPT 0x8e
#define GATE_FOR_USER 0x60 /* DPL 3 */

/* In arch/entry.S: 256 stubs of 16 bytes, and those that run on a stack of their own. */
extern const char entry_stubs[];
extern const char entry_nmi[], entry_double_fault[], entry_machine_check[], entry_debug[];

static struct gate idt[IDT_ENTRIES] __aligned(PAGE_SIZE);

static void set_gate(unsigned int vector, const char *entry, unsigned int ist, uint8_t type)
{
	uint64_t address = (uint64_t)entry;

	idt[vector] = (struct gate){
		.offset_low = (uint16_t)address,
		.selector = KERNEL_CS,
		.ist = (uint8_t)ist,
		.type = type,
		.offset_middle = (uint16_t)(address >> 16),
		.offset_high = (uint32_t)(address >> 32),
	};
}

static void idt_fill(void)
{
	for (unsigned int vector = 0; vector < IDT_ENTRIES; vector++)
		set_gate(vector, entry_stubs + vector * 16, 0, GATE_INTERRUPT);
	/* INT3 is the one software interrupt that programs may use. */
	set_gate(3, entry_stubs + 3 * 16, 0, GATE_INTERRUPT | GATE_FOR_USER);
	set_gate(VECTOR_DEBUG, entry_debug, STACK_DEBUG, GATE_INTERRUPT);
	set_gate(VECTOR_NMI, entry_nmi, STACK_NMI, GATE_INTERRUPT);
	set_gate(VECTOR_DOUBLE_FAULT, entry_double_fault, STACK_DOUBLE_FAULT, GATE_INTERRUPT);
	set_gate(VECTOR_MACHINE_CHECK, entry_machine_check, STACK_MACHINE_CHECK, GATE_INTERRUPT);
}

static void gdt_fill(struct percpu *percpu)
{
	uint64_t *gdt = percpu->gdt;
	uint64_t tss = (uint64_t)&percpu->tss;

	gdt[KERNEL_CS / 8] = 0x00af9b000000ffff;
	gdt[KERNEL_DS / 8] = 0x00cf93000000ffff;
	gdt[0x28 / 8] = 0x00cff3000000ffff;
	gdt[0x30 / 8] = 0x00affb000000ffff;
	gdt[TSS_SELECTOR / 8] = 0x0000890000000000 | (sizeof(struct tss) - 1) |
				(tss & 0xffffff) << 16 | (tss >> 24 & 0xff) << 56;
	gdt[TSS_SELECTOR / 8 + 1] = tss >> 32;
}

static void tss_fill(struct percpu *percpu)
{
	percpu->tss.io_map = sizeof(struct tss);
	for (unsigned int i = 0; i < FAULT_STACKS; i++) {
		percpu->stacks[i].owner = &percpu->cpu;
		percpu->tss.ist[i] = (uint64_t)&percpu->stacks[i].owner;
	}
}

void segments_init(struct percpu *percpu)
{
	struct table_register gdtr = { sizeof(percpu->gdt) - 1, (uint64_t)percpu->gdt };
	struct table_register idtr = { sizeof(idt) - 1, (uint64_t)idt };

	/* The first CPU is alone until it has sent the others on. */
	if (idt[0].type == 0)
		idt_fill();
	gdt_fill(percpu);
	tss_fill(percpu);
	__asm__ volatile("lgdt %0" : : "m"(gdtr) : "memory");
	__asm__ volatile("pushq %0\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "xorl %%eax, %%eax\n\t"
			 "movl %%eax, %%ss\n\t"
			 "movl %%eax, %%ds\n\t"
			 "movl %%eax, %%es\n\t"
			 "movl %%eax, %%fs\n\t"
			 "movl %%eax, %%gs\n\t"
			 "lldt %%ax"
			 :
			 : "i"(KERNEL_CS)
			 : "rax", "memory");
	wrmsr(MSR_FS_BASE, 0);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
	wrmsr(MSR_GS_BASE, (uint64_t)&percpu->cpu);
	__asm__ volatile("lidt %0" : : "m"(idtr) : "memory");
	__asm__ volatile("ltr %w0" : : "r"(TSS_SELECTOR));
}
