/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects: memory that regions of several address spaces map, shared or to copy from. */
#include "unit-mm.h"
#include "unit-mmu.h"

#include "arch/user.h"
#include "lib/errno.h"
#include "mm/heap.h"
#include "mm/object.h"
#include "mm/page.h"
#include "mm/space.h"

#define MIB (1ull << 20)
#define AT 0x10000000000ull
#define RW (ASPACE_READ | ASPACE_WRITE)
#define MEMORY (512 * MIB)

static struct aspace *first, *second;
static struct object *object;
static uint64_t free_before;

static void begin(enum object_kind kind, uint64_t size)
{
	free_before = page_free_bytes();
	first = aspace_create(0);
	second = aspace_create(0);
	object = object_create(kind, size);
	mmu_load(first);
}

static void end(const char *name)
{
	mmu_load(NULL);
	if (object != NULL)
		object_put(object);
	aspace_destroy(first);
	aspace_destroy(second);
	if (!ok(page_free_bytes() == free_before && heap_objects == 0, "%s: nothing is left", name))
		printf("# pages %lld, heap %llu\n", (long long)(free_before - page_free_bytes()),
		       (unsigned long long)heap_objects);
}

/*
 * Another thread is faster: what it does comes in the place of the region_at() number
 * THEIR_TURN from now on, where the lock has just been taken.
 */
static void (*theirs)(void);
static unsigned int their_turn;

struct region *__real_region_at(const struct region_tree *tree, user_addr_t address);
struct region *__wrap_region_at(const struct region_tree *tree, user_addr_t address);

struct region *__wrap_region_at(const struct region_tree *tree, user_addr_t address)
{
	if (their_turn > 0 && --their_turn == 0) {
		lock_drop(&first->lock);
		theirs();
		lock_take(&first->lock);
	}
	return __real_region_at(tree, address);
}

/* The audit knows nothing of pages that are an object's, so it misses those. */
static bool is_sound(void)
{
	const char *wrong = mmu_audit();

	if (wrong == NULL || strcmp(wrong, "pages are lost") == 0)
		return true;
	printf("# %s\n", wrong);
	return false;
}

static int64_t map(struct aspace *aspace, user_addr_t at, uint64_t size, unsigned int flags,
		   uint64_t offset)
{
	return aspace_map_object(aspace, at, size, RW, flags | (at ? ASPACE_FIXED : 0), object,
				 offset);
}

static int put(user_addr_t at, uint8_t byte)
{
	return mmu_do(0, MMU_WRITE, at, &byte, 1);
}

static int get(user_addr_t at)
{
	uint8_t byte = 0;
	int error = mmu_do(1, MMU_READ, at, &byte, 1);

	return error ? error : byte;
}

static void test_shared(void)
{
	uint64_t numbers[2] = { 0 }, places[2] = { 0 };

	begin(OBJECT_MEMORY, 8 * MIB);
	map(first, AT, 8 * MIB, ASPACE_SHARED, 0);
	map(second, AT + 2 * MIB, 4 * MIB, ASPACE_SHARED, 4 * MIB);
	ok(object_mapped(object) == 2 && object_resident(object) == 0, "two regions, no memory yet");
	put(AT + 5 * MIB, 7);
	ok(mmu_level(AT + 5 * MIB) == 1 && object_resident(object) == 2 * MIB,
	   "a touch brings a large page, to the object");
	ok(aspace_resident(first) == 0, "which is not the address space's own");
	aspace_identify(first, AT + 5 * MIB, &numbers[0], &places[0]);
	mmu_load(second);
	ok(get(AT + 3 * MIB) == 7, "the other one has it too");
	aspace_identify(second, AT + 3 * MIB, &numbers[1], &places[1]);
	ok(numbers[0] != 0 && numbers[0] == numbers[1] && places[0] == places[1],
	   "a futex in it has the same key for both");
	ok(aspace_protect(second, AT + 3 * MIB, PAGE_SIZE, ASPACE_READ) == 0 &&
		   put(AT + 3 * MIB, 1) == -EACCES && put(AT + 3 * MIB + PAGE_SIZE, 2) == 0,
	   "one protects a page of a large one");
	mmu_load(first);
	ok(mmu_level(AT + 5 * MIB) == 1 && put(AT + 5 * MIB, 8) == 0 &&
		   get(AT + 5 * MIB + PAGE_SIZE) == 2,
	   "which does not concern the other");
	ok(aspace_unmap(first, AT + 5 * MIB, PAGE_SIZE) == 0 && object_mapped(object) == 5 &&
		   get(AT + 5 * MIB + PAGE_SIZE) == 2 && is_sound(),
	   "a page is cut out of a region");
	ok(aspace_discard(first, AT + 4 * MIB, MIB) == 0 && get(AT + 4 * MIB) == 0 &&
		   get(AT + 5 * MIB + PAGE_SIZE) == 2,
	   "discarding takes nothing away");
	ok(aspace_remove(first, AT + 5 * MIB + PAGE_SIZE, MIB / 2) == 0 &&
		   get(AT + 5 * MIB + PAGE_SIZE) == 0,
	   "removing does");
	aspace_unmap(first, AT, 8 * MIB);
	aspace_unmap(second, AT, 8 * MIB);
	ok(object_mapped(object) == 0 && object_resident(object) == 2 * MIB,
	   "unmapped by all, it keeps its pages");
	end("shared");
}

