/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "task/hotplug.h"

#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/start.h"
#include "arch/trap.h"
#include "boot/boot.h"
#include "channel/channel.h"
#include "channel/control.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "task/cpu_sets.h"
#include "task/sched.h"
#include "task/timer.h"

/* The change on its way. Written by who serves the control ring, while there is none. */
static uint64_t tag;
static cpu_id_t coming = CPU_NONE;
static cpu_id_t leaving = CPU_NONE;
static cpu_id_t finisher = CPU_NONE; /* who is called when LEAVING parks */

static cpu_id_t read_id(const cpu_id_t *id)
{
	return __atomic_load_n(id, __ATOMIC_ACQUIRE);
}

static void write_id(cpu_id_t *id, cpu_id_t value)
{
	__atomic_store_n(id, value, __ATOMIC_RELEASE);
}

static bool is_busy(void)
{
	return read_id(&coming) != CPU_NONE || read_id(&leaving) != CPU_NONE;
}

/* ---- a CPU that comes ---- */

/* 0: it is on its way. */
static int let_in(uint64_t index)
{
	cpu_id_t cpu = (cpu_id_t)index;
	struct percpu *percpu;
	int error;

	if (is_busy() || control_stopping())
		return -EBUSY;
	if (index >= PISCES_MAX_CPUS)
		return -EINVAL;
	error = boot_take_cpu(cpu);
	if (error)
		return error;
	percpu = start_prepare(cpu);
	if (!percpu) {
		boot_drop_cpu(cpu);
		return -ENOMEM;
	}
	if (!sched_prepare_cpu(&percpu->cpu)) {
		start_cancel(cpu, percpu);
		boot_drop_cpu(cpu);
		return -ENOMEM;
	}
	write_id(&coming, cpu);
	start_release(cpu, percpu);
	return 0;
}

void hotplug_add(uint64_t which, uint64_t index)
{
	int error;

	if (!is_busy())
		tag = which;
	error = let_in(index);
	if (error)
		control_send_changed(which, error, 0);
}

void hotplug_arrived(void)
{
	struct cpu *cpu = this_cpu();

	cpu_sets_add(cpu->index);
	print("CPU %u (CPU %u of Linux) has come", cpu->index, cpu->linux_cpu);
	write_id(&coming, CPU_NONE);
	control_send_changed(tag, 0, 0);
}

/* ---- a CPU that leaves ---- */

static int send_away(uint64_t index)
{
	cpu_id_t cpu = (cpu_id_t)index;

	if (is_busy() || control_stopping())
		return -EBUSY;
	if (index >= PISCES_MAX_CPUS || !cpu_is_online(cpu))
		return -EINVAL;
	/* The last one: from 0 on there is none but it. */
	if (cpu_next_online(0) == cpu && cpu_next_online(cpu + 1) == CPU_NONE)
		return -EBUSY;
	/* After this nothing chooses it, but for what has chosen it already. */
	if (!cpu_sets_remove(cpu))
		return -EBUSY;
	cpu_set_online(cpu, false);
	write_id(&leaving, cpu);
	/* This one sees it by itself when it comes to its idle loop, and else by this. */
	if (cpu != this_cpu()->index)
		cpu_kick(cpu);
	return 0;
}

void hotplug_remove(uint64_t which, uint64_t index)
{
	int error;

	if (!is_busy())
		tag = which;
	error = send_away(index);
	if (error)
		control_send_changed(which, error, 0);
}

bool hotplug_leaving(void)
{
	return unlikely(read_id(&leaving) == this_cpu()->index);
}

void hotplug_check_leave(void)
{
	cpu_id_t other;

	if (likely(!hotplug_leaving()) || !sched_close_cpu())
		return;
	other = sched_find_idle();
	if (other == CPU_NONE)
		other = cpu_next_online(0);
	/* It waits until this CPU has parked, which nothing holds up any more. */
	write_id(&finisher, other);
	cpu_kick(other);
	control_park_alone();
}

/* Called with no lock held, as all interrupts are (lib/lock.h). */
void kick_interrupt(void)
{
	cpu_id_t gone;

	if (likely(read_id(&finisher) != this_cpu()->index))
		return;
	gone = read_id(&leaving);
	while (!__atomic_load_n(&percpu_of(cpu_get(gone))->parked, __ATOMIC_ACQUIRE))
		cpu_relax();
	write_id(&finisher, CPU_NONE);
	/*
	 * A kick on its way to that CPU must not arrive at it when it is Linux's: who answers
	 * this has sent its kick, or will see that the CPU has parked.
	 */
	tlb_flush_kernel();
	timer_adopt(gone);
	control_take_bell();
	channel_bells_gone(gone);
	print("CPU %u (CPU %u of Linux) has left", gone, boot_block->cpus[gone].linux_cpu);
	boot_drop_cpu(gone);
	write_id(&leaving, CPU_NONE);
	control_send_changed(tag, 0, 0);
}
