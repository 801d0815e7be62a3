/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/context.h"
#include "arch/cpu.h"
#include "arch/isolation.h"
#include "arch/offsets.h"
#include "arch/paging_tables.h"
#include "arch/percpu.h"
#include "arch/stack.h"
#include "arch/start.h"
#include "boot/boot.h"
#include "boot/image.h"
#include "lib/print.h"
#include "lib/string.h"
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

static unsigned int up;

struct percpu *start_prepare(cpu_id_t index)
{
	struct cpu *before = cpu_get(index);
	node_id_t node = boot_block->cpus[index].node;
	struct percpu *percpu;
	phys_addr_t block;
	void *stack;

	/* Others may look at a CPU that is gone at any time, so its block stays. */
	if (before != NULL)
		return percpu_of(before);
	block = page_alloc(PERCPU_ORDER, node, 0);
	if (block == PAGE_NONE)
		return NULL;
	stack = stack_alloc(node);
	if (stack == NULL) {
		page_free(block, PERCPU_ORDER);
		return NULL;
	}
	percpu = phys_to_virt(block);
	memset(percpu, 0, sizeof(*percpu));
	percpu->idle_stack = (uint64_t)stack + KERNEL_STACK_SIZE;
	if (isolation_on && !paging_show(&percpu->entry, sizeof(percpu->entry), false, true)) {
		start_cancel(index, percpu);
		return NULL;
	}
	return percpu;
}

void start_cancel(cpu_id_t index, struct percpu *percpu)
{
	if (cpu_get(index) != NULL)
		return;
	if (isolation_on)
		paging_hide(&percpu->entry, sizeof(percpu->entry));
	stack_free((void *)(percpu->idle_stack - KERNEL_STACK_SIZE));
	page_free(virt_to_phys(percpu), PERCPU_ORDER);
}

void start_release(cpu_id_t index, struct percpu *percpu)
{
	start_slots[index].percpu = percpu;
	__atomic_store_n(&start_slots[index].stack, percpu->idle_stack, __ATOMIC_RELEASE);
}

void start_others(void)
{
	this_percpu()->idle_stack = (uint64_t)boot_stack_top;
	start_root = paging_kernel_root_phys();
	for (cpu_id_t i = 1; i < cpu_count; i++) {
		struct percpu *percpu = start_prepare(i);

		if (percpu == NULL)
			panic("no memory for CPU %u", i);
		start_release(i, percpu);
	}
}

void start_done(void)
{
	cpu_id_t index = this_cpu()->index;

	/* The next CPU that comes to this index waits for a stack of its own again. */
	start_slots[index].stack = 0;
	cpu_set_online(index, true);
	__atomic_fetch_add(&boot_status->cpus_online, 1u, __ATOMIC_RELAXED);
	__atomic_fetch_add(&up, 1u, __ATOMIC_SEQ_CST);
}

unsigned int start_undone(void)
{
	__atomic_fetch_sub(&boot_status->cpus_online, 1u, __ATOMIC_RELAXED);
	return __atomic_sub_fetch(&up, 1u, __ATOMIC_SEQ_CST);
}

unsigned int start_count(void)
{
	return __atomic_load_n(&up, __ATOMIC_SEQ_CST);
}

void start_wait(void)
{
	uint64_t until = rdtsc() + boot_block->tsc_khz * 1000 * START_LIMIT;

	while (start_count() < cpu_count) {
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
