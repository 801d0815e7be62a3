/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces dump: the co-kernel's page tables, those of x86-64 with four levels. */
#include "dump.h"

#include <stdlib.h>
#include <unistd.h>

#define ENTRIES	    512u
#define PRESENT	    (1ull << 0)
#define LARGE	    (1ull << 7)
#define ADDRESS	    0x000ffffffffff000ull
#define PAGE_BITS   12u
#define TOP_LEVEL   3u
#define UPPER_HALF  0xffff800000000000ull
#define SEGMENTS_MAX 60000u /* the count has 16 bits in the file, and gdb its patience */
#define TABLES_MAX   0x40000u /* of 128 GiB in pages of 4 KiB; tables in a circle end here */

bool dump_add_segment(struct dump *dump, uint64_t virtual_base, uint64_t base, uint64_t size)
{
	struct dump_segment *last = dump->segments + dump->segment_count - 1, *larger;

	if (dump->segment_count > 0 && last->virtual_base + last->size == virtual_base &&
	    last->base + last->size == base) {
		last->size += size;
		return true;
	}
	if (dump->segment_count == SEGMENTS_MAX)
		return false;
	if (dump->segment_count % 1024 == 0) {
		larger = realloc(dump->segments,
				 (dump->segment_count + 1024) * sizeof(*dump->segments));
		if (!larger)
			return false;
		dump->segments = larger;
	}
	dump->segments[dump->segment_count++] = (struct dump_segment){
		.virtual_base = virtual_base,
		.base = base,
		.size = size,
	};
	return true;
}

static bool in_piece(const struct dump *dump, uint64_t base, uint64_t size)
{
	for (unsigned int i = 0; i < dump->piece_count; i++) {
		const struct dump_piece *piece = &dump->pieces[i];

		if (base >= piece->base && base - piece->base < piece->size &&
		    size <= piece->size - (base - piece->base))
			return true;
	}
	return false;
}

static void mapped(struct dump *dump, uint64_t at, uint64_t base, uint64_t size)
{
	if (at - PISCES_DIRECT_BASE == base ||
	    (at >= dump->layout.image_virtual &&
	     at - dump->layout.image_virtual < dump->layout.image_size) ||
	    !in_piece(dump, base, size))
		return;
	dump_add_segment(dump, at, base, size);
}

/* A co-kernel that runs changes its tables, and a broken one has any: nothing is believed. */
static void walk(struct dump *dump, uint64_t table, unsigned int level, uint64_t from,
		 unsigned int *budget)
{
	uint64_t entries[ENTRIES];
	uint64_t step = 1ull << (PAGE_BITS + 9 * level);

	if (*budget == 0)
		return;
	--*budget;
	if (pread(dump->fd, entries, sizeof(entries), (off_t)table) != sizeof(entries))
		return;
	for (unsigned int i = level == TOP_LEVEL ? ENTRIES / 2 : 0; i < ENTRIES; i++) {
		uint64_t base = entries[i] & ADDRESS & ~(step - 1);
		uint64_t at = from + i * step;

		if (level == TOP_LEVEL)
			at |= UPPER_HALF;
		if (!(entries[i] & PRESENT))
			continue;
		if (level == 0 || (level < TOP_LEVEL && entries[i] & LARGE))
			mapped(dump, at, base, step);
		else
			walk(dump, entries[i] & ADDRESS, level - 1, at, budget);
	}
}

void dump_walk(struct dump *dump, uint64_t root)
{
	unsigned int budget = TABLES_MAX;

	walk(dump, root & ADDRESS, TOP_LEVEL, 0, &budget);
}
