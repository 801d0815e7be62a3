/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every page has a word, and the words of a range are an array in the range
 * itself. The word of a block's first page says what the block is; those of the
 * pages inside are zero. A free block carries its links in its own first bytes.
 *
 * Single pages come and go through a small stock for each node, which is not
 * merged until somebody needs a larger block: so that a page given back and taken
 * again does not merge and split eighteen times.
 *
 * All memory is zero when it comes. An area of 2 MiB of which nothing was ever taken, nor was
 * it a smaller free block than that, has nothing else in it than the links of free blocks at
 * its very beginning, wherever it has been split off and merged. So it need not be cleared
 * once more for the first who takes it.
 */
#include "mm/page.h"

#include "lib/print.h"
#include "lib/string.h"
#include "mm/clear.h"
#include "mm/direct.h"
#include "mm/page_internal.h"

struct node page_nodes[NODES];
static uint8_t nearest[NODES][NODES];
static bool nearest_known;

/* The node's lock is held in all of the following. */

/*
 * Somebody writes into BLOCK, or already has: notes it for its areas, or for the one that it is
 * a part of. Returns whether nobody had before. An area that begins outside of the range is
 * never taken whole. Nobody changes the word of an area's first page without the lock before
 * the area is used, as a block has to be taken for that.
 */
static bool use(const struct range *range, phys_addr_t block, unsigned int order)
{
	phys_addr_t area = align_down(block, LARGE_PAGE_SIZE);
	bool clean = order >= PAGE_ORDER_LARGE;

	if (area < range->base)
		return false;
	for (; area < block + block_size(order); area += LARGE_PAGE_SIZE) {
		uint32_t *word = word_of(range, area);
		uint32_t value = __atomic_load_n(word, __ATOMIC_RELAXED);

		if (value & WORD_USED)
			clean = false;
		else
			__atomic_store_n(word, value | WORD_USED, __ATOMIC_RELAXED);
	}
	return clean;
}

static void list_block(struct node *node, const struct range *range, phys_addr_t block,
		       unsigned int order)
{
	if (order < PAGE_ORDER_LARGE)
		use(range, block, order);
	list_prepend(&node->blocks[order], phys_to_virt(block));
	node->orders |= 1u << order;
}

void page_unlist(struct node *node, phys_addr_t block, unsigned int order)
{
	list_remove(phys_to_virt(block));
	if (list_empty(&node->blocks[order]))
		node->orders &= ~(1u << order);
}

/* Makes a free block and merges it with its buddies as far as they are free. */
void page_release(struct node *node, const struct range *range, phys_addr_t block,
		  unsigned int order)
{
	word_write(word_of(range, block), WORD_INSIDE);
	while (order < PAGE_ORDER_HUGE) {
		phys_addr_t buddy = block ^ block_size(order);
		uint32_t *word;

		if (buddy < range->base || buddy + block_size(order) > range->end)
			break;
		word = word_of(range, buddy);
		if (word_read(word) != (WORD_FREE | order))
			break;
		word_write(word, WORD_INSIDE);
		page_unlist(node, buddy, order);
		block &= ~block_size(order);
		order++;
	}
	word_write(word_of(range, block), WORD_FREE | order);
	list_block(node, range, block, order);
}

/* A block of ORDER, cut from the smallest that there is; its word is still to be set. */
static phys_addr_t take(struct node *node, unsigned int order)
{
	uint32_t fitting = node->orders & ~((1u << order) - 1);
	struct range range;
	phys_addr_t block;
	unsigned int found;

	if (fitting == 0)
		return PAGE_NONE;
	found = (unsigned int)__builtin_ctz(fitting);
	block = virt_to_phys(node->blocks[found].next);
	page_unlist(node, block, found);
	range = page_range_of(block);
	while (found > order) {
		phys_addr_t upper;

		found--;
		upper = block + block_size(found);
		word_write(word_of(&range, upper), WORD_FREE | found);
		list_block(node, &range, upper, found);
	}
	return block;
}

void page_empty_stock(struct node *node)
{
	while (node->stocked > 0) {
		phys_addr_t page = node->stock[--node->stocked];
		struct range range = page_range_of(page);

		page_release(node, &range, page, 0);
	}
}

