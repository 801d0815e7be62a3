/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/object.h"

#include "lib/errno.h"
#include "lib/lock.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/direct.h"
#include "mm/heap.h"
#include "mm/local.h"
#include "mm/page.h"
#include "mm/pagetable.h"
#include "mm/space.h"

struct object {
	struct lock lock;
	enum object_kind kind;
	uint64_t number;
	uint32_t references;
	uint32_t mapped;
	uint64_t size;
	uint64_t resident;
	uint64_t marked; /* entries that are ENTRY_MARKED */
	phys_addr_t root; /* entries are never present */
};

/* Of its entries, for OBJECT_SHARED_FILE. */
#define ENTRY_MARKED (1ull << 9)
#define ENTRY_TAKEN (1ull << 10)

static uint64_t last_number;

struct object *object_create(enum object_kind kind, uint64_t size)
{
	struct object *object = heap_alloc_zero(sizeof(*object));

	if (object == NULL)
		return NULL;
	object->root = page_alloc(0, mm_this_node(), PAGE_ZERO);
	if (object->root == PAGE_NONE) {
		heap_free(object);
		return NULL;
	}
	object->kind = kind;
	object->number = __atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED);
	object->size = size;
	object->references = 1;
	return object;
}

void object_get(struct object *object)
{
	__atomic_fetch_add(&object->references, 1, __ATOMIC_RELAXED);
}

