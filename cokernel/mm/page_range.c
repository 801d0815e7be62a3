/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of memory ranges. Every page that is freed or shared is looked up here, on
 * all CPUs, while ranges come and go: so who reads takes no lock, but looks at a count
 * before and after, and begins again if it has changed. Who changes makes it odd first.
 */
#include "lib/print.h"
#include "mm/page_internal.h"

#define MOST (4 * PISCES_MAX_RANGES)

struct entry {
	phys_addr_t end;
	uint32_t *words;
	node_id_t node;
};

/* In order of address; the bases apart, since every search reads only them. */
static phys_addr_t bases[MOST];
static struct entry entries[MOST];
static struct range_origin origins[MOST]; /* only with the lock */
static unsigned int count;
static uint32_t changes;
static struct lock lock = LOCK_INIT; /* of who changes */
static uint64_t sequence;

static void change_begin(void)
{
	__atomic_store_n(&changes, changes + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void change_end(void)
{
	__atomic_store_n(&changes, changes + 1, __ATOMIC_RELEASE);
}

/* The number of the last range that begins at ADDRESS or below; 0 if there is none. */
static unsigned int search(phys_addr_t address)
{
	unsigned int low = 0, high = __atomic_load_n(&count, __ATOMIC_RELAXED);

	while (high - low > 1) {
		unsigned int middle = (low + high) / 2;

		if (__atomic_load_n(&bases[middle], __ATOMIC_RELAXED) <= address)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static struct range read_entry(unsigned int number)
{
	return (struct range){
		.base = __atomic_load_n(&bases[number], __ATOMIC_RELAXED),
		.end = __atomic_load_n(&entries[number].end, __ATOMIC_RELAXED),
		.words = __atomic_load_n(&entries[number].words, __ATOMIC_RELAXED),
		.node = __atomic_load_n(&entries[number].node, __ATOMIC_RELAXED),
	};
}

static void write_entry(unsigned int number, const struct range *range)
{
	__atomic_store_n(&bases[number], range->base, __ATOMIC_RELAXED);
	__atomic_store_n(&entries[number].end, range->end, __ATOMIC_RELAXED);
	__atomic_store_n(&entries[number].words, range->words, __ATOMIC_RELAXED);
	__atomic_store_n(&entries[number].node, range->node, __ATOMIC_RELAXED);
}

static void move_entry(unsigned int to, unsigned int from)
{
	struct range range = read_entry(from);

	write_entry(to, &range);
	origins[to] = origins[from];
}

struct range page_range_of(phys_addr_t address)
{
	struct range range;
	uint32_t before;

	for (;;) {
		before = __atomic_load_n(&changes, __ATOMIC_ACQUIRE);
		if (likely(before % 2 == 0)) {
			range = read_entry(search(address));
			__atomic_thread_fence(__ATOMIC_ACQUIRE);
			if (likely(__atomic_load_n(&changes, __ATOMIC_RELAXED) == before))
				break;
		}
		lock_relax();
	}
	/* An empty table has an end of 0. */
	if (unlikely(address < range.base || address >= range.end))
		panic("page %lx is of no memory of this enclave", address);
	return range;
}

bool page_range_fits(phys_addr_t base, phys_addr_t end)
{
	bool fits;
	unsigned int i;

	lock_take(&lock);
	fits = count < MOST;
	for (i = 0; i < count; i++)
		fits &= end <= bases[i] || base >= entries[i].end;
	lock_drop(&lock);
	return fits;
}

/* Room for a range at NUMBER. */
static void make_room(unsigned int number)
{
	unsigned int i;

	ASSERT(count < MOST);
	for (i = count; i > number; i--)
		move_entry(i, i - 1);
	__atomic_store_n(&count, count + 1, __ATOMIC_RELAXED);
}

void page_range_add(const struct range *range, unsigned int granule_shift, phys_addr_t keep,
		    uint64_t keep_size)
{
	unsigned int at;

	lock_take(&lock);
	for (at = count; at > 0 && bases[at - 1] > range->base; at--)
		;
	change_begin();
	make_room(at);
	write_entry(at, range);
	origins[at] = (struct range_origin){
		.granule_shift = granule_shift,
		.sequence = ++sequence,
		.keep = keep,
		.keep_size = keep_size,
	};
	change_end();
	lock_drop(&lock);
}

void page_range_lock(void)
{
	lock_take(&lock);
}

void page_range_unlock(void)
{
	lock_drop(&lock);
}

unsigned int page_range_count(void)
{
	return count;
}

unsigned int page_range_room(void)
{
	return MOST - count;
}

struct range page_range_get(unsigned int number)
{
	return read_entry(number);
}

const struct range_origin *page_range_origin(unsigned int number)
{
	return &origins[number];
}

void page_range_cut(phys_addr_t base, phys_addr_t end)
{
	unsigned int at = search(base), i;
	struct range lower = read_entry(at), upper = lower;

	ASSERT(base >= lower.base && end <= lower.end && base < end);
	upper.words = word_of(&lower, end);
	upper.base = end;
	lower.end = base;
	change_begin();
	if (lower.base < lower.end && upper.base < upper.end) {
		make_room(at);
		origins[at] = origins[at + 1];
		write_entry(at, &lower);
		write_entry(at + 1, &upper);
	} else if (lower.base < lower.end) {
		write_entry(at, &lower);
	} else if (upper.base < upper.end) {
		write_entry(at, &upper);
	} else {
		for (i = at; i + 1 < count; i++)
			move_entry(i, i + 1);
		__atomic_store_n(&count, count - 1, __ATOMIC_RELAXED);
		/* What an empty table is read as. */
		if (count == 0)
			write_entry(0, &(struct range){ 0 });
	}
	change_end();
}
