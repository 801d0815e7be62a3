/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The enclave's memory, from the boot block to mm/. The first CPU maps it all; what has
 * Linux's data in it is cleared by all CPUs together, in chunks, before mm/ gets it.
 */
#include "arch/cpu.h"
#include "arch/paging_tables.h"
#include "boot/boot.h"
#include "lib/print.h"
#include "mm/clear.h"
#include "mm/page.h"

#define CHUNK (8 * LARGE_PAGE_SIZE)

/*
 * What the first CPU clears alone, since it and the start of the others need it: page
 * tables, and the blocks and stacks of CPUs.
 */
#define EARLY_LEAST (32ull << 20)
#define EARLY_EACH_CPU (64ull << 10)
#define EARLY_PART_SHIFT 17 /* of all memory: a table for each GiB, and as much again */

/* Seconds that another CPU may take for a chunk. */
#define CLEAR_LIMIT 30u

/* Mapped and dirty: comes to mm/ when it is clean. */
struct piece {
	phys_addr_t base, end;
	const struct pisces_boot_range *range;
	uint64_t first_chunk; /* number of its first chunk; all pieces together count from 0 */
};

static struct piece pieces[PISCES_MAX_RANGES + 2];
static unsigned int piece_count;
static uint64_t chunk_count;
static uint64_t chunks_taken, chunks_cleared;

static bool is_dirty(const struct pisces_boot_range *range)
{
	return range->flags & PISCES_RANGE_DIRTY;
}

static void map_memory(phys_addr_t base, uint64_t size, unsigned int granule_shift)
{
	if (!paging_map_memory(base, size, granule_shift))
		panic("memory at %lx, %lu bytes, cannot be mapped", base, size);
}

/* Of RANGE, and mapped. */
static void add_mapped(phys_addr_t base, phys_addr_t end, const struct pisces_boot_range *range)
{
	if (base >= end)
		return;
	if (!is_dirty(range)) {
		page_add_range(base, end - base, range->node, range->granule_shift);
		return;
	}
	pieces[piece_count++] = (struct piece){ base, end, range, chunk_count };
	chunk_count += (end - base + CHUNK - 1) / CHUNK;
}

static void add(phys_addr_t base, phys_addr_t end, const struct pisces_boot_range *range)
{
	if (base >= end)
		return;
	map_memory(base, end - base, range->granule_shift);
	add_mapped(base, end, range);
}

/*
 * Ranges of one kind that follow each other on one node are one for mm/: its blocks do
 * not cross ranges.
 */
static unsigned int add_run(unsigned int first)
{
	const struct pisces_boot_range *ranges = boot_block->ranges, *range = &ranges[first];
	unsigned int next = first + 1;
	phys_addr_t end = range->base + range->size;

	while (next < boot_block->range_count && ranges[next].base == end &&
	       ranges[next].node == range->node && ranges[next].flags == range->flags &&
	       ranges[next].granule_shift == range->granule_shift)
		end += ranges[next++].size;
	add(range->base, end, range);
	return next;
}

/* How much of the first memory, SIZE bytes, is used before all is clean. */
static uint64_t early_part(uint64_t size)
{
	uint64_t total = 0;

	if (!is_dirty(&boot_block->ranges[0]))
		return size;
	for (unsigned int i = 0; i < boot_block->range_count; i++)
		total += boot_block->ranges[i].size;
	total = EARLY_LEAST + cpu_count * EARLY_EACH_CPU + (total >> EARLY_PART_SHIFT);
	return min_u64(size, align_up(total, LARGE_PAGE_SIZE));
}

void boot_map_memory(void)
{
	const struct pisces_boot_range *first = &boot_block->ranges[0];
	phys_addr_t early;
	uint64_t early_size, part;

	/* The page tables of all other memory come from what is mapped already. */
	paging_first_memory(&early, &early_size);
	part = early_part(early_size);
	if (is_dirty(first))
		memory_clear(early, part);
	page_add_range(early, part, first->node, first->granule_shift);
	paging_fix_top();
	add(first->base, boot_block->image_base, first);
	add_mapped(early + part, early + early_size, first);
	add(early + early_size, first->base + first->size, first);
	for (unsigned int i = 1; i < boot_block->range_count;)
		i = add_run(i);
	page_set_distances(&boot_block->distance[0][0], boot_block->node_count, PISCES_MAX_NODES);
}

static void clear_chunk(uint64_t chunk)
{
	const struct piece *piece = &pieces[piece_count - 1];
	phys_addr_t base;

	while (piece->first_chunk > chunk)
		piece--;
	base = piece->base + (chunk - piece->first_chunk) * CHUNK;
	memory_clear(base, min_u64(CHUNK, piece->end - base));
}

void boot_clear_memory(void)
{
	uint64_t chunk;

	while ((chunk = __atomic_fetch_add(&chunks_taken, 1, __ATOMIC_RELAXED)) < chunk_count) {
		clear_chunk(chunk);
		__atomic_fetch_add(&chunks_cleared, 1, __ATOMIC_RELEASE);
	}
}

void boot_add_memory(void)
{
	uint64_t until = rdtsc() + boot_block->tsc_khz * 1000 * CLEAR_LIMIT;

	while (__atomic_load_n(&chunks_cleared, __ATOMIC_ACQUIRE) < chunk_count) {
		cpu_relax();
		if (rdtsc() > until)
			panic("a CPU did not finish to clear its part of the memory");
	}
	for (unsigned int i = 0; i < piece_count; i++)
		page_add_range(pieces[i].base, pieces[i].end - pieces[i].base,
			       pieces[i].range->node, pieces[i].range->granule_shift);
	if (chunk_count != 0)
		print("%llu MiB cleared", chunk_count * (CHUNK >> 20));
	boot_status->memory_total = page_total();
	boot_status->memory_free = page_free_bytes();
}
