/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine for the tests of address spaces: CPUs that walk page tables as the
 * hardware does and remember what they found for as long as they are allowed to,
 * and memory that runs out when the test says so.
 */
#ifndef T_UNIT_MMU_H
#define T_UNIT_MMU_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/aspace.h"

#define MMU_CPUS 4u

enum mmu_access { MMU_READ, MMU_WRITE, MMU_EXECUTE };

/*
 * From the next aspace on programs run on a top table of their own, as with page table
 * isolation. While there is no aspace.
 */
extern bool mmu_isolated;

/* The machine runs ASPACE from now on (NULL: none). */
void mmu_load(struct aspace *aspace);

/*
 * An instruction of a program on CPU: SIZE bytes at ADDRESS are read to DATA, written
 * from it, or executed. Page faults are served. 0, or what aspace_fault() said to
 * the fault that could not be served; then bytes below it have been copied.
 */
int mmu_do(unsigned int cpu, enum mmu_access access, user_addr_t address, void *data,
	   uint64_t size);

/* Page faults that were served since the start. */
extern uint64_t mmu_faults;

/* Level of the leaf at ADDRESS, -1 if no page is there; as the tables are now. */
int mmu_level(user_addr_t address);

/* The physical address, or PAGE_NONE if the page is not there or not accessible. */
uint64_t mmu_phys(user_addr_t address);

/*
 * Checks everything that must be true at any time between two calls: regions and
 * leaves agree, no page is used twice, each is allocated as it is used, the counters
 * are right, and no CPU remembers more than what the tables say. NULL, or what is wrong.
 */
const char *mmu_audit(void);

/* Bytes of pages that the test has taken besides, for mmu_audit(). */
extern uint64_t mmu_other_bytes;

/* A fault that finds memory for some of its tables only leaves those behind. */
extern bool mmu_empty_tables_allowed;

/* Violations that happened meanwhile: pages that were freed while a CPU knew them. */
extern uint64_t mmu_early_frees;

/* So many allocations (of pages or heap) succeed before all fail; UINT64_MAX: no limit. */
extern uint64_t allocations_left;
extern uint64_t allocations;	   /* so far */
extern uint64_t heap_objects;	   /* alive now */

#endif
