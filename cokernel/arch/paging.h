/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page table entries of x86-64, four levels, and the kernel's half of the
 * address space. The user half is mm/'s.
 */
#ifndef CK_ARCH_PAGING_H
#define CK_ARCH_PAGING_H

#include "lib/types.h"

#define PTE_PRESENT (1ull << 0)
#define PTE_WRITE (1ull << 1)
#define PTE_USER (1ull << 2)
#define PTE_WRITE_THROUGH (1ull << 3)
#define PTE_CACHE_OFF (1ull << 4)
#define PTE_ACCESSED (1ull << 5)
#define PTE_DIRTY (1ull << 6)
#define PTE_LARGE (1ull << 7) /* in a PD: 2 MiB, in a PDPT: 1 GiB */
#define PTE_GLOBAL (1ull << 8)
#define PTE_NO_EXEC (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

/* Builds the kernel's final page tables and loads them; first CPU, once. */
void paging_init(void);
/* The same tables on another CPU. */
void paging_init_cpu(void);

/* Physical address of something in the image (code, constants, static data). */
phys_addr_t paging_image_phys(const void *address);

/* The kernel's top table, whose upper 256 entries every aspace copies; they never change. */
const uint64_t *paging_kernel_root(void);

/*
 * With isolation (arch/isolation.h): the upper 256 entries of the top table that programs run
 * on, which is the page behind the one with the kernel's. NULL: they run on that one.
 */
const uint64_t *paging_programs_root(void);

/*
 * Adds memory of Linux (a channel) or a device to the direct map, or takes it
 * away. Page aligned. False: out of memory.
 */
bool paging_map_direct(phys_addr_t base, uint64_t size, bool cached);
void paging_unmap_direct(phys_addr_t base, uint64_t size);

#endif
