/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/features.h"
#include "arch/paging.h"
#include "arch/paging_tables.h"
#include "arch/percpu.h"
#include "arch/stack.h"
#include "arch/tlb.h"
#include "arch/x86.h"
#include "boot/boot.h"
#include "boot/image.h"
#include "lib/lock.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/direct.h"
#include "mm/page.h"

#define TABLE_ENTRIES 512u
#define TOP_DIRECT ((DIRECT_BASE >> 39) & 511)
#define TOP_IMAGE 511u
#define DIRECT_LIMIT ((TOP_IMAGE - TOP_DIRECT) << 39) /* of physical addresses */

#define DATA (PTE_PRESENT | PTE_WRITE | PTE_NO_EXEC | PTE_GLOBAL)
#define READ_ONLY (PTE_PRESENT | PTE_NO_EXEC | PTE_GLOBAL)
#define CODE (PTE_PRESENT | PTE_GLOBAL)
#define TABLE (PTE_PRESENT | PTE_WRITE)

/* Linux's own layout of the PAT, so that memory that both use has one type. */
#define PAT_LAYOUT 0x0407050600070106ull

/*
 * Tables until mm/ has memory: top, image and stacks take 4 and one more for each
 * 2 MiB of the image; shared area, local APIC and first memory at most 4 each, and
 * one more for each 2 MiB of the shared area. Those of programs: top, and the image's.
 */
#define EARLY_TABLES 40u
static uint64_t early_tables[EARLY_TABLES][TABLE_ENTRIES] __aligned(2 * PAGE_SIZE);
static unsigned int early_used;

static struct lock lock = LOCK_INIT;
static uint64_t *root; /* the first of them, so that TABLES_OF_PROGRAM is not set in it */
static uint64_t *programs_root;
static phys_addr_t first_base;
static uint64_t first_size;
static bool mm_ready;

phys_addr_t paging_image_phys(const void *address)
{
	return boot_block->image_base + ((uint64_t)address - (uint64_t)image_start);
}

static bool in_image(phys_addr_t address)
{
	return address - boot_block->image_base < (uint64_t)(image_end - image_start);
}

static uint64_t *table_at(phys_addr_t address)
{
	if (in_image(address))
		return (uint64_t *)((uint64_t)image_start + (address - boot_block->image_base));
	return phys_to_virt(address);
}

static phys_addr_t table_alloc(void)
{
	if (mm_ready)
		return page_alloc(0, this_cpu()->node, PAGE_ZERO);
	if (early_used == EARLY_TABLES)
		return PAGE_NONE;
	return paging_image_phys(early_tables[early_used++]);
}

/*
 * The entry for ADDRESS, below the top table TABLE, in a table of LEVEL (0: of 4 KiB pages,
 * 1: 2 MiB, 2: 1 GiB, 3: the top table), with the tables above made where they miss. NULL: out
 * of memory, or a larger page is in the way.
 */
static uint64_t *entry_in(uint64_t *table, uint64_t address, unsigned int level)
{
	for (unsigned int at = 3; at > level; at--) {
		uint64_t *entry = &table[address >> (PAGE_SHIFT + 9 * at) & 511];

		if ((*entry & PTE_PRESENT) == 0) {
			phys_addr_t next = table_alloc();

			if (next == PAGE_NONE)
				return NULL;
			__atomic_store_n(entry, next | TABLE, __ATOMIC_RELEASE);
		} else if (*entry & PTE_LARGE) {
			return NULL;
		}
		table = table_at(*entry & PTE_ADDRESS);
	}
	return &table[address >> (PAGE_SHIFT + 9 * level) & 511];
}

static uint64_t *entry_for(uint64_t address, unsigned int level)
{
	return entry_in(root, address, level);
}

static unsigned int level_for(uint64_t address, phys_addr_t base, uint64_t size, unsigned int most)
{
	uint64_t both = address | base;

	if (most >= 2 && cpu_features.huge_pages && both % HUGE_PAGE_SIZE == 0 && size >= HUGE_PAGE_SIZE)
		return 2;
	return both % LARGE_PAGE_SIZE == 0 && size >= LARGE_PAGE_SIZE ? 1 : 0;
}

/*
 * With pages of level MOST at most. Returns bytes that were mapped: less than SIZE if it is
 * out of memory, or something is mapped there.
 */
