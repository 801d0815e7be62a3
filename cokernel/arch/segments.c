/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/isolation.h"
#include "arch/percpu.h"
#include "arch/x86.h"
#include "lib/string.h"

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

/* 256 stubs of 16 bytes, and those that run on a stack of their own. */
struct ways_in {
	const char *stubs, *nmi, *double_fault, *machine_check, *debug;
};

/* In arch/entry.S, and in arch/isolated.S. */
extern const char entry_stubs[], entry_nmi[], entry_double_fault[], entry_machine_check[];
extern const char entry_debug[];
extern const char isolated_stubs[], isolated_nmi[], isolated_double_fault[];
extern const char isolated_machine_check[], isolated_debug[];

static const struct ways_in plain_ways = {
	entry_stubs, entry_nmi, entry_double_fault, entry_machine_check, entry_debug,
};
static const struct ways_in isolated_ways = {
	isolated_stubs, isolated_nmi, isolated_double_fault, isolated_machine_check,
	isolated_debug,
};

static union {
	struct gate gate;
	uint64_t words[2];
} idt[IDT_ENTRIES] __aligned(PAGE_SIZE);

static void set_gate(unsigned int vector, const char *entry, unsigned int ist, uint8_t type)
{
	uint64_t address = (uint64_t)entry;

	struct gate gate = {
		.offset_low = (uint16_t)address,
		.selector = KERNEL_CS,
		.ist = (uint8_t)ist,
		.type = type,
		.offset_middle = (uint16_t)(address >> 16),
		.offset_high = (uint32_t)(address >> 32),
	};
	uint64_t words[2];

	/* In use already when it changes, so that no half of an address can be seen. */
	memcpy(words, &gate, sizeof(words));
	__atomic_store_n(&idt[vector].words[1], words[1], __ATOMIC_RELEASE);
	__atomic_store_n(&idt[vector].words[0], words[0], __ATOMIC_RELEASE);
}

void segments_fill_idt(void)
{
	const struct ways_in *ways = isolation_on ? &isolated_ways : &plain_ways;

	for (unsigned int vector = 0; vector < IDT_ENTRIES; vector++)
		set_gate(vector, ways->stubs + vector * 16, 0, GATE_INTERRUPT);
	/* INT3 is the one software interrupt that programs may use. */
	set_gate(3, ways->stubs + 3 * 16, 0, GATE_INTERRUPT | GATE_FOR_USER);
	set_gate(VECTOR_DEBUG, ways->debug, STACK_DEBUG, GATE_INTERRUPT);
	set_gate(VECTOR_NMI, ways->nmi, STACK_NMI, GATE_INTERRUPT);
	set_gate(VECTOR_DOUBLE_FAULT, ways->double_fault, STACK_DOUBLE_FAULT, GATE_INTERRUPT);
	set_gate(VECTOR_MACHINE_CHECK, ways->machine_check, STACK_MACHINE_CHECK, GATE_INTERRUPT);
}

const void *segments_idt(void)
{
	return idt;
}

static void gdt_fill(struct percpu *percpu)
{
	uint64_t *gdt = percpu->entry.gdt;
	uint64_t tss = (uint64_t)&percpu->entry.tss;

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
	percpu->entry.tss.io_map = sizeof(struct tss);
	/* Without isolation it is that of the thread that runs: context_switch(). */
	percpu->entry.tss.rsp0 = (uint64_t)(percpu->entry.stack + ARRAY_SIZE(percpu->entry.stack));
	for (unsigned int i = 0; i < FAULT_STACKS; i++) {
		percpu->entry.stacks[i].owner = &percpu->cpu;
		percpu->entry.tss.ist[i] = (uint64_t)&percpu->entry.stacks[i].owner;
	}
}

void segments_init(struct percpu *percpu)
{
	struct table_register gdtr = { sizeof(percpu->entry.gdt) - 1, (uint64_t)percpu->entry.gdt };
	struct table_register idtr = { sizeof(idt) - 1, (uint64_t)idt };

	/* The first CPU is alone until it has sent the others on. */
	if (idt[0].gate.type == 0)
		segments_fill_idt();
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
