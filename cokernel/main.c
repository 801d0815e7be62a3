/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The start of the co-kernel, from top to bottom: first what the first CPU does,
 * then what each of the others does meanwhile. They came here from boot/entry.S.
 */
#include <pisces/build_id.h>

#include "arch/cpu.h"
#include "arch/crash.h"
#include "arch/fpu.h"
#include "arch/isolation.h"
#include "arch/lapic.h"
#include "arch/paging.h"
#include "arch/percpu.h"
#include "arch/snapshot.h"
#include "arch/start.h"
#include "arch/time.h"
#include "boot/boot.h"
#include "channel/control.h"
#include "lib/print.h"
#include "task/hotplug.h"
#include "task/sched.h"
#include "task/usage.h"
#include "vdso/vdso.h"

/* From here on the scheduler can be used by CPUs that are up. */
static bool scheduler_ready;

/* All CPUs that were there at the start are up: who comes now was added. */
static bool running;

static void say_ready(void)
{
	boot_status->ready_tsc = rdtsc();
	boot_status->state = PISCES_COKERNEL_RUNNING;
	print("ready after %lu us: %lu MiB free",
	      (boot_status->ready_tsc - boot_status->boot_tsc) * 1000 / boot_block->tsc_khz,
	      boot_status->memory_free >> 20);
}

void main_first(const struct pisces_boot_block *block)
{
	cpu_init_first();
	boot_read(block);
	paging_init();
	boot_use_direct_map();
	lapic_map();
	lapic_init_cpu();
	console_init();
	snapshot_init();
	print("co-kernel %s of enclave %s on %u CPUs", PISCES_VERSION_STRING, boot_block->name,
	      cpu_count);

	isolation_init();
	boot_map_memory();
	start_others();

	time_init();
	fpu_init();
	lapic_calibrate();
	vdso_init();
	control_init();
	usage_init();
	sched_init();
	crash_init();
	crash_at(CRASH_BOOTING);
	__atomic_store_n(&scheduler_ready, true, __ATOMIC_RELEASE);
	sched_init_cpu();

	boot_clear_memory();
	boot_add_memory();
	start_done();
	start_wait();
	__atomic_store_n(&running, true, __ATOMIC_RELEASE);
	say_ready();
	control_send_ready();
	sched_run();
}

/* hotplug_add() has made its run queue; and nobody waits for it. */
static __noreturn void main_added(void)
{
	sched_init_cpu();
	start_done();
	hotplug_arrived();
	sched_run();
}

void main_other(cpu_id_t index, struct percpu *percpu)
{
	cpu_init_other(index, percpu);
	paging_init_cpu();
	lapic_init_cpu();
	if (__atomic_load_n(&running, __ATOMIC_ACQUIRE))
		main_added();

	boot_clear_memory();
	while (!__atomic_load_n(&scheduler_ready, __ATOMIC_ACQUIRE))
		cpu_relax();
	sched_init_cpu();

	/* The scheduler looks at all CPUs' queues, so none goes ahead. */
	start_done();
	start_wait();
	sched_run();
}