static uint64_t map_upto(uint64_t address, phys_addr_t base, uint64_t size, uint64_t flags,
			 unsigned int most)
{
	uint64_t left = size;

	while (left != 0) {
		unsigned int level = level_for(address, base, left, most);
		uint64_t *entry = entry_for(address, level);
		uint64_t step;

		/* A table that something smaller has left there (a channel) is used again. */
		while (level > 0 && entry != NULL &&
		       (*entry & (PTE_PRESENT | PTE_LARGE)) == PTE_PRESENT)
			entry = entry_for(address, --level);
		step = PAGE_SIZE << (9 * level);
		if (entry == NULL || (*entry & PTE_PRESENT) != 0)
			break;
		__atomic_store_n(entry, base | flags | (level > 0 ? PTE_LARGE : 0),
				 __ATOMIC_RELEASE);
		address += step;
		base += step;
		left -= step;
	}
	return size - left;
}

/* False: then a part may be mapped. */
static bool map(uint64_t address, phys_addr_t base, uint64_t size, uint64_t flags)
{
	return map_upto(address, base, size, flags, 2) == size;
}

/* Takes away what is mapped in [base, base + size) of the direct map; pages lie in it wholly. */
static void unmap(phys_addr_t base, uint64_t size)
{
	uint64_t address = DIRECT_BASE + base, end = address + size;

	while (address < end) {
		unsigned int level = 2;
		uint64_t *entry;

		/* No table misses, so none is made here; below a large page there is none. */
		while ((entry = entry_for(address, level)) != NULL && level > 0 &&
		       (*entry & (PTE_PRESENT | PTE_LARGE)) == PTE_PRESENT)
			level--;
		ASSERT(entry != NULL && address % (PAGE_SIZE << (9 * level)) == 0 &&
		       end - address >= PAGE_SIZE << (9 * level));
		__atomic_store_n(entry, 0, __ATOMIC_RELEASE);
		address += PAGE_SIZE << (9 * level);
	}
}

static bool direct_ok(phys_addr_t base, uint64_t size)
{
	uint64_t limit = 1ull << cpu_features.phys_bits;

	return (base | size) % PAGE_SIZE == 0 && size != 0 && base < min_u64(limit, DIRECT_LIMIT) &&
	       size <= min_u64(limit, DIRECT_LIMIT) - base;
}

static void map_image(const char *start, const char *end, uint64_t flags)
{
	ASSERT(map((uint64_t)start, paging_image_phys(start), (uint64_t)(end - start), flags));
}

/*
 * The first memory: what follows the image, up to the end of its 1 GiB so that few
 * tables do. The image itself is not in the direct map: nothing is both writable
 * and executable, by any address.
 */
static void map_first_memory(void)
{
	const struct pisces_boot_range *range = &boot_block->ranges[0];
	phys_addr_t end = range->base + range->size;

	first_base = boot_block->image_base + boot_block->image_size;
	end = min_u64(end, align_up(first_base + 1, HUGE_PAGE_SIZE));
	first_size = end - first_base;
	if (!paging_map_memory(first_base, first_size, range->granule_shift))
		panic("the first memory at %lx cannot be mapped", first_base);
}

void paging_first_memory(phys_addr_t *base, uint64_t *size)
{
	*base = first_base;
	*size = first_size;
}

void paging_init(void)
{
	root = early_tables[early_used++];
	map_image(image_start, image_rodata_end, READ_ONLY);
	map_image(image_text_start, image_text_end, CODE);
	/* The page below the boot stack stays away: it is the stack's guard. */
	map_image(image_data_start, boot_stack_guard, DATA);
	map_image(boot_stack_guard + PAGE_SIZE, image_end, DATA);
	ASSERT(entry_for(STACK_AREA, 1) != NULL);
	ASSERT(map(DIRECT_BASE + boot_block->shared_base, boot_block->shared_base,
		   align_up(boot_block->shared_size, PAGE_SIZE), DATA));
	map_first_memory();
	write_cr3(paging_kernel_root_phys());
	paging_init_cpu();
}

void paging_init_cpu(void)
{
	wrmsr(MSR_PAT, PAT_LAYOUT);
	paging_flush_all();
}

void paging_flush_all(void)
{
	uint64_t cr4 = read_cr4();

	if (cr4 & CR4_PGE) {
		write_cr4(cr4 & ~CR4_PGE);
		write_cr4(cr4);
	} else {
		write_cr3(read_cr3());
	}
}