static void test_size(void)
{
	begin(OBJECT_MEMORY, MIB + 5);
	map(first, AT, 4 * MIB, ASPACE_SHARED, 0);
	ok(put(AT + MIB, 3) == 0 && get(AT + MIB + PAGE_SIZE) == -ENXIO,
	   "behind the page of its end there is nothing");
	object_resize(object, 4 * MIB);
	ok(put(AT + 3 * MIB, 4) == 0 && get(AT + MIB) == 3, "until it grows");
	object_resize(object, MIB);
	ok(get(AT + MIB) == 0 && get(AT + 3 * MIB) == 0, "what is cut off is zero for who has it mapped");
	aspace_unmap(first, AT, 4 * MIB);
	object_resize(object, 4 * MIB);
	object_write(object, 2 * MIB, "x", 1);
	object_resize(object, 100);
	ok(object_resident(object) == 0, "and freed if nobody has");
	end("sizes");
}

/* The largest object, with two pages. */
static void test_holes(void)
{
	uint64_t at = 0;

	begin(OBJECT_MEMORY, OBJECT_MOST);
	ok(!object_next(object, &at, OBJECT_MOST) && at == 0, "nothing is in 64 TiB of holes");
	object_write(object, 5 * MIB + 100, "x", 1);
	object_write(object, OBJECT_MOST - 1, "y", 1);
	ok(object_next(object, &at, OBJECT_MOST) && at == 5 * MIB, "the first page that is there");
	at += 10;
	ok(object_next(object, &at, OBJECT_MOST) && at == 5 * MIB + 10, "from inside it, there");
	at = 5 * MIB + PAGE_SIZE;
	ok(!object_next(object, &at, 8 * MIB), "no other one before 8 MiB");
	ok(object_next(object, &at, OBJECT_MOST) && at == OBJECT_MOST - PAGE_SIZE, "but at the end");
	end("holes");
}

static void test_private(void)
{
	uint8_t bytes[3] = { 1, 2, 3 }, back[3] = { 0 };
	uint64_t number = 1, place = 0;

	begin(OBJECT_FILE, 5 * PAGE_SIZE + 100);
	for (uint64_t i = 0; i <= 5; i++)
		object_write(object, i * PAGE_SIZE, bytes, 3);
	ok(map(first, AT, 8 * PAGE_SIZE, ASPACE_POPULATE, 0) == (int64_t)AT,
	   "a file is mapped, more than there is of it");
	map(second, AT, 8 * PAGE_SIZE, 0, 0);
	ok(mmu_level(AT + 5 * PAGE_SIZE) == 0 && get(AT + 2) == 3 && get(AT + 6 * PAGE_SIZE) == -ENXIO,
	   "what it has is there at once");
	ok(aspace_resident(first) == 0, "without memory of its own");
	ok(put(AT, 9) == 0 && get(AT) == 9 && get(AT + 1) == 2 && aspace_resident(first) == PAGE_SIZE,
	   "a page that is written is copied");
	aspace_protect(first, AT, 8 * PAGE_SIZE, ASPACE_READ);
	aspace_protect(first, AT, 8 * PAGE_SIZE, RW);
	ok(put(AT + PAGE_SIZE, 8) == 0 && get(AT) == 9 && is_sound(),
	   "after it was protected and opened again, too");
	ok(aspace_write(first, AT + 2 * PAGE_SIZE, "a", 1) == 0 &&
		   aspace_read(first, back, AT + 2 * PAGE_SIZE, 3) == 0 && back[0] == 'a' &&
		   back[1] == 2,
	   "and one that is written from outside");
	put(AT + 3 * PAGE_SIZE, 7);
	ok(aspace_identify(first, AT + 3 * PAGE_SIZE, &number, &place) == 0 && number == 0 &&
		   place == AT + 3 * PAGE_SIZE,
	   "a futex in it is the address space's own");
	ok(aspace_read(second, back, AT + 3 * PAGE_SIZE, 3) == 0 && back[0] == 1, "from outside it is read");
	mmu_load(second);
	ok(get(AT) == 1 && get(AT + PAGE_SIZE) == 1 && get(AT + 2 * PAGE_SIZE) == 1,
	   "the other one sees nothing of that");
	mmu_load(first);
	ok(aspace_discard(first, AT, PAGE_SIZE) == 0 && get(AT) == 1 &&
		   aspace_resident(first) == 3 * PAGE_SIZE,
	   "discarded, it is the file's page again");
	ok(aspace_remap(first, AT + PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, REMAP_MAY_MOVE | REMAP_FIXED,
			AT + MIB) == (int64_t)(AT + MIB) &&
		   get(AT + MIB) == 8 && get(AT + MIB + 1) == 2,
	   "a copied page moves");
	ok(aspace_remap(first, AT + 4 * PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, REMAP_MAY_MOVE | REMAP_FIXED,
			AT + 2 * MIB) == (int64_t)(AT + 2 * MIB) &&
		   put(AT + 2 * MIB, 5) == 0 && get(AT + 2 * MIB) == 5 &&
		   aspace_read(second, back, AT + 4 * PAGE_SIZE, 1) == 0 && back[0] == 1 && is_sound(),
	   "so does one of the file's, and is copied there");
	object_put(object);
	object = NULL;
	ok(get(AT + 2) == 3, "regions keep the object");
	end("private");
}

