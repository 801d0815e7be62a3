// SPDX-License-Identifier: GPL-2.0-or-later
/* Where CPUs are in the machine: for people, who want to see also those that left. */
#include <linux/cpumask.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/uaccess.h>
#include <asm/smp.h>
#include <pisces/ioctl.h>

#include "compat.h"
#include "enclave.h"
#include "places.h"

/*
 * None of this comes from what Linux derives of its CPUs when they come online, for
 * it forgets that of CPUs that leave; the package it keeps.
 */
static void describe(u32 cpu, struct pisces_place *place)
{
	place->linux_cpu = cpu;
	place->node = cpu_to_node(cpu);
	place->package = topology_physical_package_id(cpu);
	place->core = per_cpu(x86_cpu_to_apicid, cpu) >> compat_core_shift();
}

static u32 places_of_enclave(struct enclave *e, struct pisces_place *places)
{
	unsigned long flags;
	unsigned int i;
	u32 count = 0;

	spin_lock_irqsave(&e->lock, flags);
	for (i = 0; i < e->cpu_count; i++, count++)
		if (e->cpus[i].left)
			places[count].linux_cpu = PISCES_NO_CPU;
		else
			describe(e->cpus[i].linux_cpu, &places[count]);
	spin_unlock_irqrestore(&e->lock, flags);
	return count;
}

/* All CPUs that have been there: the others have no APIC id. */
static u32 places_of_machine(struct pisces_place *places)
{
	unsigned int cpu;
	u32 count = 0;

	for_each_possible_cpu(cpu)
		if (cpu < PISCES_MAX_CPUS && per_cpu(x86_cpu_to_apicid, cpu) != BAD_APICID)
			describe(cpu, &places[count++]);
	return count;
}

int places_list(struct pisces_places *request)
{
	struct pisces_place *places;
	struct enclave *e;
	int ret = 0;

	if (request->unused)
		return -EINVAL;
	places = kcalloc(PISCES_MAX_CPUS, sizeof(*places), GFP_KERNEL);
	if (!places)
		return -ENOMEM;
	if (request->enclave) {
		e = enclave_find(request->enclave);
		if (!e) {
			ret = -ENOENT;
			goto out;
		}
		request->count = places_of_enclave(e, places);
		enclave_put(e);
	} else {
		request->count = places_of_machine(places);
	}
	if (copy_to_user(u64_to_user_ptr(request->places), places,
			 min(request->count, request->capacity) * sizeof(*places)))
		ret = -EFAULT;
out:
	kfree(places);
	return ret;
}