void object_put(struct object *object)
{
	if (__atomic_fetch_sub(&object->references, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	pt_destroy(object->root);
	heap_free(object);
}

void object_get_mapped(struct object *object)
{
	object_get(object);
	__atomic_fetch_add(&object->mapped, 1, __ATOMIC_SEQ_CST);
}

void object_put_mapped(struct object *object)
{
	__atomic_fetch_sub(&object->mapped, 1, __ATOMIC_SEQ_CST);
	object_put(object);
}

unsigned int object_mapped(const struct object *object)
{
	return __atomic_load_n(&object->mapped, __ATOMIC_SEQ_CST);
}

enum object_kind object_kind(const struct object *object)
{
	return object->kind;
}

uint64_t object_number(const struct object *object)
{
	return object->number;
}

uint64_t object_size(const struct object *object)
{
	return __atomic_load_n(&object->size, __ATOMIC_RELAXED);
}

uint64_t object_resident(const struct object *object)
{
	return __atomic_load_n(&object->resident, __ATOMIC_RELAXED);
}

uint64_t object_marked(const struct object *object)
{
	return __atomic_load_n(&object->marked, __ATOMIC_RELAXED);
}

/* ---- with the lock held ---- */

static void clear_locked(struct object *object, uint64_t start, uint64_t end)
{
	uint64_t at = start;
	unsigned int level;
	uint64_t *entry;

	while ((entry = pt_next_leaf(object->root, &at, end, &level)) != NULL) {
		uint64_t stop = min_u64(at + pt_page_size(level), end);
		uint64_t from = max_u64(at, start);

		memset(phys_to_virt((pt_read(entry) & PTE_ADDRESS) + (from - at)), 0, stop - from);
		at = stop;
		mm_turn(0);
	}
}

/*
 * Nobody maps it: whole pages are freed. They are found by who maps it from now on
 * only under our lock, so not any more.
 */
static void free_locked(struct object *object, uint64_t start, uint64_t end)
{
	if (start >= end || !pt_split_at(NULL, object->root, start, mm_this_node()))
		return;
	if (pt_unlink(object->root, start, end))
		object->resident -= pt_release(object->root, start, end);
}

static void set_mark(struct object *object, uint64_t *entry, bool marked)
{
	uint64_t value = pt_read(entry);

	if (!!(value & ENTRY_MARKED) == marked)
		return;
	pt_write(entry, value ^ ENTRY_MARKED);
	__atomic_store_n(&object->marked, object->marked + (marked ? 1u : 0 - 1ull),
			 __ATOMIC_RELAXED);
}

/* All of [start, end) that is there. */
static void mark_locked(struct object *object, uint64_t start, uint64_t end, bool marked)
{
	uint64_t at = start;
	unsigned int level;
	uint64_t *entry;

	while ((entry = pt_next_leaf(object->root, &at, end, &level)) != NULL) {
		set_mark(object, entry, marked);
		at += pt_page_size(level);
		mm_turn(at / PAGE_SIZE);
	}
}

void object_clear(struct object *object, uint64_t start, uint64_t end)
{
	lock_take(&object->lock);
	clear_locked(object, start, end);
	if (object->kind == OBJECT_SHARED_FILE)
		mark_locked(object, start, end, true);
	lock_drop(&object->lock);
}

void object_resize(struct object *object, uint64_t size)
{
	lock_take(&object->lock);
	if (size < object->size) {
		if (object->kind == OBJECT_SHARED_FILE)
			mark_locked(object, align_up(size, PAGE_SIZE), OBJECT_MOST, false);
		if (object_mapped(object) == 0)
			free_locked(object, align_up(size, PAGE_SIZE), OBJECT_MOST);
		clear_locked(object, size, align_up(object->size, PAGE_SIZE));
	}
	__atomic_store_n(&object->size, size, __ATOMIC_RELAXED);
	lock_drop(&object->lock);
}

/* The page around OFFSET if it is there: 0, else -ENOENT with the level of the gap. */
static int find_locked(struct object *object, uint64_t offset, phys_addr_t *phys,
		       unsigned int *level)
{
	uint64_t entry = pt_read(pt_find(object->root, offset, level));

	if (offset >= align_up(object->size, PAGE_SIZE))
		return -ENXIO;
	if (entry == 0)
		return object->kind == OBJECT_MEMORY ? -ENOENT : -ENXIO;
	*phys = entry & PTE_ADDRESS;
	return 0;
}

/* 0, -EAGAIN: another one was faster; -ENOMEM. */
static int add_locked(struct object *object, uint64_t offset, phys_addr_t block, unsigned int level)
{
	unsigned int found;
	uint64_t *entry;

	entry = pt_make(object->root, align_down(offset, pt_page_size(level)), level,
			mm_this_node(), &found);
	if (entry == NULL)
		return -ENOMEM;
	if (found != level || pt_read(entry) != 0)
		return -EAGAIN;
	pt_write(entry, pt_leaf(block, level, 0, 0));
	object->resident += pt_page_size(level);
	return 0;
}

/* ---- */

static int add(struct object *object, uint64_t offset, const struct policy *policy,
	       unsigned int level)
{
	const unsigned int how = PAGE_ZERO | (level > 0 ? PAGE_LOCAL : 0);
	phys_addr_t block = policy_alloc(policy, pt_order(level), offset, mm_this_node(), how);
	int error;

	if (block == PAGE_NONE && level == 0 && mm_shrink(true))
		block = policy_alloc(policy, 0, offset, mm_this_node(), how);
	if (block == PAGE_NONE)
		return -ENOMEM;
	lock_take(&object->lock);
	error = add_locked(object, offset, block, level);
	lock_drop(&object->lock);
	if (error)
		page_free(block, pt_order(level));
	return error;
}

int object_page(struct object *object, uint64_t offset, const struct policy *policy,
		phys_addr_t *phys, unsigned int *level)
{
	static const struct policy local = { .mode = POLICY_DEFAULT };
	int error;

	if (policy == NULL)
		policy = &local;
	for (;;) {
		uint64_t large = align_down(offset, LARGE_PAGE_SIZE);

		lock_take(&object->lock);
		error = find_locked(object, offset, phys, level);
		lock_drop(&object->lock);
		if (error != -ENOENT)
			return error;
		error = -ENOMEM;
		if (*level >= 1 && large + LARGE_PAGE_SIZE <= object_size(object) &&
		    !space_memory_is_scarce())
			error = add(object, offset, policy, 1);
		if (error == -ENOMEM)
			error = add(object, offset, policy, 0);
		if (error && error != -EAGAIN)
			return error;
	}
}

bool object_has(struct object *object, uint64_t offset)
{
	unsigned int level;
	bool has;

	lock_take(&object->lock);
	has = pt_read(pt_find(object->root, offset, &level)) != 0;
	lock_drop(&object->lock);
	return has;
}

bool object_next(struct object *object, uint64_t *at, uint64_t end)
{
	uint64_t found = *at;
	unsigned int level;
	bool has;

	lock_take(&object->lock);
	has = pt_next_leaf(object->root, &found, end, &level) != NULL;
	lock_drop(&object->lock);
	if (has)
		*at = max_u64(*at, found);
	return has;
}

/* Of a file a page is added here and nowhere else. */
static int make_page(struct object *object, uint64_t offset)
{
	static const struct policy local = { .mode = POLICY_DEFAULT };
	int error;

	if (object_has(object, offset))
		return 0;
	error = add(object, offset, &local, 0);
	return error == -EAGAIN ? 0 : error;
}

void *object_memory(struct object *object, uint64_t offset, uint64_t *left)
{
	unsigned int level;
	uint64_t entry;

	if (make_page(object, offset) != 0)
		return NULL;
	lock_take(&object->lock);
	entry = pt_read(pt_find(object->root, offset, &level));
	lock_drop(&object->lock);
	*left = PAGE_SIZE - offset % PAGE_SIZE;
	return (char *)phys_to_virt(entry & PTE_ADDRESS) + offset % pt_page_size(level);
}

int object_write(struct object *object, uint64_t offset, const void *from, uint64_t size)
{
	while (size > 0) {
		uint64_t left;
		void *memory = object_memory(object, offset, &left);

		if (memory == NULL)
			return -ENOMEM;
		left = min_u64(left, size);
		memcpy(memory, from, left);
		from = (const char *)from + left;
		offset += left;
		size -= left;
	}
	return 0;
}

/* ---- which pages were written ---- */

void object_mark(struct object *object, uint64_t offset)
{
	unsigned int level;
	uint64_t *entry;

	lock_take(&object->lock);
	entry = pt_find(object->root, offset, &level);
	if (pt_read(entry) != 0)
		set_mark(object, entry, true);
	lock_drop(&object->lock);
}

bool object_take(struct object *object, uint64_t start, uint64_t end)
{
	uint64_t at = start;
	unsigned int level;
	uint64_t *entry;
	bool any = false;

	if (object_marked(object) == 0)
		return false;
	lock_take(&object->lock);
	while ((entry = pt_next_leaf(object->root, &at, end, &level)) != NULL) {
		if (pt_read(entry) & ENTRY_MARKED) {
			set_mark(object, entry, false);
			pt_write(entry, pt_read(entry) | ENTRY_TAKEN);
			any = true;
		}
		at += pt_page_size(level);
		mm_turn(at / PAGE_SIZE);
	}
	lock_drop(&object->lock);
	return any;
}

uint64_t object_taken(struct object *object, uint64_t *at, uint64_t end, uint64_t most)
{
	uint64_t next = *at, size = 0;
	unsigned int level;
	uint64_t *entry;

	lock_take(&object->lock);
	while (size < most && (entry = pt_next_leaf(object->root, &next, end, &level)) != NULL) {
		bool taken = pt_read(entry) & ENTRY_TAKEN;

		if (size != 0 && (!taken || next != *at + size))
			break;
		if (taken && size == 0)
			*at = next;
		if (taken)
			size += pt_page_size(level);
		next += pt_page_size(level);
		mm_turn(next / PAGE_SIZE);
	}
	lock_drop(&object->lock);
	return size;
}

void object_release(struct object *object, uint64_t start, uint64_t end, bool written)
{
	uint64_t at = start;
	unsigned int level;
	uint64_t *entry;

	lock_take(&object->lock);
	while ((entry = pt_next_leaf(object->root, &at, end, &level)) != NULL) {
		if (pt_read(entry) & ENTRY_TAKEN) {
			pt_write(entry, pt_read(entry) & ~ENTRY_TAKEN);
			if (!written)
				set_mark(object, entry, true);
		}
		at += pt_page_size(level);
		mm_turn(at / PAGE_SIZE);
	}
	lock_drop(&object->lock);
}
