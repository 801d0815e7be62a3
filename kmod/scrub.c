// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clearing memory that comes back from an enclave: by all CPUs that come back with it,
 * each taking the next piece until there is none. Freeing it page by page takes Linux
 * about as long, under locks of the zone that more CPUs would only fight for; so the
 * caller alone does that, piece after piece, while the others go on clearing.
 */

#include <linux/atomic.h>
#include <linux/io.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <pisces/ioctl.h>

#include "block.h"
#include "memory.h"
#include "scrub.h"
#include "workers.h"

struct scrub {
	struct list_head *ranges;
	atomic64_t next; /* piece, counted over all ranges */
	unsigned long *clear; /* the pieces that are; NULL: nobody asks */
};

/* What is in the caches is of more use to Linux than this memory, which nobody needs soon. */
void memory_clear(void *at, size_t bytes)
{
	u64 *word = at, *end = at + bytes;

	for (; word < end; word += 4)
		asm volatile("movnti %4, %0; movnti %4, %1; movnti %4, %2; movnti %4, %3"
			     : "=m"(word[0]), "=m"(word[1]), "=m"(word[2]), "=m"(word[3])
			     : "r"(0ull));
	wmb(); /* such stores are not ordered by themselves */
}

/* The range of piece PIECE and where it begins, in bytes from the range's; NULL: no such. */
static struct memory_range *piece_range(struct list_head *ranges, u64 piece, u64 *offset)
{
	struct memory_range *range;

	*offset = piece * SCRUB_CHUNK;
	list_for_each_entry(range, ranges, link) {
		if (*offset < range->size)
			return range;
		*offset -= range->size;
	}
	return NULL;
}

/* Clears the next piece that nobody has; false if there is none. */
static bool scrub_next(struct scrub *scrub)
{
	u64 piece = atomic64_inc_return(&scrub->next) - 1, offset;
	struct memory_range *range = piece_range(scrub->ranges, piece, &offset);

	if (!range)
		return false;
	if (range->way != PISCES_MEMORY_REMOVE || block_is_added(range->base + offset))
		memory_clear(phys_to_virt(range->base + offset), SCRUB_CHUNK);
	if (scrub->clear) {
		smp_mb__before_atomic(); /* clear before it is said to be */
		set_bit(piece, scrub->clear);
	}
	return true;
}

static void scrub_all(void *argument)
{
	struct scrub *scrub = argument;

	while (scrub_next(scrub))
		cond_resched();
}

/* Frees what is of the way contig as it becomes clear, clearing when there is nothing to free. */
static void free_all(struct scrub *scrub)
{
	struct memory_range *range;
	u64 piece, offset;

	for (piece = 0; (range = piece_range(scrub->ranges, piece, &offset)); piece++) {
		while (scrub->clear && !test_bit_acquire(piece, scrub->clear)) {
			if (!scrub_next(scrub))
				cpu_relax(); /* another CPU is about to have cleared it */
			cond_resched();
		}
		if (range->way == PISCES_MEMORY_CONTIG)
			contig_free(range->base + offset, SCRUB_CHUNK);
	}
}

void scrub_and_free(struct list_head *ranges, const struct cpumask *cpus)
{
	struct scrub scrub = { .ranges = ranges, .next = ATOMIC64_INIT(0) };
	struct workers *workers = NULL;
	struct memory_range *range;
	u64 pieces = 0;

	BUILD_BUG_ON(PISCES_MEMORY_ALIGN % SCRUB_CHUNK);
	list_for_each_entry(range, ranges, link)
		pieces += range->size / SCRUB_CHUNK;
	if (cpus) {
		scrub.clear = kvcalloc(BITS_TO_LONGS(pieces), sizeof(long), GFP_KERNEL);
		workers = workers_start(cpus, UINT_MAX, scrub_all, &scrub);
	}
	if (!scrub.clear)
		scrub_all(&scrub);
	else
		free_all(&scrub);
	workers_wait(workers);
	if (!scrub.clear)
		free_all(&scrub);
	kvfree(scrub.clear);
}
