/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that leaves the allocator: first a plan, then, if it is enough, all of it; the
 * node's lock is held from the one to the other.
 */
#include "mm/page_remove.h"

#include "lib/print.h"
#include "mm/page_internal.h"

struct plan {
	struct page_run *runs;
	unsigned int count;
	unsigned int most;
	uint64_t left; /* bytes still to be found */
};

static bool is_planned(const struct plan *plan, phys_addr_t base)
{
	for (unsigned int i = 0; i < plan->count; i++) {
		if (base - plan->runs[i].base < plan->runs[i].size)
			return true;
	}
	return false;
}

/* Adds [base, base + size), to the last run if it joins that. False: too many runs. */
static bool plan_add(struct plan *plan, phys_addr_t base, uint64_t size, bool join)
{
	struct page_run *last = &plan->runs[plan->count - 1];

	if (join && last->base + last->size == base) {
		last->size += size;
	} else if (join && base + size == last->base) {
		last->base = base;
		last->size += size;
	} else {
		if (plan->count == plan->most)
			return false;
		plan->runs[plan->count++] = (struct page_run){ base, size };
	}
	plan->left -= size;
	return true;
}

/* The free block that AT is in, or PAGE_NONE. */
static phys_addr_t find_block(const struct range *range, phys_addr_t at, unsigned int *order)
{
	for (*order = 0; *order < ORDERS; (*order)++) {
		phys_addr_t block = align_down(at, block_size(*order));

		if (block < range->base || block + block_size(*order) > range->end)
			break;
		if (word_read(word_of(range, block)) == (WORD_FREE | *order))
			return block;
	}
	return PAGE_NONE;
}

/* Is all of [at, end) free, but for the words in it? */
static bool is_free(const struct range *range, const struct range_origin *origin, phys_addr_t at,
		    phys_addr_t end)
{
	while (at < end) {
		unsigned int order;
		phys_addr_t block;

		if (at == origin->keep) {
			at += origin->keep_size;
			continue;
		}
		block = find_block(range, at, &order);
		if (block == PAGE_NONE)
			return false;
		at = block + block_size(order);
	}
	return true;
}

static bool has_words(const struct range_origin *origin, phys_addr_t base, phys_addr_t end)
{
	return base < origin->keep + origin->keep_size && end > origin->keep;
}

/* Range NUMBER and all others that were added with it, if all of that is free. */
static void plan_whole(struct plan *plan, node_id_t node, unsigned int number)
{
	const struct range_origin *origin = page_range_origin(number);
	uint64_t granule = 1ull << origin->granule_shift, size = 0;
	unsigned int pieces = 0;

	for (unsigned int i = 0; i < page_range_count(); i++) {
		struct range range = page_range_get(i);

		if (page_range_origin(i)->sequence != origin->sequence)
			continue;
		if (range.node != node || (range.base | range.end) % granule != 0 ||
		    range.end - range.base > plan->left ||
		    !is_free(&range, origin, range.base, range.end))
			return;
		size += range.end - range.base;
		pieces++;
	}
	if (size > plan->left || pieces > plan->most - plan->count)
		return;
	for (unsigned int i = 0; i < page_range_count(); i++) {
		struct range range = page_range_get(i);

		if (page_range_origin(i)->sequence == origin->sequence)
			plan_add(plan, range.base, range.end - range.base, false);
	}
}

/* What is free of range NUMBER, in pieces, and first those far from the words. */
static void plan_pieces(struct plan *plan, unsigned int number)
{
	const struct range_origin *origin = page_range_origin(number);
	struct range range = page_range_get(number);
	uint64_t granule = 1ull << origin->granule_shift;
	phys_addr_t first = align_up(range.base, granule), end = align_down(range.end, granule);
	bool downward = origin->keep < first, join = false;
	unsigned int room = page_range_room();

	if (is_planned(plan, range.base))
		return;
	for (uint64_t done = 0; first + done < end && plan->left >= granule; done += granule) {
		phys_addr_t at = downward ? end - granule - done : first + done;

		if (has_words(origin, at, at + granule) ||
		    !is_free(&range, origin, at, at + granule))
			continue;
		/* Each run may make one range more. */
		if (plan->count >= room || !plan_add(plan, at, granule, join))
			return;
		join = true;
	}
}

/* Ranges of NODE, those that were added last first. FN: whole ranges, or pieces of them. */
static void plan_all(struct plan *plan, node_id_t node, bool whole)
{
	uint64_t below = UINT64_MAX;

	while (plan->left > 0) {
		uint64_t latest = 0;

		for (unsigned int i = 0; i < page_range_count(); i++) {
			uint64_t sequence = page_range_origin(i)->sequence;

			if (sequence < below && sequence > latest && page_range_get(i).node == node)
				latest = sequence;
		}
		if (latest == 0)
			return;
		below = latest;
		for (unsigned int i = 0; i < page_range_count(); i++) {
			if (page_range_origin(i)->sequence != latest)
				continue;
			if (!whole) {
				plan_pieces(plan, i);
				continue;
			}
			plan_whole(plan, node, i);
			break;
		}
	}
}

/* Takes the free blocks of [base, end) away; what reaches beyond stays free. */
static void carve(struct node *node, phys_addr_t base, phys_addr_t end)
{
	struct range range = page_range_of(base);
	uint64_t taken = 0;
	phys_addr_t at = base;

	while (at < end) {
		unsigned int order;
		phys_addr_t block = find_block(&range, at, &order);
		phys_addr_t after = block + block_size(order);

		if (block == PAGE_NONE) {
			/* Words; their range goes with them. */
			at += PAGE_SIZE;
			continue;
		}
		page_unlist(node, block, order);
		word_write(word_of(&range, block), WORD_INSIDE);
		taken += min_u64(after, end) - at;
		page_release_all(node, &range, block, at);
		if (after > end)
			page_release_all(node, &range, end, after);
		at = after;
	}
	free_bytes_add(node, 0 - taken);
	__atomic_store_n(&node->total, node->total - taken, __ATOMIC_RELAXED);
}

uint64_t page_remove(uint64_t bytes, node_id_t id, struct page_run *runs, unsigned int *count)
{
	struct plan plan = { .runs = runs, .most = *count, .left = bytes };
	struct node *node = &page_nodes[id];

	ASSERT(id < NODES && *count > 0);
	*count = 0;
	page_range_lock();
	lock_take(&node->lock);
	page_empty_stock(node);
	plan_all(&plan, id, true);
	plan_all(&plan, id, false);
	if (plan.left == 0) {
		for (unsigned int i = 0; i < plan.count; i++)
			carve(node, runs[i].base, runs[i].base + runs[i].size);
		/* After all of carving, which needs all ranges with their words. */
		for (unsigned int i = 0; i < plan.count; i++)
			page_range_cut(runs[i].base, runs[i].base + runs[i].size);
		*count = plan.count;
	}
	lock_drop(&node->lock);
	page_range_unlock();
	return bytes - plan.left;
}