/* Small fragments are used up first; only then is a larger block broken for the stock. */
static phys_addr_t take_single(struct node *node)
{
	phys_addr_t block;

	if (node->stocked > 0)
		return node->stock[--node->stocked];
	if ((node->orders & ((1u << STOCK_ORDER) - 1)) != 0)
		return take(node, 0);
	block = take(node, STOCK_ORDER);
	if (block == PAGE_NONE)
		return block;
	for (unsigned int i = (1u << STOCK_ORDER) - 1; i > 0; i--) {
		phys_addr_t page = block + i * PAGE_SIZE;

		word_write(block_word(page), WORD_STOCK);
		node->stock[node->stocked++] = page;
	}
	return block;
}

/* CLEAN: the block is zero but for the links at the beginning of its areas. */
static phys_addr_t alloc_local(unsigned int order, node_id_t id, bool *clean)
{
	struct node *node = &page_nodes[id];
	phys_addr_t block;

	ASSERT(id < NODES && order <= PAGE_ORDER_HUGE);
	if (__atomic_load_n(&node->free, __ATOMIC_RELAXED) < block_size(order))
		return PAGE_NONE;
	lock_take(&node->lock);
	block = order == 0 ? take_single(node) : take(node, order);
	if (block == PAGE_NONE && node->stocked > 0) {
		page_empty_stock(node);
		block = take(node, order);
	}
	if (block != PAGE_NONE) {
		struct range range = page_range_of(block);

		word_write(word_of(&range, block), WORD_TAKEN | WORD_REFERENCE | order);
		*clean = use(&range, block, order);
		free_bytes_add(node, 0 - block_size(order));
	}
	lock_drop(&node->lock);
	return block;
}

static phys_addr_t alloc(unsigned int order, node_id_t id, bool *clean)
{
	phys_addr_t block = alloc_local(order, id, clean);

	for (unsigned int i = 0; block == PAGE_NONE && i < NODES; i++) {
		node_id_t next = nearest[id][i];

		if (next != id && page_nodes[next].total != 0)
			block = alloc_local(order, next, clean);
	}
	return block;
}

static void make_zero(phys_addr_t block, unsigned int order, bool clean)
{
	if (block == PAGE_NONE)
		return;
	if (!clean) {
		memory_clear(block, block_size(order));
		return;
	}
	for (uint64_t at = 0; at < block_size(order); at += LARGE_PAGE_SIZE)
		memset(phys_to_virt(block + at), 0, sizeof(struct list));
}

phys_addr_t page_alloc(unsigned int order, node_id_t id, unsigned int how)
{
	bool clean = false;
	phys_addr_t block = how & PAGE_LOCAL ? alloc_local(order, id, &clean) :
					       alloc(order, id, &clean);

	if (how & PAGE_ZERO)
		make_zero(block, order, clean);
	return block;
}

void page_free(phys_addr_t block, unsigned int order)
{
	struct range range = page_range_of(block);
	struct node *node = &page_nodes[range.node];
	uint32_t *word = word_of(&range, block);

	lock_take(&node->lock);
	if (unlikely(word_read(word) != (WORD_TAKEN | WORD_REFERENCE | order) ||
		     block % PAGE_SIZE != 0))
		panic("page %lx of order %u given back, but its word is %x", block, order,
		      word_read(word));
	free_bytes_add(node, block_size(order));
	if (order == 0 && node->stocked < STOCK) {
		word_write(word, WORD_STOCK);
		node->stock[node->stocked++] = block;
	} else {
		page_release(node, &range, block, order);
	}
	lock_drop(&node->lock);
}

void page_get(phys_addr_t block)
{
	uint32_t before = __atomic_fetch_add(block_word(block), WORD_REFERENCE, __ATOMIC_RELAXED);

	ASSERT((before & WORD_KIND) == WORD_TAKEN && before < WORD_REFERENCES);
}