static void test_segment(void)
{
	struct object *was = NULL;
	int64_t at;

	begin(OBJECT_MEMORY, 3 * MIB);
	at = map(first, 0, 3 * MIB, ASPACE_SHARED | ASPACE_SEGMENT, 0);
	put((user_addr_t)at + MIB, 1);
	aspace_protect(first, (user_addr_t)at + MIB, PAGE_SIZE, ASPACE_READ);
	ok(aspace_detach(first, (user_addr_t)at + PAGE_SIZE, &was) == -EINVAL,
	   "a segment is detached by its beginning");
	ok(aspace_detach(first, (user_addr_t)at, &was) == 0 && was == object &&
		   object_mapped(object) == 0 && get((user_addr_t)at) == -EFAULT,
	   "all of it, though it was cut up");
	object_put(was);
	map(first, AT, MIB, ASPACE_SHARED, 0);
	ok(aspace_detach(first, AT, &was) == -EINVAL, "what is no segment is not");
	end("segments");
}

/* How many pages are taken in runs of MOST bytes; the runs go to *RUNS. */
static unsigned int taken(uint64_t most, unsigned int *runs)
{
	uint64_t at = 0, size, pages = 0;

	*runs = 0;
	while ((size = object_taken(object, &at, OBJECT_MOST, most)) != 0) {
		pages += size / PAGE_SIZE;
		at += size;
		++*runs;
	}
	return (unsigned int)pages;
}

/* As who writes out does it. */
static bool take(void)
{
	bool any = object_take(object, 0, OBJECT_MOST);

	aspace_clean(first, object, 0, OBJECT_MOST);
	aspace_clean(second, object, 0, OBJECT_MOST);
	return any;
}

static void written(bool good)
{
	object_release(object, 0, OBJECT_MOST, good);
}

static void fill(unsigned int pages)
{
	for (unsigned int i = 0; i < pages; i++)
		object_write(object, i * PAGE_SIZE, "file", 4);
}