const uint64_t *paging_kernel_root(void)
{
	return root;
}

phys_addr_t paging_kernel_root_phys(void)
{
	return paging_image_phys(root);
}

const uint64_t *paging_programs_root(void)
{
	return programs_root;
}

bool paging_show(const void *start, size_t size, bool execute, bool write)
{
	uint64_t address = (uint64_t)start, end = address + size;
	uint64_t flags = PTE_PRESENT | (write ? PTE_WRITE : 0) | (execute ? 0 : PTE_NO_EXEC);

	ASSERT((address | size) % PAGE_SIZE == 0);
	lock_take(&lock);
	if (programs_root == NULL)
		programs_root = early_tables[early_used++];
	for (; address < end; address += PAGE_SIZE) {
		bool direct = address < (uint64_t)image_start;
		phys_addr_t page = direct ? virt_to_phys((void *)address) :
					    paging_image_phys((void *)address);
		uint64_t *entry = entry_in(programs_root, address, 0);

		if (entry == NULL)
			break;
		__atomic_store_n(entry, page | flags, __ATOMIC_RELEASE);
	}
	lock_drop(&lock);
	return address == end;
}

void paging_hide(const void *start, size_t size)
{
	lock_take(&lock);
	for (uint64_t address = (uint64_t)start; address < (uint64_t)start + size;
	     address += PAGE_SIZE) {
		uint64_t *entry = entry_in(programs_root, address, 0);

		if (entry != NULL)
			__atomic_store_n(entry, 0, __ATOMIC_RELEASE);
	}
	lock_drop(&lock);
	tlb_flush_kernel();
}

void paging_fix_top(void)
{
	unsigned int bits = cpu_features.phys_bits < 48 ? cpu_features.phys_bits : 48;
	uint64_t limit = min_u64(1ull << bits, DIRECT_LIMIT);

	mm_ready = true;
	for (phys_addr_t base = 0; base < limit; base += 1ull << 39) {
		if (entry_for(DIRECT_BASE + base, 2) == NULL ||
		    (programs_root != NULL &&
		     entry_in(programs_root, DIRECT_BASE + base, 2) == NULL))
			panic("out of memory for page tables");
	}
}

bool paging_map_memory(phys_addr_t base, uint64_t size, unsigned int granule_shift)
{
	uint64_t done;

	if (!direct_ok(base, size))
		return false;
	lock_take(&lock);
	done = map_upto(DIRECT_BASE + base, base, size, DATA, granule_shift >= 30 ? 2 : 1);
	lock_drop(&lock);
	if (done == size)
		return true;
	if (done != 0)
		paging_unmap_memory(base, done);
	return false;
}

void paging_unmap_memory(phys_addr_t base, uint64_t size)
{
	lock_take(&lock);
	unmap(base, size);
	lock_drop(&lock);
	tlb_flush_kernel();
}

bool paging_map_stack(uint64_t at, phys_addr_t base, uint64_t size)
{
	bool done;

	lock_take(&lock);
	done = map(at, base, size, DATA);
	lock_drop(&lock);
	return done;
}

/* Page by page, so that what was mapped can be taken away as it came. */
bool paging_map_direct(phys_addr_t base, uint64_t size, bool cached)
{
	uint64_t flags = DATA | (cached ? 0 : PTE_CACHE_OFF | PTE_WRITE_THROUGH);
	uint64_t done;

	if (!direct_ok(base, size))
		return false;
	lock_take(&lock);
	for (done = 0; done < size; done += PAGE_SIZE) {
		if (!map(DIRECT_BASE + base + done, base + done, PAGE_SIZE, flags))
			break;
	}
	lock_drop(&lock);
	if (done == size)
		return true;
	if (done != 0)
		paging_unmap_direct(base, done);
	return false;
}

void paging_unmap_direct(phys_addr_t base, uint64_t size)
{
	uint64_t start = DIRECT_BASE + base;

	ASSERT(direct_ok(base, size));
	lock_take(&lock);
	for (uint64_t address = start; address < start + size; address += PAGE_SIZE) {
		uint64_t *entry = entry_for(address, 0);

		ASSERT(entry != NULL);
		__atomic_store_n(entry, 0, __ATOMIC_RELEASE);
	}
	lock_drop(&lock);
	tlb_flush_kernel();
}
