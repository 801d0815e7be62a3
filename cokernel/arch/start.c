/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/context.h"
#include "arch/cpu.h"
#include "arch/offsets.h"
#include "arch/paging_tables.h"
#include "arch/percpu.h"
#include "arch/stack.h"
#include "arch/start.h"
#include "boot/boot.h"
#include "lib/print.h"
#include "mm/direct.h"
#include "mm/page.h"

_Static_assert(offsetof(struct start_slot, stack) == SLOT_STACK &&
		       offsetof(struct start_slot, percpu) == SLOT_PERCPU &&
		       sizeof(struct start_slot) == 1 << SLOT_SHIFT,
	       "boot/entry.S");

/* In boot/entry.S, which polls them. */
extern struct start_slot start_slots[PISCES_MAX_CPUS];
extern phys_addr_t start_root;

/* Seconds that a CPU may take from its SIPI to the end of its start. */
#define START_LIMIT 20u

static unsigned int online;

void start_others(void)
{
	start_root = paging_kernel_root_phys();
	for (cpu_id_t i = 1; i < cpu_count; i++) {
		node_id_t node = boot_block->cpus[i].node;
		phys_addr_t block = page_alloc(PERCPU_ORDER, node);
		void *stack = stack_alloc(node);

		if (block == PAGE_NONE || stack == NULL)
			panic("no memory for CPU %u", i);
		start_slots[i].percpu = phys_to_virt(block);
		__atomic_store_n(&start_slots[i].stack, (uint64_t)stack + KERNEL_STACK_SIZE,
				 __ATOMIC_RELEASE);
	}
}

void start_done(void)
{
	__atomic_fetch_add(&boot_status->cpus_online, 1u, __ATOMIC_RELAXED);
	__atomic_fetch_add(&online, 1u, __ATOMIC_ACQ_REL);
}

void start_wait(void)
{
	uint64_t until = rdtsc() + boot_block->tsc_khz * 1000 * START_LIMIT;

	while (__atomic_load_n(&online, __ATOMIC_ACQUIRE) < cpu_count) {
		cpu_relax();
		if (rdtsc() < until)
			continue;
		for (cpu_id_t i = 0; i < cpu_count; i++) {
			if (cpu_get(i) == NULL)
				panic("CPU %u (apic id %u, CPU %u of Linux) did not start", i,
				      boot_block->cpus[i].apic_id, boot_block->cpus[i].linux_cpu);
		}
		panic("a CPU did not finish its start");
	}
}