static void test_written(void)
{
	struct aspace_file file = { 0 };
	uint8_t bytes[2] = { 5, 6 };
	user_addr_t at = 0;
	unsigned int runs;

	begin(OBJECT_SHARED_FILE, 8 * PAGE_SIZE);
	fill(8);
	map(first, AT, 8 * PAGE_SIZE, ASPACE_SHARED | ASPACE_POPULATE, 0);
	map(second, AT, 4 * PAGE_SIZE, ASPACE_SHARED, 2 * PAGE_SIZE);
	ok(get(AT + 1) == 'i' && object_marked(object) == 0 && !take(), "what is read is not marked");
	put(AT, 1);
	put(AT + PAGE_SIZE, 1);
	put(AT + 1, 2);
	put(AT + 5 * PAGE_SIZE, 3);
	ok(object_marked(object) == 3 && is_sound(), "what is written is, a page once");
	ok(take() && object_marked(object) == 0 && taken(OBJECT_MOST, &runs) == 3 && runs == 2,
	   "marks are taken, in runs of pages");
	ok(taken(PAGE_SIZE, &runs) == 3 && runs == 3, "that are no longer than who writes them wants");
	put(AT + PAGE_SIZE, 9);
	ok(object_marked(object) == 1 && is_sound(), "a write meanwhile marks again");
	written(true);
	ok(object_marked(object) == 1 && taken(OBJECT_MOST, &runs) == 0,
	   "and is not lost with the others");
	mmu_load(second);
	ok(get(AT + 3 * PAGE_SIZE) == 3 && put(AT + 3 * PAGE_SIZE, 4) == 0 && object_marked(object) == 2,
	   "another address space marks what it writes");
	take();
	written(false);
	ok(object_marked(object) == 2, "what could not be written out is marked as before");
	ok(put(AT + 3 * PAGE_SIZE, 5) == 0 && object_marked(object) == 2 && is_sound(), "and once");
	take();
	written(true);
	mmu_load(first);
	ok(aspace_protect(first, AT, 8 * PAGE_SIZE, ASPACE_READ) == 0 && put(AT, 1) == -EACCES &&
		   aspace_protect(first, AT, 8 * PAGE_SIZE, RW) == 0 && put(AT, 7) == 0 &&
		   object_marked(object) == 1 && is_sound(),
	   "protected and opened again, a write still marks");
	ok(aspace_write(first, AT + 2 * PAGE_SIZE, bytes, 2) == 0 && object_marked(object) == 2 &&
		   get(AT + 2 * PAGE_SIZE) == 5,
	   "so does one from outside");
	ok(aspace_remap(first, AT + 4 * PAGE_SIZE, 4 * PAGE_SIZE, 4 * PAGE_SIZE,
			REMAP_MAY_MOVE | REMAP_FIXED, AT + MIB) == (int64_t)(AT + MIB) &&
		   put(AT + MIB + 2 * PAGE_SIZE, 7) == 0 && object_marked(object) == 3 && is_sound(),
	   "and one where the page has moved to");
	ok(aspace_unmap(first, AT, PAGE_SIZE) == 0 && object_marked(object) == 3,
	   "what was written is known when it is unmapped");
	ok(aspace_next_file(first, &at, USER_END, &file) && at == AT + 4 * PAGE_SIZE &&
		   file.object == object && file.offset == PAGE_SIZE && file.size == 3 * PAGE_SIZE,
	   "a region is found");
	object_put(file.object);
	ok(aspace_next_file(first, &at, AT + MIB + PAGE_SIZE, &file) && at == AT + MIB + PAGE_SIZE &&
		   file.offset == 4 * PAGE_SIZE && file.size == PAGE_SIZE,
	   "and a part of one");
	object_put(file.object);
	ok(!aspace_next_file(first, &at, AT + MIB + PAGE_SIZE, &file), "and no more of it");
	ok(aspace_remove(first, AT + 3 * PAGE_SIZE, PAGE_SIZE) == 0 && get(AT + 3 * PAGE_SIZE) == 0 &&
		   object_marked(object) == 4,
	   "what is removed is written: with zeros");
	object_resize(object, PAGE_SIZE + 1);
	aspace_forget(first, object, PAGE_SIZE + 1, OBJECT_MOST);
	ok(get(AT + PAGE_SIZE) == 9 && get(AT + PAGE_SIZE + 1) == 0 &&
		   get(AT + 2 * PAGE_SIZE) == -ENXIO && object_marked(object) == 1 && is_sound(),
	   "what is cut off is gone, also for who had it");
	end("written");
}