void page_put(phys_addr_t block, unsigned int order)
{
	uint32_t *word = block_word(block);
	uint32_t value = __atomic_load_n(word, __ATOMIC_ACQUIRE);

	ASSERT((value & (WORD_KIND | WORD_ORDER)) == (WORD_TAKEN | order));
	/* The last reference is left for page_free() to take, so that it can check it. */
	while ((value & WORD_REFERENCES) != WORD_REFERENCE) {
		ASSERT((value & WORD_REFERENCES) != 0);
		if (__atomic_compare_exchange_n(word, &value, value - WORD_REFERENCE, true,
						__ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
			return;
	}
	page_free(block, order);
}

bool page_is_shared(phys_addr_t block)
{
	return (word_read(block_word(block)) & WORD_REFERENCES) != WORD_REFERENCE;
}

unsigned int page_order(phys_addr_t block)
{
	uint32_t word = word_read(block_word(block));

	ASSERT((word & WORD_KIND) == WORD_TAKEN);
	return word & WORD_ORDER;
}

void page_split(phys_addr_t block, unsigned int order, unsigned int to)
{
	uint32_t *word = block_word(block);
	uint32_t value = word_read(word);

	ASSERT(to <= order && (value & (WORD_KIND | WORD_ORDER)) == (WORD_TAKEN | order));
	value = (value & ~WORD_ORDER) | to;
	for (uint64_t i = 0; i < 1ull << order; i += 1ull << to)
		word_write(&word[i], value);
}

node_id_t page_node(phys_addr_t page)
{
	return page_range_of(page).node;
}

static void know_nearest(const uint8_t *slit, unsigned int count, unsigned int stride)
{
	for (unsigned int from = 0; from < NODES; from++) {
		for (unsigned int i = 0; i < NODES; i++) {
			unsigned int to = (from + i) % NODES;
			unsigned int at = i;

			/* Nodes that the table does not have come last. */
			while (at > 0 && from < count && to < count &&
			       (nearest[from][at - 1] >= count ||
				slit[from * stride + nearest[from][at - 1]] >
					slit[from * stride + to])) {
				nearest[from][at] = nearest[from][at - 1];
				at--;
			}
			nearest[from][at] = (uint8_t)to;
		}
	}
	nearest_known = true;
}

void page_set_distances(const uint8_t *slit, unsigned int count, unsigned int stride)
{
	ASSERT(count <= NODES && stride >= count);
	know_nearest(slit, count, stride);
}

static unsigned int largest_order(phys_addr_t at, phys_addr_t end)
{
	unsigned int order = PAGE_ORDER_HUGE;

	while (at % block_size(order) != 0 || end - at < block_size(order))
		order--;
	return order;
}

void page_release_all(struct node *node, const struct range *range, phys_addr_t at,
		      phys_addr_t end)
{
	while (at < end) {
		unsigned int order = largest_order(at, end);

		page_release(node, range, at, order);
		at += block_size(order);
	}
}

/* The largest power of two that divides ADDRESS; 0 is most aligned of all. */
static uint64_t alignment_of(phys_addr_t address)
{
	return address != 0 ? address & (0 - address) : UINT64_MAX;
}

bool page_can_add(phys_addr_t base, uint64_t size, node_id_t node)
{
	return node < NODES && size != 0 && (base | size) % PAGE_SIZE == 0 && base + size > base &&
	       page_range_fits(base, base + size);
}

void page_add_range(phys_addr_t base, uint64_t size, node_id_t id, unsigned int granule_shift)
{
	uint64_t words = align_up((size >> PAGE_SHIFT) * sizeof(uint32_t), PAGE_SIZE);
	struct range range = { .base = base, .end = base + size, .node = id };
	phys_addr_t at = base, until = range.end, keep = base;
	struct node *node = &page_nodes[id];

	ASSERT(id < NODES && (base | size) % PAGE_SIZE == 0 && range.end > base);
	if (!nearest_known)
		know_nearest(NULL, 0, 0);
	/* At the less aligned end, where the fewest large blocks are lost. */
	if (alignment_of(base) <= alignment_of(range.end)) {
		at += words;
	} else {
		until -= words;
		keep = until;
	}
	range.words = phys_to_virt(keep);
	if (!page_range_fits(base, range.end))
		panic("memory %lx to %lx was there already", base, range.end);
	memset(range.words, 0, words);
	page_range_add(&range, granule_shift, keep, words);

	lock_take(&node->lock);
	if (node->blocks[0].next == NULL) {
		for (unsigned int i = 0; i < ORDERS; i++)
			list_init(&node->blocks[i]);
	}
	__atomic_store_n(&node->total, node->total + (until - at), __ATOMIC_RELAXED);
	free_bytes_add(node, until - at);
	page_release_all(node, &range, at, until);
	lock_drop(&node->lock);
}

uint64_t page_node_free_bytes(node_id_t id)
{
	return id < NODES ? __atomic_load_n(&page_nodes[id].free, __ATOMIC_RELAXED) : 0;
}

uint64_t page_node_total_bytes(node_id_t id)
{
	return id < NODES ? __atomic_load_n(&page_nodes[id].total, __ATOMIC_RELAXED) : 0;
}

uint64_t page_total(void)
{
	uint64_t sum = 0;

	for (node_id_t id = 0; id < NODES; id++)
		sum += page_node_total_bytes(id);
	return sum;
}

uint64_t page_free_bytes(void)
{
	uint64_t sum = 0;

	for (node_id_t id = 0; id < NODES; id++)
		sum += page_node_free_bytes(id);
	return sum;
}
