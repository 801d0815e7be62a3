/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user half of a set of page tables. A LEVEL is 0 for entries of 4 KiB pages,
 * 1 for 2 MiB, 2 for 1 GiB, 3 for the top table. A leaf is an entry that maps a page
 * of its level; one that is not zero has a page even when it is not present (then
 * the program may not touch it: PROT_NONE). The aspace's lock is held in all of these.
 *
 * Taking away goes in three steps: pt_unlink() hides entries, whole tables where it
 * can; tlb_flush(); pt_release() frees what was hidden. Nothing has to be collected
 * meanwhile, the hidden entries are the list.
 */
#ifndef CK_MM_PAGETABLE_H
#define CK_MM_PAGETABLE_H

#include "arch/paging.h"
#include "lib/types.h"

struct aspace;

static inline uint64_t pt_read(const uint64_t *entry)
{
	return __atomic_load_n(entry, __ATOMIC_RELAXED);
}

/* The CPUs see the contents of a new page or table before the entry. */
static inline void pt_write(uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

/* Bits that the CPU ignores. */
#define PTE_GONE (1ull << 52)	 /* hidden: to be released */
#define PTE_FOREIGN (1ull << 53) /* a page of the kernel's or an object's: never freed here */
#define PTE_CLEAN (1ull << 54)	 /* of an object that is told what is written: not told yet */
#define PTE_PIECES (1ull << 55)	 /* of a table: of a page that was split for a reason */
#define PTE_COPY (1ull << 57)	 /* of an object's: to be copied before it is written */
#define PTE_FULL (1ull << 56)	 /* of a large page: space_trim() has found it in use all over */

/* What the entry of a table has besides its address. */
#define PTE_TABLE (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)

#define PT_TOP_LEVEL 3u
#define PT_ENTRIES 512u

static inline uint64_t pt_page_size(unsigned int level)
{
	return PAGE_SIZE << (9 * level);
}

/* The order of page_alloc() for a page of LEVEL. */
static inline unsigned int pt_order(unsigned int level)
{
	return 9 * level;
}

/* Empty tables with the kernel's half; PAGE_NONE: out of memory. */
phys_addr_t pt_create(node_id_t node);

/* Frees all tables and pages. No CPU has them loaded. */
void pt_destroy(phys_addr_t root);

/* What a leaf keeps when its protection changes, or its place. */
#define PTE_KEPT (PTE_FOREIGN | PTE_COPY | PTE_CLEAN)

/* A leaf's entry. PROT as ASPACE_READ...; EXTRA: of PTE_KEPT. */
uint64_t pt_leaf(phys_addr_t page, unsigned int level, unsigned int prot, uint64_t extra);

/* Where the walk to ADDRESS ends: at a leaf, or at an empty entry. *LEVEL says of which table. */
uint64_t *pt_find(phys_addr_t root, user_addr_t address, unsigned int *level);

/*
 * The entry for ADDRESS in a table of LEVEL, with the tables above it made; *FOUND
 * is greater than LEVEL if a larger leaf is there instead. NULL: out of memory.
 */
uint64_t *pt_make(phys_addr_t root, user_addr_t address, unsigned int level, node_id_t node,
		  unsigned int *found);

/* The entry of the level 1 table that ADDRESS belongs to, leaf or not; NULL: no such table. */
uint64_t *pt_find_large(phys_addr_t root, user_addr_t address);

/* The first leaf that ends above *AT and starts below END; *AT: where it starts. Or NULL. */
uint64_t *pt_next_leaf(phys_addr_t root, user_addr_t *at, user_addr_t end, unsigned int *level);

/* Splits until no leaf has ADDRESS inside. False: out of memory (all is as good as before). */
bool pt_split_at(struct aspace *aspace, phys_addr_t root, user_addr_t address, node_id_t node);

/* Splits the large leaf at ENTRY, which starts at START, into 512 of the next level. */
bool pt_split(struct aspace *aspace, uint64_t *entry, unsigned int level, user_addr_t start,
	      node_id_t node);

/* True: something was hidden, flush and release. No leaf may cross START or END. */
bool pt_unlink(phys_addr_t root, user_addr_t start, user_addr_t end);

/* Returns bytes of the pages that were freed, without those of the kernel. */
uint64_t pt_release(phys_addr_t root, user_addr_t start, user_addr_t end);

/* True: some entry allows less than before: flush. No leaf may cross START or END. */
bool pt_protect(phys_addr_t root, user_addr_t start, user_addr_t end, unsigned int prot);

#endif
