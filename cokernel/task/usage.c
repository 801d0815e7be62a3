/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "task/usage.h"

#include "arch/cpu.h"
#include "arch/x86.h"
#include "boot/boot.h"
#include "lib/print.h"
#include "task/process.h"

static struct pisces_task_usage *usage; /* in shared memory; only written */

void usage_init(void)
{
	if (boot_block->usage.size < PISCES_MAX_TASKS * sizeof(*usage))
		panic("the boot block has no room for what %u tasks use", PISCES_MAX_TASKS);
	usage = boot_area(boot_block->usage);
}

struct pisces_task_usage *usage_of(const struct process *process)
{
	return &usage[process->task % PISCES_MAX_TASKS];
}

void usage_switch(const struct process *previous, nsec_t ran, const struct process *next)
{
	uint64_t *running = &this_cpu()->status->running;

	/* In this order: who reads them in the other one counts no stretch twice. */
	if (previous) {
		__atomic_store_n(running, 0, __ATOMIC_RELAXED);
		__atomic_fetch_add(&usage_of(previous)->cpu_ns, ran, __ATOMIC_SEQ_CST);
	}
	if (next)
		__atomic_store_n(running, pisces_running(rdtsc(), next->task), __ATOMIC_RELEASE);
}

void usage_end(const struct process *process)
{
	__atomic_store_n(&usage_of(process)->resident, 0, __ATOMIC_RELAXED);
}
