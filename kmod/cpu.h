/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUs on their way from Linux and back.
 */
#ifndef PISCES_KMOD_CPU_H
#define PISCES_KMOD_CPU_H

#include <linux/types.h>

struct enclave_cpu {
	u32 linux_cpu;
	u32 apic_id; /* physical */
	u32 node;
	u32 core; /* the same for SMT siblings, unique in the node */
	u32 returns; /* of this CPU to Linux, before it was taken: see cpu_is_back() */
	bool left; /* not the co-kernel's any more: no interrupt may be sent there */
	bool back; /* Linux runs there again; with `left`, the place in the enclave is free */

	/* See watch.c; under the enclave's lock. */
	bool watched;  /* it was in the co-kernel at the last look, */
	u64 heartbeat; /* with this heartbeat, */
	u64 silent_ns; /* which has rested for so long */
};

int cpus_init(void);
void cpus_exit(void);

/*
 * Takes LINUX_CPU from Linux and describes it at *CPU. -EINVAL: no such CPU, or
 * CPU 0; -ENODEV: it is offline; -EBUSY: an enclave has it, it is the last one,
 * or hotplug is disabled at the moment. Sleeps.
 */
int cpu_take(u32 linux_cpu, struct enclave_cpu *cpu);

/*
 * Gives a CPU back. True if Linux is known to run there. If not, Linux's
 * administrator may still bring it online: ask cpu_is_back() later. Sleeps; not
 * for a task that may have been killed.
 */
bool cpu_give_back(const struct enclave_cpu *cpu);

bool cpu_is_back(const struct enclave_cpu *cpu);

#endif
