/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the page allocator share: words, nodes, and the table of ranges. */
#ifndef CK_MM_PAGE_INTERNAL_H
#define CK_MM_PAGE_INTERNAL_H

#include <pisces/abi.h>

#include "lib/list.h"
#include "lib/lock.h"
#include "mm/page.h"

#define NODES PISCES_MAX_NODES
#define ORDERS (PAGE_ORDER_HUGE + 1)
#define STOCK 64u
#define STOCK_ORDER 4u /* it is filled by blocks of this order */

/*
 * A page's word: order, kind of block, references. Of a page that was removed: 0. Apart from
 * all of that, in the word of the first page of an area of 2 MiB: whether it was ever used.
 */
#define WORD_ORDER 0x7fu
#define WORD_USED 0x80u
#define WORD_KIND 0x300u
#define WORD_INSIDE 0x000u
#define WORD_FREE 0x100u
#define WORD_TAKEN 0x200u
#define WORD_STOCK 0x300u
#define WORD_REFERENCE 0x400u
#define WORD_REFERENCES (~(WORD_REFERENCE - 1))

/*
 * A range as who looks it up gets it: a copy, since the table changes. It stays good for
 * a page that is taken, also if pieces around that page are removed meanwhile: their
 * words are 0, so nothing is merged with them.
 */
struct range {
	phys_addr_t base;
	phys_addr_t end;
	uint32_t *words; /* of the page at BASE and all that follow */
	node_id_t node;
};

struct node {
	struct lock lock;
	uint32_t orders; /* bit n: there is a free block of order n */
	struct list blocks[ORDERS];
	uint64_t free; /* bytes, the stock included; read without the lock */
	uint64_t total;
	unsigned int stocked;
	phys_addr_t stock[STOCK];
} __aligned(64);

extern struct node page_nodes[NODES];

static inline uint64_t block_size(unsigned int order)
{
	return PAGE_SIZE << order;
}

static inline uint32_t *word_of(const struct range *range, phys_addr_t address)
{
	return &range->words[(address - range->base) >> PAGE_SHIFT];
}

/* WORD_USED apart. */
static inline uint32_t word_read(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED) & ~WORD_USED;
}

/* WORD_USED stays. */
static inline void word_write(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, (__atomic_load_n(word, __ATOMIC_RELAXED) & WORD_USED) | value,
			 __ATOMIC_RELAXED);
}

static inline void free_bytes_add(struct node *node, uint64_t bytes)
{
	__atomic_store_n(&node->free, node->free + bytes, __ATOMIC_RELAXED);
}

/* ---- page_range.c: the table ---- */

/* What only adding and removing need to know of a range. */
struct range_origin {
	unsigned int granule_shift;
	uint64_t sequence; /* of page_range_add(); pieces of one range have the same */
	phys_addr_t keep;  /* where the words of all pieces lie, */
	uint64_t keep_size;
};

/* The range that ADDRESS is in; panics if there is none. Any CPU, any time. */
struct range page_range_of(phys_addr_t address);

static inline uint32_t *block_word(phys_addr_t block)
{
	struct range range = page_range_of(block);

	return word_of(&range, block);
}

/* Is nothing of [base, end) in the table, and room for it? */
bool page_range_fits(phys_addr_t base, phys_addr_t end);
void page_range_add(const struct range *range, unsigned int granule_shift, phys_addr_t keep,
		    uint64_t keep_size);

/* For who removes, one at a time: all ranges by number, 0 to page_range_count() - 1. */
void page_range_lock(void);
void page_range_unlock(void);
unsigned int page_range_count(void);
unsigned int page_range_room(void); /* how many more there may be */
struct range page_range_get(unsigned int number);
const struct range_origin *page_range_origin(unsigned int number);

/* Takes [base, end) out of the range that has it, which may become two of it, or none. */
void page_range_cut(phys_addr_t base, phys_addr_t end);

/* ---- page.c: with the lock of NODE held ---- */

/* Makes a free block and merges it with its buddies as far as they are free. */
void page_release(struct node *node, const struct range *range, phys_addr_t block,
		  unsigned int order);
/* The same for all of [at, end). */
void page_release_all(struct node *node, const struct range *range, phys_addr_t at,
		      phys_addr_t end);
void page_unlist(struct node *node, phys_addr_t block, unsigned int order);
void page_empty_stock(struct node *node);

#endif
