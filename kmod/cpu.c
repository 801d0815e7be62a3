// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPUs on their way from Linux and back.
 *
 * A CPU that is given away is offline to Linux. Two things keep Linux from it:
 * it is not `present`, so that neither user space nor anybody else can bring it
 * online, and as a second line a hotplug callback refuses it. That it is not
 * present has another effect, for which it is done at this very point of going
 * down: at the end of each hotplug operation Linux compares the present CPUs
 * with those that have ever booted, and as long as they differ it sends
 * interrupts to each CPU singly and not to "all but me", which would reach the
 * co-kernel's CPUs too.
 */

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <linux/topology.h>
#include <pisces/abi.h>

#include "compat.h"
#include "enclave.h"
#include "cpu.h"

/* Whose a CPU is. Anyone reads it; see each change for who makes it. */
enum cpu_owner {
	CPU_LINUX = 0,
	CPU_LEAVING,	/* cpu_take() is at it */
	CPU_GIVEN,	/* an enclave's */
	CPU_RETURNING,	/* may come online; has not been seen there */
};

static u8 cpu_owners[NR_CPUS];
static u32 cpu_returns[NR_CPUS]; /* how often it came back; its CPU alone counts */
static DEFINE_MUTEX(cpu_take_mutex);
static enum cpuhp_state cpu_prepare_state, cpu_online_state;

/* Hotplug may be disabled for a moment, as by a PCI probe; how long to wait for its end. */
#define CPU_HOTPLUG_WAIT_MS 10000

static enum cpu_owner cpu_owner(unsigned int cpu)
{
	return READ_ONCE(cpu_owners[cpu]);
}

static void cpu_set_owner(unsigned int cpu, enum cpu_owner owner)
{
	WRITE_ONCE(cpu_owners[cpu], owner);
}

/* Before a CPU comes up, on another one. */
static int cpu_prepare_up(unsigned int cpu)
{
	if (cpu_owner(cpu) != CPU_GIVEN)
		return 0;
	pr_info("CPU %u belongs to an enclave (pisces list) and cannot come online now\n", cpu);
	return -EPERM;
}

/* After a CPU has gone down, on another one, and before Linux looks at cpu_present_mask. */
static int cpu_prepare_down(unsigned int cpu)
{
	if (cpu_owner(cpu) == CPU_LEAVING)
		set_cpu_present(cpu, false);
	bells_publish();
	return 0;
}

/* On a CPU that has come up: Linux runs there, whatever ran there before. */
static int cpu_online_up(unsigned int cpu)
{
	if (cpu_owner(cpu) == CPU_RETURNING) {
		WRITE_ONCE(cpu_returns[cpu], cpu_returns[cpu] + 1);
		cpu_set_owner(cpu, CPU_LINUX);
		enclaves_cpu_returned();
	}
	return 0;
}

/* On a CPU that is about to go down. */
static int cpu_online_down(unsigned int cpu)
{
	bells_leave_cpu(cpu);
	return 0;
}

int cpus_init(void)
{
	int ret;

	ret = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "pisces:prepare", cpu_prepare_up,
					cpu_prepare_down);
	if (ret < 0)
		return ret;
	cpu_prepare_state = ret;
	ret = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "pisces:online", cpu_online_up,
					cpu_online_down);
	if (ret < 0) {
		cpuhp_remove_state_nocalls(cpu_prepare_state);
		return ret;
	}
	cpu_online_state = ret;
	return 0;
}

void cpus_exit(void)
{
	cpuhp_remove_state_nocalls(cpu_online_state);
	cpuhp_remove_state_nocalls(cpu_prepare_state);
}

/* Calls OPERATION on CPU for as long as it says that hotplug is disabled. */
static int cpu_hotplug(int (*operation)(unsigned int), unsigned int cpu)
{
	ktime_t limit = ktime_add_ms(ktime_get(), CPU_HOTPLUG_WAIT_MS);
	int ret;

	while ((ret = operation(cpu)) == -EBUSY && ktime_before(ktime_get(), limit) &&
	       !fatal_signal_pending(current))
		msleep(20);
	return ret;
}

int cpu_take(u32 linux_cpu, struct enclave_cpu *cpu)
{
	int ret;

	if (linux_cpu == 0 || linux_cpu >= nr_cpu_ids || !cpu_possible(linux_cpu))
		return -EINVAL;
	ret = mutex_lock_killable(&cpu_take_mutex);
	if (ret)
		return ret;

	ret = -EBUSY;
	if (cpu_owner(linux_cpu) != CPU_LINUX)
		goto out;
	ret = -ENODEV;
	if (!cpu_online(linux_cpu))
		goto out;
	ret = -EBUSY;
	if (num_online_cpus() < 2)
		goto out;

	memset(cpu, 0, sizeof(*cpu));
	cpu->linux_cpu = linux_cpu;
	cpu->apic_id = per_cpu(x86_cpu_to_apicid, linux_cpu);
	cpu->node = cpu_to_node(linux_cpu);
	/* Not by Linux's masks of siblings: those that went before are not in them. */
	cpu->core = cpu->apic_id >> compat_core_shift();
	ret = -EINVAL;
	if (cpu->node >= PISCES_MAX_NODES || (!x2apic_mode && cpu->apic_id > 0xfe))
		goto out;

	cpu->returns = READ_ONCE(cpu_returns[linux_cpu]);
	cpu_set_owner(linux_cpu, CPU_LEAVING);
	ret = cpu_hotplug(remove_cpu, linux_cpu);
	if (ret == 0 && !cpu_present(linux_cpu)) {
		cpu_set_owner(linux_cpu, CPU_GIVEN);
		goto out;
	}
	/* 1: somebody else has taken it offline meanwhile, and so it is theirs to decide. */
	set_cpu_present(linux_cpu, true);
	cpu_set_owner(linux_cpu, CPU_LINUX);
	if (ret >= 0)
		ret = -ENODEV;
out:
	mutex_unlock(&cpu_take_mutex);
	return ret;
}

static void cpu_do_nothing(void *unused)
{
}

bool cpu_is_back(const struct enclave_cpu *cpu)
{
	/* Another enclave may have it by now */
	return READ_ONCE(cpu_returns[cpu->linux_cpu]) != cpu->returns;
}

bool cpu_give_back(const struct enclave_cpu *cpu)
{
	unsigned int n = cpu->linux_cpu;
	int ret;

	cpu_set_owner(n, CPU_RETURNING);
	set_cpu_present(n, true);
	ret = cpu_hotplug(add_cpu, n);
	/*
	 * 1: user space was quicker. What counts is not what add_cpu() says but
	 * that code of Linux has run there since: cpu_online_up() has.
	 */
	if (cpu_is_back(cpu)) {
		smp_call_function_single(n, cpu_do_nothing, NULL, 1);
		return true;
	}
	pr_err("CPU %u does not come back to Linux (error %d); to try again: echo 1 > /sys/devices/system/cpu/cpu%u/online\n",
	       n, ret, n);
	return false;
}
