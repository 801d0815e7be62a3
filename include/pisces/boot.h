/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The boot block: what the module writes and the co-kernel reads at start.
 *
 * How a co-kernel is entered. The module loads the image (struct
 * pisces_image_header, a flat binary) at a 2 MiB boundary in the first memory
 * range and sends INIT and SIPI to all CPUs of the enclave at once. Each CPU
 * arrives at the image's entry point, on its own and in any order, with
 *   - long mode, interrupts off, EFER.LME|NXE, CR4.PAE, no stack, no usable IDT;
 *   - page tables of the module (below 4 GiB) that map the image at its virtual
 *     address and the shared area at its physical address, all read-write, and
 *     nothing else: not the local APIC, not the other ranges;
 *   - a GDT that goes away with the trampoline: it must load its own before it
 *     loads a segment register or takes an exception;
 *   - RDI = physical (and identity-mapped) address of the boot block.
 * It finds its own entry in cpus[] by its APIC id and sets the state of its CPU
 * in the status area to PISCES_CPU_ARRIVED; from then on the module may take the
 * trampoline away. The module's page tables stay valid as long as the enclave.
 *
 * A CPU that is added to a running enclave comes the same way: the module writes
 * its entry in cpus[] (and cpu_count, if it is a new one), launches it, and when it
 * has arrived says CPU_ADD. It waits at the entry until the co-kernel lets it in.
 * The entry of a CPU that has been removed has apic_id PISCES_NO_APIC.
 *
 * The shared area is memory of Linux, not of the enclave: boot block, status
 * area, registers, usage of tasks, control rings and console ring, contiguous, at offsets given here.
 */
#ifndef PISCES_BOOT_H
#define PISCES_BOOT_H

#include <pisces/abi.h>
#include <pisces/types.h>

#define PISCES_IMAGE_MAGIC 0x4547414d49435350ull /* "PSCIMAGE" */
#define PISCES_BOOT_MAGIC 0x4b434f4c42435350ull	 /* "PSCBLOCK" */

/* The first bytes of a co-kernel image file. */
struct pisces_image_header {
	uint64_t magic;
	uint32_t abi;	      /* PISCES_ABI_VERSION */
	uint32_t header_size; /* of this structure */
	char build_id[PISCES_BUILD_ID_LEN];
	uint64_t virtual_base; /* where the first byte of the file must appear; 2 MiB aligned */
	uint64_t entry;	       /* virtual address */
	uint64_t file_size;    /* bytes to load */
	uint64_t memory_size;  /* bytes to map and to zero behind the file; below 64 MiB */
};
PISCES_ASSERT_SIZE(struct pisces_image_header, 88);

#define PISCES_NO_APIC 0xffffffffu

/*
 * Our co-kernel has all memory of its enclave, and the shared area, at this + physical
 * address: for tools that look into it from outside. The module does not use it.
 */
#define PISCES_DIRECT_BASE 0xffff800000000000ull

struct pisces_boot_cpu {
	uint32_t apic_id;   /* physical; PISCES_NO_APIC: nobody is here */
	uint32_t linux_cpu; /* the number that Linux gives it */
	uint32_t node;	    /* Linux's NUMA node number */
	uint32_t core;	    /* SMT siblings have the same number; unique in the node */
};
PISCES_ASSERT_SIZE(struct pisces_boot_cpu, 16);

/* The range has Linux's data in it: the co-kernel clears it before anything else uses it. */
#define PISCES_RANGE_DIRTY 0x0001u

struct pisces_boot_range {
	pisces_phys_t base; /* PISCES_MEMORY_ALIGN aligned */
	uint64_t size;	    /* bytes, a multiple of PISCES_MEMORY_ALIGN; zeroed if not DIRTY */
	uint32_t node;
	uint16_t flags;		/* PISCES_RANGE_... */
	uint16_t granule_shift; /* can be given back in aligned pieces of 1 << this, 21 or more */
};
PISCES_ASSERT_SIZE(struct pisces_boot_range, 24);

/* A piece of the shared area: byte offset from the boot block. */
struct pisces_boot_area {
	uint32_t offset;
	uint32_t size;
};

struct pisces_boot_block {
	uint64_t magic;
	uint32_t abi;
	uint32_t size; /* of this structure */
	char build_id[PISCES_BUILD_ID_LEN];
	char name[PISCES_NAME_LEN]; /* of the enclave */
	char cmdline[PISCES_CMDLINE_LEN];
	char node_name[PISCES_NAME_LEN]; /* host name of the node */

	uint32_t enclave; /* number, as in `pisces list` */
	uint32_t cpu_count;
	uint32_t range_count;
	uint32_t node_count; /* nodes in distance[]: highest node number + 1 */
	uint32_t cpu_capacity; /* CPUs that it can ever have: entries of status and registers */
	uint32_t unused;

	pisces_phys_t shared_base; /* = address of this block */
	uint64_t shared_size;
	pisces_phys_t image_base;
	uint64_t image_size; /* of memory, from image_base; rounded up to a page */

	/*
	 * Time: at tsc_base Linux's CLOCK_MONOTONIC was monotonic_ns and its
	 * CLOCK_REALTIME was realtime_ns.
	 */
	uint64_t tsc_khz;
	uint64_t tsc_base;
	uint64_t monotonic_ns;
	uint64_t realtime_ns;

	/*
	 * How to ring Linux: physical APIC id << 32 | vector, in one word, since
	 * the module changes it when that CPU of Linux goes away.
	 */
	uint64_t linux_bell;

	struct pisces_boot_area status;	     /* struct pisces_status */
	struct pisces_boot_area registers;   /* struct pisces_registers[cpu_capacity] */
	struct pisces_boot_area usage;	     /* struct pisces_task_usage[PISCES_MAX_TASKS] */
	struct pisces_boot_area control_in;  /* ring, Linux to enclave */
	struct pisces_boot_area control_out; /* ring, enclave to Linux */
	struct pisces_boot_area console;     /* ring, enclave to Linux */
	uint32_t control_slots;
	uint32_t console_slots;

	struct pisces_boot_cpu cpus[PISCES_MAX_CPUS];
	struct pisces_boot_range ranges[PISCES_MAX_RANGES];
	uint8_t distance[PISCES_MAX_NODES][PISCES_MAX_NODES]; /* ACPI SLIT: 10 is local */
};

#endif
