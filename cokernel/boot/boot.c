/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <pisces/build_id.h>

#include "arch/cpu.h"
#include "arch/features.h"
#include "arch/lapic.h"
#include "arch/offsets.h"
#include "arch/percpu.h"
#include "boot/boot.h"
#include "boot/image.h"
#include "boot/option.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/direct.h"

_Static_assert(offsetof(struct pisces_boot_block, cpu_count) == BLOCK_CPU_COUNT &&
		       offsetof(struct pisces_boot_block, status) == BLOCK_STATUS &&
		       offsetof(struct pisces_boot_block, cpus) == BLOCK_CPUS &&
		       sizeof(struct pisces_boot_cpu) == 1 << BLOCK_CPU_SHIFT &&
		       offsetof(struct pisces_boot_cpu, apic_id) == 0,
	       "boot/entry.S");
_Static_assert(offsetof(struct pisces_status, boot_tsc) == STATUS_BOOT_TSC &&
		       offsetof(struct pisces_status, cpu) == STATUS_CPU &&
		       sizeof(struct pisces_cpu_status) == 1 << STATUS_CPU_SHIFT &&
		       PISCES_CPU_ARRIVED == 1 && PISCES_MAX_CPUS == 1024,
	       "boot/entry.S");

static struct pisces_boot_block block;
const struct pisces_boot_block *boot_block = &block;
struct pisces_status *boot_status;

static const struct pisces_boot_block *shared_block;

static bool area_fits(struct pisces_boot_area area, uint64_t size)
{
	return area.offset >= sizeof(block) && area.offset % 64 == 0 && area.size >= size &&
	       area.size <= block.shared_size && area.offset <= block.shared_size - area.size;
}

static bool terminated(const char *text, size_t size)
{
	return strnlen(text, size) < size;
}

static void check_identity(const struct pisces_boot_block *shared)
{
	if (block.magic != PISCES_BOOT_MAGIC || block.abi != PISCES_ABI_VERSION ||
	    block.size != sizeof(block))
		panic("the boot block is of another ABI");
	if (strncmp(block.build_id, PISCES_BUILD_ID, sizeof(block.build_id)) != 0)
		panic("the boot block is of another build");
	if (block.shared_base != (uint64_t)shared || block.shared_base % PAGE_SIZE != 0)
		panic("the boot block is not where it says");
	if (!terminated(block.name, sizeof(block.name)) ||
	    !terminated(block.cmdline, sizeof(block.cmdline)) ||
	    !terminated(block.node_name, sizeof(block.node_name)))
		panic("a text of the boot block does not end");
	if (block.tsc_khz == 0 || block.tsc_khz > UINT32_MAX)
		panic("a TSC of %lu kHz", block.tsc_khz);
}

/*
 * The number of its CPU is what a program sees, and what the sets of syscall/affinity.c
 * have room for is no matter of trust: they look at it themselves.
 */
int boot_take_cpu(cpu_id_t index)
{
	const struct pisces_boot_cpu *cpu = &block.cpus[index];
	cpu_id_t i;

	if (index >= block.cpu_capacity || cpu_is_online(index))
		return -EINVAL;
	/* Those between were never there. */
	for (i = block.cpu_count; i < index; i++)
		block.cpus[i].apic_id = PISCES_NO_APIC;
	block.cpus[index] = shared_block->cpus[index];
	if (cpu->apic_id == PISCES_NO_APIC || cpu->node >= block.node_count)
		goto refuse;
	FOR_EACH_ONLINE_CPU(i) {
		if (block.cpus[i].apic_id == cpu->apic_id ||
		    block.cpus[i].linux_cpu == cpu->linux_cpu)
			goto refuse;
	}
	if (index >= block.cpu_count)
		block.cpu_count = index + 1;
	__atomic_store_n(&cpu_count, block.cpu_count, __ATOMIC_SEQ_CST);
	return 0;

refuse:
	boot_drop_cpu(index);
	return -EINVAL;
}

void boot_drop_cpu(cpu_id_t index)
{
	block.cpus[index].apic_id = PISCES_NO_APIC;
}

static void check_cpus(void)
{
	for (cpu_id_t i = 0; i < block.cpu_count; i++) {
		if (block.cpus[i].node >= block.node_count)
			panic("CPU %u is of node %u, beyond the last", i, block.cpus[i].node);
		for (cpu_id_t j = 0; j < i; j++) {
			if (block.cpus[i].apic_id == block.cpus[j].apic_id)
				panic("CPUs %u and %u have the same apic id", j, i);
		}
	}
}

static void check_memory(void)
{
	const struct pisces_boot_range *first = &block.ranges[0];

	for (unsigned int i = 0; i < block.range_count; i++) {
		const struct pisces_boot_range *r = &block.ranges[i];

		if (r->size == 0 || (r->base | r->size) % PISCES_MEMORY_ALIGN != 0 ||
		    r->base + r->size < r->base || r->node >= block.node_count ||
		    r->granule_shift < 21 || r->granule_shift > 63)
			panic("memory range %u is wrong", i);
		for (unsigned int j = 0; j < i; j++) {
			const struct pisces_boot_range *o = &block.ranges[j];

			if (r->base < o->base + o->size && o->base < r->base + r->size)
				panic("memory ranges %u and %u overlap", j, i);
		}
	}
	if (block.image_base % PISCES_MEMORY_ALIGN != 0 || block.image_base < first->base ||
	    block.image_size % PAGE_SIZE != 0 || block.image_size > first->size ||
	    block.image_base - first->base > first->size - block.image_size)
		panic("the image is not in the first memory range");
	if (block.image_size < (uint64_t)image_memory_size)
		panic("too little memory for the image");
}

/*
 * The counts bound the areas and so come first: where status lies must be known
 * before a reason can be left there.
 */
void boot_read(const struct pisces_boot_block *shared)
{
	memcpy(&block, shared, sizeof(block));
	shared_block = shared;
	if (block.cpu_count == 0 || block.cpu_count > block.cpu_capacity ||
	    block.cpu_capacity > PISCES_MAX_CPUS ||
	    !area_fits(block.status,
		       sizeof(struct pisces_status) +
			       block.cpu_capacity * sizeof(struct pisces_cpu_status)))
		panic("the boot block has no place for the status");
	boot_status = (struct pisces_status *)((uint64_t)shared + block.status.offset);
	boot_status->state = PISCES_COKERNEL_BOOTING;

	check_identity(shared);
	if (block.range_count == 0 || block.range_count > PISCES_MAX_RANGES ||
	    block.node_count == 0 || block.node_count > PISCES_MAX_NODES)
		panic("%u memory ranges, %u nodes: not possible", block.range_count,
		      block.node_count);
	check_cpus();
	check_memory();
}

void boot_use_direct_map(void)
{
	shared_block = phys_to_virt(block.shared_base);
	boot_status = phys_to_virt(block.shared_base + block.status.offset);
	cpu_count = block.cpu_count;
	cpu_identify(0);
}

void *boot_area(struct pisces_boot_area area)
{
	if (!area_fits(area, 1))
		panic("an area of the boot block lies outside of shared memory");
	return phys_to_virt(block.shared_base + area.offset);
}

const char *boot_option(const char *name, char *value, size_t size)
{
	return option_find(block.cmdline, name, value, size);
}

void linux_ring(void)
{
	uint64_t bell = __atomic_load_n(&shared_block->linux_bell, __ATOMIC_RELAXED);
	uint8_t vector = (uint8_t)bell;

	if (vector >= 0x20)
		lapic_send((apic_id_t)(bell >> 32), vector);
}
