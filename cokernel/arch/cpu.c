/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/cpu.h"
#include "arch/context.h"
#include "arch/features.h"
#include "arch/frame.h"
#include "arch/lapic.h"
#include "arch/offsets.h"
#include "arch/patch.h"
#include "arch/percpu.h"
#include "arch/start.h"
#include "arch/tlb.h"
#include "arch/x86.h"
#include "boot/boot.h"
#include "lib/print.h"
#include "lib/string.h"

_Static_assert(offsetof(struct cpu, self) == CPU_SELF &&
		       offsetof(struct cpu, kernel_stack) == CPU_KERNEL_STACK &&
		       offsetof(struct cpu, user_rsp) == CPU_USER_RSP &&
		       offsetof(struct cpu, current) == CPU_CURRENT &&
		       offsetof(struct cpu, status) == CPU_STATUS,
	       "entry.S");
_Static_assert(offsetof(struct percpu, cpu) == 0 &&
		       offsetof(struct percpu, entry.scratch) == ENTRY_SCRATCH &&
		       offsetof(struct percpu, entry.tss.rsp0) == ENTRY_RSP0,
	       "isolated.S");
_Static_assert(offsetof(struct context, calls) == CONTEXT_CALLS &&
		       offsetof(struct context, pid) == CONTEXT_PID &&
		       offsetof(struct context, tid) == CONTEXT_TID &&
		       offsetof(struct pisces_cpu_status, heartbeat) == CPU_STATUS_HEARTBEAT &&
		       offsetof(struct pisces_cpu_status, syscalls) == CPU_STATUS_SYSCALLS,
	       "as entry.S has it");
_Static_assert(sizeof(struct frame) == FRAME_SIZE && offsetof(struct frame, r11) == FRAME_R11 &&
		       offsetof(struct frame, rcx) == FRAME_RCX &&
		       offsetof(struct frame, vector) == FRAME_VECTOR &&
		       offsetof(struct frame, rip) == FRAME_RIP &&
		       offsetof(struct frame, cs) == FRAME_CS &&
		       offsetof(struct frame, rflags) == FRAME_RFLAGS &&
		       offsetof(struct frame, rsp) == FRAME_RSP,
	       "entry.S");

unsigned int cpu_count = 1;
uint64_t cpu_online_set[PISCES_CPU_WORDS];

/* The first CPU works before there is memory to be had, so its block is in the image. */
static struct percpu first;

/* Until a CPU knows its place in the status area, it counts here. */
static struct pisces_cpu_status nowhere;

static struct cpu *cpus[PISCES_MAX_CPUS] = { &first.cpu };

enum stop_kind {
	STOP_NOT,
	STOP_PARK,
	STOP_QUIET,
};

static enum stop_kind stop_kind;
static struct cpu *stopper; /* who stops the others, and must itself go on */

struct cpu *cpu_get(cpu_id_t index)
{
	return index < PISCES_MAX_CPUS ? __atomic_load_n(&cpus[index], __ATOMIC_ACQUIRE) : NULL;
}

static bool is_parked(struct cpu *cpu)
{
	return __atomic_load_n(&percpu_of(cpu)->parked, __ATOMIC_ACQUIRE);
}

