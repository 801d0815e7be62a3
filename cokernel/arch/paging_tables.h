/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paging, for arch/, boot/ and changes of memory alone. */
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

/*
 * Memory of the enclave that can be given back in aligned pieces of 1 << GRANULE_SHIFT: so
 * with no page larger than that, and to take a piece away again needs no memory. False:
 * out of reach, out of memory, or something is mapped there; then nothing is.
 */
bool paging_map_memory(phys_addr_t base, uint64_t size, unsigned int granule_shift);

/* Takes such a piece away again, or several; for all CPUs. The caller holds no lock. */
void paging_unmap_memory(phys_addr_t base, uint64_t size);

/*
 * Makes a part of the image, or of a block of the direct map, whole pages, part of the
 * co-kernel's half of the tables that programs run on: for isolation. Before paging_fix_top()
 * it is the image's only. False: out of memory.
 */
bool paging_show(const void *start, size_t size, bool execute, bool write);

/* Takes it away again, or what was shown of it; for all CPUs. The caller holds no lock. */
void paging_hide(const void *start, size_t size);

/* Pages of a kernel stack. False: out of memory. */
bool paging_map_stack(uint64_t at, phys_addr_t base, uint64_t size);

/* Drops all translations that this CPU has, global ones too. */
void paging_flush_all(void);

#endif
