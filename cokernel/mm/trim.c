/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other half of the rule that a reservation is not memory. A touch may bring
 * 2 MiB where the program needs one byte; as long as there is memory, that is
 * faster. When there is none left, the pages of zeros in what came so are taken
 * back: the program cannot tell, since what is not there reads as zero too. So
 * a program needs no more than what it has written, in pages of 4 KiB.
 */
#include "arch/tlb.h"
#include "mm/direct.h"
#include "mm/local.h"
#include "mm/page.h"
#include "mm/pagetable.h"
#include "mm/space.h"

/* A page that would give back less stays large, and is not looked at again. */
#define LEAST (PT_ENTRIES / 16)

/* Bytes that one call takes back at most: the others may need theirs soon. */
#define ENOUGH (4 * LARGE_PAGE_SIZE)

static bool is_zero(phys_addr_t page)
{
	const uint64_t *word = phys_to_virt(page);

	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*word); i++) {
		if (word[i] != 0)
			return false;
	}
	return true;
}

static unsigned int count_zero(phys_addr_t block, bool zero[PT_ENTRIES])
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		zero[i] = is_zero(block + i * PAGE_SIZE);
		count += zero[i];
	}
	return count;
}

/*
 * BLOCK, which ENTRY mapped as OLD, becomes a table of those of its pages that are
 * not zero. The table is one of the others: there may be no other memory.
 */
static void keep_used(uint64_t *entry, uint64_t old, phys_addr_t block,
		      const bool zero[PT_ENTRIES])
{
	uint64_t *table = NULL;

	page_split(block, PAGE_ORDER_LARGE, 0);
	for (unsigned int i = 0; i < PT_ENTRIES && table == NULL; i++) {
		if (zero[i])
			table = phys_to_virt(block + i * PAGE_SIZE);
	}
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		phys_addr_t page = block + i * PAGE_SIZE;

		if (!zero[i])
			table[i] = (old & ~(PTE_LARGE | PTE_ADDRESS)) | page;
		else if (phys_to_virt(page) != table)
			page_free(page, 0);
	}
	pt_write(entry, virt_to_phys(table) | PTE_TABLE | PTE_PIECES);
}

/* Bytes that the large page at ENTRY, which is for START, gives back. */
static uint64_t trim_page(struct aspace *aspace, uint64_t *entry, user_addr_t start)
{
	uint64_t old = pt_read(entry);
	phys_addr_t block = old & PTE_ADDRESS;
	bool zero[PT_ENTRIES];
	unsigned int count;

	/* Most are not worth it; that can be seen while the program goes on. */
	if (count_zero(block, zero) < LEAST) {
		pt_write(entry, old | PTE_FULL);
		return 0;
	}
	if (old & PTE_PRESENT) {
		pt_write(entry, old & ~PTE_PRESENT);
		tlb_flush(aspace, start, start + LARGE_PAGE_SIZE);
	}
	count = count_zero(block, zero);
	if (count < LEAST) {
		pt_write(entry, old | PTE_FULL);
		return 0;
	}
	keep_used(entry, old, block, zero);
	space_count(aspace, 0 - count * PAGE_SIZE);
	return (count - 1) * PAGE_SIZE;
}

static bool may_trim(const struct aspace *aspace, user_addr_t at, uint64_t entry,
		     unsigned int level)
{
	const struct region *region = region_at(&aspace->regions, at);

	return level == 1 && !(entry & (PTE_FOREIGN | PTE_FULL)) &&
	       !(region->flags & (REGION_KERNEL | REGION_SHARED)) &&
	       !page_is_shared(entry & PTE_ADDRESS);
}

/* One leaf at *AT or above, which moves on. False: there is none below END. */
static bool trim_next(struct aspace *aspace, user_addr_t *at, user_addr_t end, uint64_t *freed)
{
	unsigned int level;
	uint64_t *entry;

	lock_take(&aspace->lock);
	entry = pt_next_leaf(aspace->root, at, end, &level);
	if (entry != NULL) {
		if (may_trim(aspace, *at, pt_read(entry), level))
			*freed += trim_page(aspace, entry, *at);
		/* Single pages have only neighbours of their kind. */
		*at = align_down(*at, LARGE_PAGE_SIZE) + max_u64(pt_page_size(level), LARGE_PAGE_SIZE);
	}
	lock_drop(&aspace->lock);
	mm_turn(0);
	return entry != NULL;
}

bool space_trim(struct aspace *aspace)
{
	user_addr_t from = __atomic_load_n(&aspace->trim_at, __ATOMIC_RELAXED), at = from;
	uint64_t freed = 0;

	/* Once around, from where the last one ended. */
	while (freed < ENOUGH && trim_next(aspace, &at, USER_END, &freed))
		continue;
	if (freed < ENOUGH) {
		at = 0;
		while (freed < ENOUGH && trim_next(aspace, &at, from, &freed))
			continue;
	}
	__atomic_store_n(&aspace->trim_at, at, __ATOMIC_RELAXED);
	return freed != 0;
}
