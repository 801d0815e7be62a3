// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The shared area of an enclave: boot block, status, registers, usage of tasks, control
 * and console rings, in memory of Linux's that stays where it is until the CPUs are back.
 */

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/uaccess.h>
#include <linux/utsname.h>
#include <asm/msr.h>
#include <pisces/build_id.h>

#include "clock.h"
#include "control.h"
#include "enclave.h"
#include "memory.h"
#include "shared.h"

#define CONSOLE_SLOTS 1024u

/* Appends a piece of BYTES bytes, on a page of its own, to an area of *END bytes so far. */
static void area_place(struct pisces_boot_area *area, size_t *end, u64 bytes)
{
	area->offset = *end;
	area->size = bytes;
	*end = PAGE_ALIGN(*end + bytes);
}

static bool ring_create(struct pisces_ring_end *end, void *ring, u32 slots)
{
	pisces_ring_init(ring, slots);
	return pisces_ring_attach(end, ring, slots);
}

int shared_create(struct enclave *e)
{
	struct pisces_boot_area status, registers, usage, control_in, control_out, console;
	struct shared_area made = {};
	size_t end = PAGE_ALIGN(sizeof(struct pisces_boot_block));
	void *base;

	/* Room for all CPUs that may be added later. */
	made.cpu_capacity = min_t(unsigned int, nr_cpu_ids, PISCES_MAX_CPUS);
	made.status_bytes = sizeof(struct pisces_status) +
			    made.cpu_capacity * sizeof(struct pisces_cpu_status);
	area_place(&status, &end, made.status_bytes);
	area_place(&registers, &end, made.cpu_capacity * sizeof(struct pisces_registers));
	area_place(&usage, &end, PISCES_MAX_TASKS * sizeof(struct pisces_task_usage));
	area_place(&control_in, &end, pisces_ring_bytes(CONTROL_SLOTS));
	area_place(&control_out, &end, pisces_ring_bytes(CONTROL_SLOTS));
	area_place(&console, &end, pisces_ring_bytes(CONSOLE_SLOTS));

	made.bytes = end;
	made.pages = memory_alloc_shared(end, e->cpus[0].node);
	if (!made.pages)
		return -ENOMEM;
	base = page_address(made.pages);
	made.boot = base;
	made.boot->cpu_capacity = made.cpu_capacity;
	made.boot->status = status;
	made.boot->registers = registers;
	made.boot->usage = usage;
	made.boot->control_in = control_in;
	made.boot->control_out = control_out;
	made.boot->console = console;
	made.boot->control_slots = CONTROL_SLOTS;
	made.boot->console_slots = CONSOLE_SLOTS;
	made.status = base + status.offset;
	made.registers = base + registers.offset;
	made.usage = base + usage.offset;
	if (!ring_create(&made.control_in, base + control_in.offset, CONTROL_SLOTS) ||
	    !ring_create(&made.control_out, base + control_out.offset, CONTROL_SLOTS) ||
	    !ring_create(&made.console, base + console.offset, CONSOLE_SLOTS)) {
		memory_free_shared(made.pages, end);
		return -EINVAL;
	}
	/* Linux sleeps until it is rung, from the beginning. */
	pisces_ring_may_sleep(&made.control_out, 0);
	pisces_ring_may_sleep(&made.console, 0);

	down_write(&e->shared_sem);
	e->shared = made;
	up_write(&e->shared_sem);
	return 0;
}

void shared_destroy(struct enclave *e)
{
	struct shared_area old = e->shared;

	if (!old.pages)
		return;
	down_write(&e->shared_sem);
	memset(&e->shared, 0, sizeof(e->shared));
	up_write(&e->shared_sem);
	memory_free_shared(old.pages, old.bytes);
}

static void describe_nodes(struct pisces_boot_block *boot)
{
	unsigned int from, to;

	boot->node_count = min_t(unsigned int, nr_node_ids, PISCES_MAX_NODES);
	for (from = 0; from < boot->node_count; from++)
		for (to = 0; to < boot->node_count; to++)
			boot->distance[from][to] = min(node_distance(from, to), 255);
}

static void describe_range(struct pisces_boot_block *boot, const struct memory_range *range)
{
	struct pisces_boot_range *entry = &boot->ranges[boot->range_count++];

	entry->base = range->base;
	entry->size = range->size;
	entry->node = range->node;
	entry->granule_shift = range->granule_shift;
	if (range->dirty)
		entry->flags = PISCES_RANGE_DIRTY;
}

/* The range with the image first, the others by address: the list is sorted. */
static void describe_memory(struct pisces_boot_block *boot, struct enclave *e)
{
	struct memory_range *range;

	list_for_each_entry(range, &e->ranges, link)
		if (range->base == e->image_base)
			describe_range(boot, range);
	list_for_each_entry(range, &e->ranges, link)
		if (range->base != e->image_base)
			describe_range(boot, range);
}

void shared_describe(struct enclave *e, const char *cmdline)
{
	struct pisces_boot_block *boot = e->shared.boot;
	unsigned int i;

	BUILD_BUG_ON(sizeof(PISCES_BUILD_ID) > PISCES_BUILD_ID_LEN);
	boot->magic = PISCES_BOOT_MAGIC;
	boot->abi = PISCES_ABI_VERSION;
	boot->size = sizeof(*boot);
	strscpy(boot->build_id, PISCES_BUILD_ID, sizeof(boot->build_id));
	strscpy(boot->name, e->name, sizeof(boot->name));
	strscpy(boot->cmdline, cmdline, sizeof(boot->cmdline));
	strscpy(boot->node_name, utsname()->nodename, sizeof(boot->node_name));
	boot->enclave = e->number;
	boot->shared_base = page_to_phys(e->shared.pages);
	boot->shared_size = e->shared.bytes;
	boot->image_base = e->image_base;
	boot->image_size = e->image_bytes;

	boot->cpu_count = e->cpu_count;
	for (i = 0; i < e->cpu_count; i++) {
		boot->cpus[i].apic_id = e->cpus[i].apic_id;
		boot->cpus[i].linux_cpu = e->cpus[i].linux_cpu;
		boot->cpus[i].node = e->cpus[i].node;
		boot->cpus[i].core = e->cpus[i].core;
	}
	describe_memory(boot, e);
	describe_nodes(boot);
	clock_describe(boot);
}

int shared_read_status(struct enclave *e, struct pisces_get_status *request)
{
	void *copy = NULL;
	size_t bytes = 0;
	int ret = -EBUSY;

	down_read(&e->shared_sem);
	if (e->shared.status) {
		bytes = min_t(size_t, request->size, e->shared.status_bytes);
		request->size = e->shared.status_bytes;
		copy = kvmalloc(bytes, GFP_KERNEL);
		if (copy)
			memcpy(copy, e->shared.status, bytes);
		ret = copy ? 0 : -ENOMEM;
	}
	up_read(&e->shared_sem);
	/* Not earlier: a page of the user's may take its time, and must not hold up the end. */
	if (!ret && copy_to_user(u64_to_user_ptr(request->status), copy, bytes))
		ret = -EFAULT;
	kvfree(copy);
	return ret;
}
