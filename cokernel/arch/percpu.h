/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that one CPU has for itself, in one block of its own node: struct cpu, its
 * descriptor tables, and the stacks of the exceptions that may come at any
 * instruction (IST).
 */
#ifndef CK_ARCH_PERCPU_H
#define CK_ARCH_PERCPU_H

#include "arch/cpu.h"
#include "lib/types.h"

struct context;

#define GDT_ENTRIES 16

struct tss {
	uint32_t unused0;
	uint64_t rsp0;
	uint64_t unused1[2];
	uint64_t unused2;
	uint64_t ist[7];
	uint64_t unused3;
	uint16_t unused4;
	uint16_t io_map; /* behind the limit: no port is allowed to programs */
} __packed;
_Static_assert(sizeof(struct tss) == 104, "as the CPU reads it");

/* Places in the TSS, from 1. */
enum fault_stack_number {
	STACK_NMI = 1,
	STACK_DOUBLE_FAULT,
	STACK_MACHINE_CHECK,
	STACK_DEBUG,
	FAULT_STACKS = STACK_DEBUG,
};

/*
 * The word on top says whose stack it is: such an exception cannot believe the GS
 * base that it finds, since with WRGSBASE a program can put any address there.
 */
struct fault_stack {
	uint8_t room[6960];
	struct cpu *owner;
	uint64_t unused;
} __aligned(16);

/*
 * What a CPU uses on its way from user mode before it has changed to the co-kernel's tables:
 * all of this struct percpu that a program's own tables have (arch/isolation.h).
 */
struct entry_area {
	uint64_t scratch;   /* a register's place */
	uint64_t stack[63]; /* for the frame that the CPU pushes; tss.rsp0 is its top */
	uint64_t gdt[GDT_ENTRIES];
	struct tss tss;
	struct fault_stack stacks[FAULT_STACKS];
} __aligned(PAGE_SIZE);

struct percpu {
	struct cpu cpu;
	struct context *context; /* of the running thread; NULL before the first switch */
	bool x2apic;
	bool parked;
	uint64_t idle_stack; /* top of the stack that it came up on and idles on */
	struct entry_area entry;
};

#define PERCPU_ORDER 3u
_Static_assert(sizeof(struct percpu) <= (PAGE_SIZE << PERCPU_ORDER), "one block of pages");

static inline struct percpu *this_percpu(void)
{
	return CONTAINER_OF(this_cpu(), struct percpu, cpu);
}

static inline struct percpu *percpu_of(struct cpu *cpu)
{
	return CONTAINER_OF(cpu, struct percpu, cpu);
}

/* arch/segments.c: GDT, TSS and IDT of the calling CPU. */
void segments_init(struct percpu *percpu);

/* The IDT, which all CPUs share: anew for the ways in that suit isolation. */
void segments_fill_idt(void);
const void *segments_idt(void); /* one page */

/* arch/syscall_setup.c: where SYSCALL goes, and that SYSENTER goes nowhere. */
void syscall_init_cpu(void);

/*
 * arch/cpu.c: the first CPU's part, usable from the first instruction of C on, and
 * that of CPU INDEX on itself, in memory that is zeroed or was a CPU's before.
 */
void cpu_init_first(void);
void cpu_init_other(cpu_id_t index, struct percpu *percpu);

/* What the boot block says about this CPU; once that has been read. */
void cpu_identify(cpu_id_t index);

/*
 * Stops all other CPUs for good by NMI, wherever they are; does not wait for it. They
 * report PARKED, unless QUIET. cpu_stopping() is for the NMI handler.
 */
void cpu_stop_others(bool quiet);
bool cpu_stopping(void);
__noreturn void cpu_stop(void);

#endif