/* Writes are never lost between taking and writing out, whatever comes in which order. */
static void test_no_write_lost(void)
{
	struct random dice = { 7 };
	uint8_t model[8] = { 0 }, out[8] = { 0 };
	unsigned int wrong = 0;

	begin(OBJECT_SHARED_FILE, 8 * PAGE_SIZE);
	fill(8);
	memset(model, 'f', 8);
	memset(out, 'f', 8);
	map(first, AT, 8 * PAGE_SIZE, ASPACE_SHARED, 0);
	map(second, AT, 8 * PAGE_SIZE, ASPACE_SHARED, 0);
	for (unsigned int step = 0; step < 20000; step++) {
		uint64_t page = random_below(&dice, 8), at = 0, size;

		mmu_load(random_below(&dice, 2) ? first : second);
		for (uint64_t n = random_below(&dice, 4); n > 0; n--) {
			page = random_below(&dice, 8);
			model[page] = (uint8_t)random_below(&dice, 100);
			put(AT + page * PAGE_SIZE, model[page]);
		}
		if (random_below(&dice, 3) == 0)
			continue;
		take();
		if (random_below(&dice, 4) == 0) {
			model[page]++;
			put(AT + page * PAGE_SIZE, model[page]);
		}
		while ((size = object_taken(object, &at, OBJECT_MOST, PAGE_SIZE)) != 0) {
			uint64_t left;

			out[at / PAGE_SIZE] = *(uint8_t *)object_memory(object, at, &left);
			at += size;
		}
		written(true);
		take();
		for (uint64_t i = 0; i < 8; i++) {
			at = i * PAGE_SIZE;
			size = object_taken(object, &at, at + PAGE_SIZE, PAGE_SIZE);
			wrong += out[i] != model[i] && size == 0;
		}
		written(false);
	}
	ok(wrong == 0, "what was written is written out or marked, 20,000 times");
	end("nothing lost");
}

static void unmap_above(void)
{
	aspace_unmap(first, AT + MIB, MIB);
}

static void unmap_below(void)
{
	aspace_unmap(first, AT, MIB);
}

static void protect_above(void)
{
	aspace_protect(first, AT + MIB, MIB, ASPACE_READ);
}

static void make_private(void)
{
	map(first, AT, 2 * MIB, 0, 0);
}

/* A page that was looked for is there, and what it is to be mapped in has changed meanwhile. */
static void test_race(const char *name, void (*other)(void), int found)
{
	unsigned int wrong = 0, changes = 0, turn;

	for (turn = 1; changes == turn - 1; turn++) {
		int error;

		begin(OBJECT_MEMORY, 2 * MIB);
		map(first, AT, 2 * MIB, ASPACE_SHARED, 0);
		theirs = other;
		their_turn = turn;
		error = put(AT + MIB - 1, 7);
		changes += their_turn == 0;
		their_turn = 0;
		wrong += !is_sound() || (error && error != found) || (!error && get(AT + MIB - 1) != 7);
		aspace_unmap(first, AT, 2 * MIB);
		wrong += !is_sound() || mmu_level(AT) >= 0 || mmu_level(AT + MIB) >= 0;
		mmu_load(NULL);
		object_put(object);
		aspace_destroy(first);
		aspace_destroy(second);
		wrong += page_free_bytes() != free_before || heap_objects != 0;
	}
	ok(wrong == 0 && changes >= 3, "%s at each of %u looks at a fault: no page without a region",
	   name, changes);
}

static void test_races(void)
{
	test_race("the rest is unmapped", unmap_above, 0);
	test_race("the place is unmapped", unmap_below, -EFAULT);
	test_race("the rest is protected", protect_above, 0);
	test_race("a private mapping comes", make_private, 0);
}

/* Memory fails at the first allocation, the second, ...: an error, and nothing lost. */
static void test_failures(void)
{
	unsigned int wrong = 0, points = 0;

	for (uint64_t limit = 0; limit < 60; limit++) {
		int error;

		free_before = page_free_bytes();
		first = aspace_create(0);
		object = object_create(OBJECT_FILE, 4 * PAGE_SIZE);
		object_write(object, 0, "abc", 3);
		object_write(object, PAGE_SIZE, "def", 3);
		mmu_load(first);
		allocations_left = limit;
		error = (int)map(first, AT, 4 * PAGE_SIZE, 0, 0) < 0;
		if (!error)
			error = put(AT + 1, 'x') != 0 || put(AT + PAGE_SIZE, 'y') != 0;
		allocations_left = UINT64_MAX;
		points += error != 0;
		if (!error)
			wrong += get(AT) != 'a' || get(AT + 1) != 'x' || get(AT + PAGE_SIZE) != 'y';
		mmu_load(NULL);
		object_put(object);
		aspace_destroy(first);
		wrong += page_free_bytes() != free_before || heap_objects != 0;
	}
	ok(wrong == 0 && points >= 5, "out of memory at each of %u allocations: an error, nothing lost",
	   points);
}

static void test_all(void)
{
	test_shared();
	test_size();
	test_holes();
	test_private();
	test_segment();
	test_written();
	test_no_write_lost();
	test_failures();
	test_races();
}

int main(void)
{
	physical_memory(MEMORY);
	page_add_range(0, MEMORY, 0, 21);
	test_all();
	puts("# with page tables isolated:");
	mmu_isolated = true;
	test_all();
	ok(mmu_early_frees == 0, "no page was freed while a CPU knew it");
	return done();
}
