/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paging, for arch/ and boot/ alone. */
#ifndef CK_ARCH_PAGING_TABLES_H
#define CK_ARCH_PAGING_TABLES_H

#include "lib/types.h"

/* Physical address of the kernel's top table, for CR3. */
phys_addr_t paging_kernel_root_phys(void);

/*
 * The piece of the first range that paging_init() could map with the tables in the
 * image: the first memory for mm/.
 */
void paging_first_memory(phys_addr_t *base, uint64_t *size);

/*
 * Tables for all of the direct map's top entries, so that they never change. Once
 * there is memory, before the first aspace and the first memory of another entry.
 */
void paging_fix_top(void);

/* A range of the enclave's memory, with the largest pages. Panics if it cannot be. */
void paging_map_memory(phys_addr_t base, uint64_t size);

/* Pages of a kernel stack. False: out of memory. */
bool paging_map_stack(uint64_t at, phys_addr_t base, uint64_t size);

/* Drops all translations that this CPU has, global ones too. */
void paging_flush_all(void);

#endif
