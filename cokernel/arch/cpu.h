/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CPU of the enclave: what it is, what runs on it, and the few instructions
 * that are only for it. this_cpu() is valid as soon as cpu_init() ran there.
 */
#ifndef CK_ARCH_CPU_H
#define CK_ARCH_CPU_H

#include <pisces/abi.h>
#include <pisces/status.h>

#include "arch/tlb.h"
#include "lib/types.h"

struct thread;
struct aspace;

struct cpu {
	/* The entry code knows these first offsets (arch/asm-offsets checks them). */
	struct cpu *self;	  /* 0: %gs:0 */
	uint64_t kernel_stack;	  /* 8: top of the current thread's kernel stack */
	uint64_t user_rsp;	  /* 16: scratch of the SYSCALL entry */
	struct thread *current;	  /* 24: never NULL once the scheduler runs */

	cpu_id_t index;
	apic_id_t apic_id;
	node_id_t node;
	uint32_t linux_cpu;
	struct pisces_cpu_status *status; /* in shared memory; written, never believed */
	struct aspace *aspace;	/* whose page tables are loaded, NULL: the kernel's */
	struct thread *idle;
	uint64_t tlb_asked;	 /* requests of other CPUs, and how many of them are */
	uint64_t tlb_served;	 /* done: see arch/tlb.c */
	uint32_t tlb_kernel;	 /* one of them is about kernel addresses */
	void *run_queue; /* task/sched.c */
	void *timers;	 /* task/timer.c */
};

/*
 * CPUs come and go (task/hotplug.c), so indices have holes. An index below cpu_count,
 * which only grows, may have a CPU; one whose CPU has ever been up has its struct cpu
 * for ever, and the same one when a CPU comes back to it. Online is what takes work:
 * a CPU that leaves is no longer online but goes on to answer until it has parked.
 */
extern unsigned int cpu_count;
extern uint64_t cpu_online_set[PISCES_CPU_WORDS]; /* written by task/hotplug.c and at boot */

#define CPU_NONE UINT32_MAX

struct cpu *cpu_get(cpu_id_t index); /* NULL if none was ever there */

static inline bool cpu_is_online(cpu_id_t index)
{
	return index < PISCES_MAX_CPUS &&
	       (__atomic_load_n(&cpu_online_set[index / 64], __ATOMIC_SEQ_CST) >> (index % 64) & 1);
}

void cpu_set_online(cpu_id_t index, bool online);

/* The first CPU online from INDEX on, or CPU_NONE. */
cpu_id_t cpu_next_online(cpu_id_t index);

#define FOR_EACH_ONLINE_CPU(cpu) \
	for (cpu = cpu_next_online(0); cpu != CPU_NONE; cpu = cpu_next_online(cpu + 1))

static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

/*
 * Waits until an interrupt has been served: enables interrupts and halts as one
 * step, returns with interrupts off. For the idle loop only.
 */
void cpu_wait(void);

/*
 * Serves the interrupts that have come, as the idle halt does: for a thread in a call, with
 * no lock held, that waits awake. STI lets them in behind the instruction that follows it.
 */
#ifdef CK_HOSTED_TEST
void cpu_serve_interrupts(void);
#else
static inline void cpu_serve_interrupts(void)
{
	__asm__ volatile("sti\n\tnop\n\tcli" : : : "memory");
}
#endif

/* One turn of a loop that waits for another CPU: pauses and answers its TLB requests. */
static inline void cpu_relax(void)
{
	__builtin_ia32_pause();
	tlb_serve();
}

/* This CPU's end: interrupts off, halted, status PARKED. */
__noreturn void cpu_park(void);

/*
 * Interrupts another CPU (or this one) so that it looks at its run queue, its
 * pending signals and the rings. Never waits.
 */
void cpu_kick(cpu_id_t index);

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return ((uint64_t)high << 32) | low;
}

#endif
