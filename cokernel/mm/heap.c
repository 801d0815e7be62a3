/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects up to 1984 bytes live in slabs: a page each, of objects of one size
 * behind a header of 64 bytes. Larger ones are blocks of pages. So an address on a
 * page boundary is always a block and any other is always in a slab.
 */
#include "mm/heap.h"

#include "lib/list.h"
#include "lib/lock.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/direct.h"
#include "mm/local.h"
#include "mm/page.h"

#define LARGEST_ORDER 8u /* 1 MiB */
#define SLAB_MAGIC 0x62616c53u

struct slab {
	struct list link; /* in its class, while it has a free object */
	uint64_t free[4]; /* bit n: object n is free */
	uint32_t magic;
	uint16_t free_count;
	uint8_t class;
	uint8_t unused;
};
_Static_assert(sizeof(struct slab) <= 64, "objects start behind it, aligned to 64");

#define SLAB_ROOM (PAGE_SIZE - 64)

struct class {
	struct lock lock;
	struct list slabs; /* with free objects; a wholly free one is the last */
	unsigned int empty; /* of these: wholly free, at most 1 */
} __aligned(64);

/* As many sizes as give 2, 3, ... objects a slab, as far as the alignment lets them. */
static const uint16_t sizes[] = { 16,  32,  48,	 64,  128, 192, 256,  320,
				  384, 448, 576, 640, 768, 960, 1344, 1984 };
#define CLASSES ARRAY_SIZE(sizes)
#define LARGEST_OBJECT 1984u

static struct class classes[CLASSES];
static uint8_t class_of_size[LARGEST_OBJECT / 16 + 1];
static bool ready;
static struct lock ready_lock = LOCK_INIT;

static void make_ready(void)
{
	unsigned int class = 0;

	lock_take(&ready_lock);
	if (!ready) {
		for (unsigned int i = 0; i < ARRAY_SIZE(class_of_size); i++) {
			if (i * 16 > sizes[class])
				class++;
			class_of_size[i] = (uint8_t)class;
		}
		for (unsigned int i = 0; i < CLASSES; i++)
			list_init(&classes[i].slabs);
		__atomic_store_n(&ready, true, __ATOMIC_RELEASE);
	}
	lock_drop(&ready_lock);
}

static unsigned int objects_in(unsigned int class)
{
	return (unsigned int)(SLAB_ROOM / sizes[class]);
}

static struct slab *slab_create(unsigned int class)
{
	phys_addr_t page = page_alloc(0, mm_this_node(), 0);
	unsigned int count = objects_in(class);
	struct slab *slab;

	if (page == PAGE_NONE)
		return NULL;
	slab = phys_to_virt(page);
	slab->magic = SLAB_MAGIC;
	slab->class = (uint8_t)class;
	slab->free_count = (uint16_t)count;
	for (unsigned int i = 0; i < ARRAY_SIZE(slab->free); i++, count -= count < 64 ? count : 64)
		slab->free[i] = count >= 64 ? UINT64_MAX : (1ull << count) - 1;
	return slab;
}

static void *slab_take(struct slab *slab)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(slab->free); i++) {
		unsigned int bit;

		if (slab->free[i] == 0)
			continue;
		bit = (unsigned int)__builtin_ctzll(slab->free[i]);
		slab->free[i] &= slab->free[i] - 1;
		slab->free_count--;
		return (char *)slab + 64 + (i * 64 + bit) * (size_t)sizes[slab->class];
	}
	panic("a heap slab of %u bytes counts free objects that it has not", sizes[slab->class]);
}

static void *object_alloc(unsigned int number)
{
	struct class *class = &classes[number];
	struct slab *fresh = NULL, *slab;
	void *object;

	lock_take(&class->lock);
	if (list_empty(&class->slabs)) {
		/* Without the lock, so that nobody waits while pages are looked for. */
		lock_drop(&class->lock);
		fresh = slab_create(number);
		if (fresh == NULL)
			return NULL;
		lock_take(&class->lock);
		class->empty++;
		list_prepend(&class->slabs, &fresh->link);
	}
	slab = LIST_ENTRY(class->slabs.next, struct slab, link);
	if (slab->free_count == objects_in(number))
		class->empty--;
	object = slab_take(slab);
	if (slab->free_count == 0)
		list_remove(&slab->link);
	lock_drop(&class->lock);
	return object;
}

static void object_free(struct slab *slab, uint64_t offset)
{
	unsigned int number = slab->class;
	struct class *class = &classes[number];
	bool give_back = false;
	uint64_t index;

	ASSERT(slab->magic == SLAB_MAGIC && number < CLASSES && offset >= 64);
	index = (offset - 64) / sizes[number];
	ASSERT((offset - 64) % sizes[number] == 0 && index < objects_in(number));
	lock_take(&class->lock);
	if (slab->free[index / 64] >> (index % 64) & 1)
		panic("heap memory %p of %u bytes is freed twice",
		      (void *)((char *)slab + offset), sizes[number]);
	slab->free[index / 64] |= 1ull << (index % 64);
	if (slab->free_count++ == 0)
		list_prepend(&class->slabs, &slab->link);
	if (slab->free_count == objects_in(number)) {
		list_remove(&slab->link);
		if (class->empty == 0) {
			class->empty = 1;
			list_append(&class->slabs, &slab->link);
		} else {
			give_back = true;
		}
	}
	lock_drop(&class->lock);
	if (give_back) {
		slab->magic = 0;
		page_free(virt_to_phys(slab), 0);
	}
}

void *heap_alloc(size_t size)
{
	unsigned int order = 0;
	phys_addr_t block;

	if (unlikely(!__atomic_load_n(&ready, __ATOMIC_ACQUIRE)))
		make_ready();
	if (size <= LARGEST_OBJECT)
		return object_alloc(class_of_size[(size + 15) / 16]);
	while (PAGE_SIZE << order < size) {
		if (++order > LARGEST_ORDER)
			return NULL;
	}
	block = page_alloc(order, mm_this_node(), 0);
	return block == PAGE_NONE ? NULL : phys_to_virt(block);
}

void *heap_alloc_zero(size_t size)
{
	void *memory = heap_alloc(size);

	if (memory != NULL)
		memset(memory, 0, size);
	return memory;
}

void heap_free(void *memory)
{
	uint64_t offset = (uint64_t)memory % PAGE_SIZE;

	if (memory == NULL)
		return;
	if (offset != 0) {
		object_free((struct slab *)((uint64_t)memory - offset), offset);
	} else {
		phys_addr_t block = virt_to_phys(memory);

		page_free(block, page_order(block));
	}
}