void cpu_set_online(cpu_id_t index, bool online)
{
	uint64_t *word = &cpu_online_set[index / 64], bit = 1ull << (index % 64);

	if (online)
		__atomic_fetch_or(word, bit, __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(word, ~bit, __ATOMIC_SEQ_CST);
}

cpu_id_t cpu_next_online(cpu_id_t index)
{
	uint64_t bits;

	for (; index < PISCES_MAX_CPUS; index = (index / 64 + 1) * 64) {
		bits = __atomic_load_n(&cpu_online_set[index / 64], __ATOMIC_SEQ_CST) >>
		       (index % 64);
		if (bits)
			return index + (cpu_id_t)__builtin_ctzll(bits);
	}
	return CPU_NONE;
}

static void init(struct percpu *percpu)
{
	percpu->cpu.self = &percpu->cpu;
	percpu->cpu.status = &nowhere;
	segments_init(percpu);
	features_enable();
	syscall_init_cpu();
}

void cpu_init_first(void)
{
	features_detect();
	patch_clac();
	init(&first);
}

void cpu_init_other(cpu_id_t index, struct percpu *percpu)
{
	init(percpu);
	cpu_identify(index);
}

/*
 * For programs, through RDPID, RDTSCP and LSL: encoded as Linux does it, and the CPU's
 * number is that of Linux too.
 */
static void publish_number(struct percpu *percpu)
{
	const struct cpu *cpu = &percpu->cpu;
	uint64_t number = ((uint64_t)cpu->node & 0xff) << 12 | (cpu->linux_cpu & 0xfff);

	if (cpu_features.rdtscp || cpu_features.rdpid)
		wrmsr(MSR_TSC_AUX, number);
	percpu->entry.gdt[CPU_NUMBER_SELECTOR / 8] = 0x0040f10000000000 | (number & 0xffff) |
					       (number & 0xf0000) << 32;
}

void cpu_identify(cpu_id_t index)
{
	const struct pisces_boot_cpu *boot = &boot_block->cpus[index];
	struct cpu *cpu = this_cpu();

	cpu->index = index;
	cpu->apic_id = boot->apic_id;
	cpu->node = boot->node;
	cpu->linux_cpu = boot->linux_cpu;
	cpu->status = &boot_status->cpu[index];
	cpu->status->task = UINT32_MAX;
	cpu->status->state = PISCES_CPU_KERNEL;
	publish_number(percpu_of(cpu));
	/*
	 * From here on it is asked to drop translations, as in tlb_flush_kernel(): it has
	 * to do so itself once after this, for what was changed before.
	 */
	__atomic_store_n(&percpu_of(cpu)->parked, false, __ATOMIC_SEQ_CST);
	__atomic_store_n(&cpus[index], cpu, __ATOMIC_SEQ_CST);
}

void cpu_wait(void)
{
	struct pisces_cpu_status *status = this_cpu()->status;

	status->state = PISCES_CPU_IDLE;
	cpu_halt();
	status->state = PISCES_CPU_KERNEL;
}

void cpu_kick(cpu_id_t index)
{
	struct cpu *cpu = cpu_get(index);

	/* One that has parked may be a CPU of Linux by now. */
	if (cpu != NULL && !is_parked(cpu))
		lapic_send(cpu->apic_id, LAPIC_KICK_VECTOR);
}

static __noreturn void halt_for_good(void)
{
	for (;;)
		__asm__ volatile("cli\n\thlt" : : : "memory");
}

void cpu_park(void)
{
	struct percpu *percpu = this_percpu();

	__asm__ volatile("cli");
	__atomic_store_n(&percpu->parked, true, __ATOMIC_RELEASE);
	__atomic_store_n(&percpu->cpu.status->state, PISCES_CPU_PARKED, __ATOMIC_RELEASE);
	halt_for_good();
}

void cpu_stop_others(bool quiet)
{
	struct cpu *self = this_cpu();

	stopper = self;
	__atomic_store_n(&stop_kind, quiet ? STOP_QUIET : STOP_PARK, __ATOMIC_SEQ_CST);
	for (cpu_id_t i = 0; i < cpu_count; i++) {
		struct cpu *cpu = cpu_get(i);

		if (cpu != NULL && cpu != self && !is_parked(cpu))
			lapic_send_nmi(cpu->apic_id);
	}
}

bool cpu_stopping(void)
{
	return __atomic_load_n(&stop_kind, __ATOMIC_ACQUIRE) != STOP_NOT && stopper != this_cpu();
}

void cpu_stop(void)
{
	if (__atomic_load_n(&stop_kind, __ATOMIC_ACQUIRE) == STOP_PARK)
		cpu_park();
	halt_for_good();
}
