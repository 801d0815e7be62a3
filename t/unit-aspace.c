/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What address spaces promise, one promise at a time. unit-aspace-model.c mixes them all. */
#include <pthread.h>

#include "unit-mm.h"
#include "unit-mmu.h"

#include "arch/paging.h"
#include "arch/user.h"
#include "lib/errno.h"
#include "mm/page.h"

#define KIB 1024ull
#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define TIB (1ull << 40)
#define MEMORY (3 * GIB)
#define AT 0x10000000000ull
#define RW (ASPACE_READ | ASPACE_WRITE)

static struct aspace *aspace;
static uint64_t free_before;

static void begin(void)
{
	free_before = page_free_bytes();
	aspace = aspace_create(0);
	mmu_load(aspace);
}

/* Each test ends with an audit, and with nothing left. */
static void end(const char *name)
{
	const char *wrong = mmu_audit();

	mmu_load(NULL);
	aspace_destroy(aspace);
	if (!ok(wrong == NULL && page_free_bytes() == free_before && heap_objects == 0,
		"%s: all is consistent, and gone at the end", name))
		printf("# %s; pages %lld, heap %llu\n", wrong != NULL ? wrong : "not gone",
		       (long long)(free_before - page_free_bytes()),
		       (unsigned long long)heap_objects);
}

static user_addr_t map_at(user_addr_t at, uint64_t size, unsigned int prot, unsigned int flags)
{
	int64_t got = aspace_map(aspace, at, size, prot, flags | ASPACE_FIXED_NOREPLACE);

	if (got < 0)
		bail_out("map of %llx: %lld", (unsigned long long)at, (long long)got);
	return (user_addr_t)got;
}

static int touch(user_addr_t at)
{
	uint8_t byte = (uint8_t)(at >> 12) | 1;

	return mmu_do(0, MMU_WRITE, at, &byte, 1);
}

static bool is_touched(user_addr_t at)
{
	uint8_t byte = 0;

	return mmu_do(1, MMU_READ, at, &byte, 1) == 0 && byte == ((uint8_t)(at >> 12) | 1);
}

static uint8_t read_byte(user_addr_t at)
{
	uint8_t byte = 0xee;

	mmu_do(1, MMU_READ, at, &byte, 1);
	return byte;
}

/* Leaves of LEVEL in [start, end). */
static unsigned int count_leaves(user_addr_t start, user_addr_t stop, int level)
{
	unsigned int count = 0;

	while (start < stop) {
		int found = mmu_level(start);

		count += found == level;
		start += found > 0 ? PAGE_SIZE << (9 * found) : PAGE_SIZE;
	}
	return count;
}

static void test_reservation(void)
{
	int64_t at;

	begin();
	at = aspace_map(aspace, 0, 40 * TIB, 0, 0);
	ok(at > 0 && aspace_map(aspace, 0, 40 * TIB, RW, 0) > 0, "80 TiB can be reserved");
	ok(aspace_resident(aspace) == 0 && aspace_reserved(aspace) == 80 * TIB,
	   "which costs no memory");
	ok(aspace_protect(aspace, (user_addr_t)at, TIB, RW) == 0 &&
		   touch((user_addr_t)at + 5 * GIB) == 0,
	   "a part of it can be used");
	ok(aspace_unmap(aspace, (user_addr_t)at, 40 * TIB) == 0 && aspace_resident(aspace) == 0 &&
		   aspace_peak(aspace) >= PAGE_SIZE,
	   "unmapping gives the pages back");
	ok(aspace_map(aspace, 0, 100 * TIB, 0, 0) == -ENOMEM, "more than there are addresses: ENOMEM");
	end("reservations");
}

static void test_large(void)
{
	uint64_t before;

	begin();
	map_at(AT, 4 * MIB, RW, 0);
	touch(AT + 3 * MIB);
	ok(aspace_resident(aspace) == 2 * MIB && mmu_level(AT + 2 * MIB) == 1 && mmu_level(AT) == -1,
	   "one touch brings a 2 MiB page where one fits");
	map_at(AT + 16 * MIB + PAGE_SIZE, 2 * MIB, RW, 0);
	touch(AT + 17 * MIB);
	touch(AT + 18 * MIB);
	ok(mmu_level(AT + 17 * MIB) == 0 && mmu_level(AT + 18 * MIB) == 0,
	   "where none fits, small ones");
	before = aspace_resident(aspace);
	map_at(AT + 32 * MIB, 8 * MIB, RW, ASPACE_GROWS_DOWN);
	touch(AT + 40 * MIB - 1);
	ok(aspace_resident(aspace) - before <= 64 * KIB, "a stack takes no large pages");
	before = aspace_resident(aspace);
	map_at(AT + 64 * MIB, 8 * MIB, RW, ASPACE_SMALL_PAGES);
	touch(AT + 65 * MIB);
	ok(aspace_resident(aspace) - before <= 64 * KIB, "nor does what asks for small ones");
	before = aspace_resident(aspace);
	map_at(AT + 96 * MIB, PAGE_SIZE, RW, 0);
	touch(AT + 96 * MIB);
	ok(aspace_resident(aspace) - before == PAGE_SIZE, "one page gets one page");
	ok(aspace_map(aspace, 0, 6 * MIB, RW, 0) % (int64_t)LARGE_PAGE_SIZE == 0,
	   "a mapping of whole large pages is aligned to them");
	end("large pages");
}

static void test_scarce(void)
{
	static phys_addr_t taken[MEMORY / LARGE_PAGE_SIZE];
	unsigned int count = 0;

	begin();
	map_at(AT, 64 * MIB, RW, 0);
	while (page_free_bytes() > page_total() / 16 - 3 * MIB)
		taken[count++] = page_alloc(PAGE_ORDER_LARGE, 0, 0);
	touch(AT);
	ok(aspace_resident(aspace) == PAGE_SIZE, "when memory is scarce, a touch brings one small page");
	while (count > 0)
		page_free(taken[--count], PAGE_ORDER_LARGE);
	end("scarcity");
}

/* A touch in each large page of much more than there is, with all other memory taken. */
static void test_trim(void)
{
	enum { TOUCHES = 4000 };
	static phys_addr_t large[MEMORY / LARGE_PAGE_SIZE], small[1024 * 1024];
	unsigned int larges = 0, smalls = 0, failed = 0, lost = 0;

	begin();
	map_at(AT, TOUCHES * LARGE_PAGE_SIZE, RW, 0);
	while (page_free_bytes() > page_total() / 16 + 40 * MIB)
		large[larges++] = page_alloc(PAGE_ORDER_LARGE, 0, 0);
	for (unsigned int i = 0; i < 16; i++)
		touch(AT + i * LARGE_PAGE_SIZE + i * PAGE_SIZE);
	ok(aspace_resident(aspace) == 32 * MIB, "16 touches bring 32 MiB while there is memory");
	for (user_addr_t a = AT + LARGE_PAGE_SIZE; a < AT + 2 * LARGE_PAGE_SIZE; a += PAGE_SIZE)
		touch(a);
	for (phys_addr_t page; (page = page_alloc(0, 0, 0)) != PAGE_NONE;)
		small[smalls++] = page;
	mmu_other_bytes = larges * LARGE_PAGE_SIZE + smalls * PAGE_SIZE;
	for (unsigned int i = 16; i < TOUCHES / 2; i++)
		failed += touch(AT + i * LARGE_PAGE_SIZE + i * PAGE_SIZE % LARGE_PAGE_SIZE) != 0;
	ok(failed == 0, "when there is none left, what was never written is taken back");
	for (unsigned int i = 0; i < TOUCHES / 2; i++) {
		user_addr_t at = AT + i * LARGE_PAGE_SIZE;

		lost += !is_touched(at + i * PAGE_SIZE % LARGE_PAGE_SIZE);
		lost += i > 1 && read_byte(at + (i + 1) * PAGE_SIZE % LARGE_PAGE_SIZE) != 0;
		failed += i == 1 && mmu_level(at) != 1;
	}
	ok(lost == 0 && failed == 0, "everything else is as it was, zeros included");
	for (failed = 0; touch(AT + (TOUCHES / 2 + failed) * LARGE_PAGE_SIZE) == 0; failed++)
		continue;
	ok(failed > 500 && failed < TOUCHES / 2, "at last there is nothing more to take (%u more touches)",
	   failed);
	while (smalls > 0)
		page_free(small[--smalls], 0);
	while (larges > 0)
		page_free(large[--larges], PAGE_ORDER_LARGE);
	mmu_other_bytes = 0;
	end("trimming");
}

static void test_split(void)
{
	bool kept = true;

	begin();
	map_at(AT, 4 * MIB, RW, 0);
	for (user_addr_t a = AT; a < AT + 4 * MIB; a += PAGE_SIZE)
		touch(a);
	ok(count_leaves(AT, AT + 4 * MIB, 1) == 2, "two large pages");
	aspace_unmap(aspace, AT + 5 * PAGE_SIZE, PAGE_SIZE);
	ok(mmu_level(AT) == 0 && mmu_level(AT + 5 * PAGE_SIZE) == -1 && mmu_level(AT + 2 * MIB) == 1 &&
		   aspace_resident(aspace) == 4 * MIB - PAGE_SIZE,
	   "a page is cut out of the first: it is given back, the second stays large");
	for (user_addr_t a = AT; a < AT + 4 * MIB; a += PAGE_SIZE)
		kept &= a == AT + 5 * PAGE_SIZE || is_touched(a);
	ok(kept, "all others keep their contents");
	aspace_protect(aspace, AT + 3 * MIB, 64 * KIB, ASPACE_READ);
	ok(mmu_level(AT + 2 * MIB) == 0 && touch(AT + 3 * MIB) == -EACCES && touch(AT + 2 * MIB) == 0 &&
		   is_touched(AT + 3 * MIB),
	   "a part of the second is protected");
	aspace_protect(aspace, AT + 3 * MIB, 64 * KIB, RW);
	ok(touch(AT + 3 * MIB) == 0, "and opened again");

	map_at(AT + 16 * MIB, 2 * MIB, RW, 0);
	touch(AT + 17 * MIB);
	aspace_discard(aspace, AT + 16 * MIB, 64 * KIB);
	ok(mmu_level(AT + 17 * MIB) == 0 && is_touched(AT + 17 * MIB) &&
		   mmu_level(AT + 16 * MIB) == -1,
	   "a part of a large page is discarded");
	touch(AT + 16 * MIB);
	ok(mmu_level(AT + 17 * MIB) == 0, "what a program has split stays split");
	map_at(AT + 32 * MIB, 2 * MIB, RW, 0);
	touch(AT + 33 * MIB);
	aspace_protect(aspace, AT + 32 * MIB, 2 * MIB, 0);
	ok(mmu_phys(AT + 33 * MIB) == PAGE_NONE && mmu_level(AT + 33 * MIB) == 1 &&
		   touch(AT + 33 * MIB) == -EACCES,
	   "PROT_NONE on all of a large page hides it, in one piece");
	aspace_protect(aspace, AT + 32 * MIB, 2 * MIB, ASPACE_READ);
	ok(is_touched(AT + 33 * MIB), "the contents are there when it is readable again");
	end("splits");
}

/* 1 GiB of real memory is cleared here, each time the same. */
static void test_huge(void)
{
	int64_t at;

	begin();
	map_at(AT, 2 * GIB, RW, 0);
	touch(AT);
	ok(mmu_level(AT) == 1, "touching takes no 1 GiB page");
	end("touching");
	begin();
	map_at(AT, GIB + 4 * MIB, RW, ASPACE_POPULATE);
	ok(mmu_level(AT) == 2 && mmu_level(AT + GIB) == 1 &&
		   aspace_resident(aspace) == GIB + 4 * MIB,
	   "populating does, where one fits");
	touch(AT + 511 * MIB);
	map_at(AT + GIB + 4 * MIB, PAGE_SIZE, 0, 0);
	at = aspace_remap(aspace, AT, GIB + 4 * MIB, GIB + 8 * MIB, REMAP_MAY_MOVE, 0);
	ok(at > 0 && mmu_level((user_addr_t)at) == 1 &&
		   read_byte((user_addr_t)at + 511 * MIB) == ((uint8_t)((AT + 511 * MIB) >> 12) | 1),
	   "where a 1 GiB page cannot be, it moves as 512 of 2 MiB");
	ok(aspace_resident(aspace) == GIB + 4 * MIB, "the same ones");
	end("1 GiB moves");
	begin();
	map_at(AT, GIB + 4 * MIB, RW, ASPACE_POPULATE);
	touch(AT + 511 * MIB);
	aspace_unmap(aspace, AT + 512 * MIB, PAGE_SIZE);
	ok(mmu_level(AT) == 1 && mmu_level(AT + 512 * MIB + PAGE_SIZE) == 0 &&
		   mmu_level(AT + 514 * MIB) == 1 && is_touched(AT + 511 * MIB),
	   "a page cut out of it leaves 511 of 2 MiB and 511 of 4 KiB");
	ok(aspace_resident(aspace) == GIB + 4 * MIB - PAGE_SIZE, "and is given back");
	end("1 GiB");
	huge_pages = false;
	begin();
	map_at(AT, GIB, RW, ASPACE_POPULATE);
	ok(mmu_level(AT) == 1, "a machine without 1 GiB pages gets 2 MiB ones");
	end("no 1 GiB");
	huge_pages = true;
}

static void test_brk(void)
{
	user_addr_t start = AT + 123 * PAGE_SIZE, stop = start;
	bool kept = true;

	begin();
	ok(aspace_brk(aspace, AT) == 0, "no brk before exec has set one");
	aspace_set_brk(aspace, start - 100);
	ok(aspace_brk(aspace, 0) == start, "brk(0) asks");
	ok(aspace_brk(aspace, start - 1) == start, "not below its start");
	/* As malloc() grows it. */
	for (; stop < start + 16 * MIB; stop += 132 * KIB) {
		if (aspace_brk(aspace, stop + 132 * KIB) != stop + 132 * KIB)
			bail_out("brk does not grow");
		for (user_addr_t a = stop; a < stop + 132 * KIB; a += PAGE_SIZE)
			touch(a);
	}
	ok(count_leaves(start, stop, 1) >= 6, "a heap that grows in small steps gets large pages (%u)",
	   count_leaves(start, stop, 1));
	for (user_addr_t a = start; a < stop; a += PAGE_SIZE)
		kept &= is_touched(a);
	ok(kept && aspace_resident(aspace) <= stop - start + 64 * KIB, "with its contents");
	ok(touch(stop) == -EFAULT, "right behind the break is nothing");
	ok(aspace_brk(aspace, start + 10) == start + 10 && touch(start) == 0 &&
		   touch(start + PAGE_SIZE) == -EFAULT && aspace_resident(aspace) <= PAGE_SIZE,
	   "it shrinks, and gives pages back");
	aspace_brk(aspace, stop);
	ok(read_byte(start + MIB) == 0, "what comes back is zero");
	aspace_brk(aspace, start);

	map_at(align_up(start + 8 * MIB, PAGE_SIZE), PAGE_SIZE, RW, 0);
	ok(aspace_brk(aspace, start + 9 * MIB) == start, "it does not grow over something");
	ok(aspace_brk(aspace, start + 7 * MIB) == start + 7 * MIB, "but up to it");
	aspace_brk(aspace, start);

	for (stop = start; stop < start + 6 * MIB; stop += 132 * KIB) {
		aspace_brk(aspace, stop + 132 * KIB);
		/* Not all of the others: what was not there must be zero. */
		for (user_addr_t a = stop; a < stop + 132 * KIB; a += 18 * PAGE_SIZE)
			touch(a);
	}
	for (user_addr_t a = start; a < stop; a += PAGE_SIZE)
		kept &= read_byte(a) == 0 || is_touched(a);
	ok(kept, "all others are what was written, or zero");
	end("brk");
}

static void test_shared_page(void)
{
	phys_addr_t block;

	begin();
	map_at(AT, MIB, RW, 0);
	for (user_addr_t a = AT; a < AT + MIB + 512 * KIB; a += PAGE_SIZE) {
		if (a == AT + MIB)
			map_at(AT + MIB, MIB - PAGE_SIZE, RW, 0);
		touch(a);
	}
	block = mmu_phys(AT + 8 * PAGE_SIZE);
	page_get(block);
	map_at(AT + 2 * MIB - PAGE_SIZE, PAGE_SIZE, RW, 0);
	touch(AT + 2 * MIB - PAGE_SIZE);
	ok(mmu_level(AT) == 0, "nor does one that has other references");
	aspace_unmap(aspace, AT, 2 * MIB);
	ok(!page_is_shared(block) && page_order(block) == 0, "which stays when it is unmapped here");
	page_put(block, 0);
	end("shared pages");
}

static void test_remap(void)
{
	int64_t to;

	begin();
	map_at(AT, 4 * MIB, RW, 0);
	touch(AT + MIB);
	touch(AT + 3 * MIB);
	map_at(AT + 4 * MIB, PAGE_SIZE, 0, 0);
	ok(aspace_remap(aspace, AT, 4 * MIB, 8 * MIB, 0, 0) == -ENOMEM,
	   "mremap without a place to grow: ENOMEM");
	to = aspace_remap(aspace, AT, 4 * MIB, 8 * MIB, REMAP_MAY_MOVE, 0);
	ok(to > 0 && is_touched(AT + MIB) == 0 && read_byte((user_addr_t)to + MIB) != 0 &&
		   read_byte((user_addr_t)to + 3 * MIB) != 0,
	   "or it moves with its contents");
	ok(count_leaves((user_addr_t)to, (user_addr_t)to + 4 * MIB, 1) == 2,
	   "large pages stay large on the way");
	ok(touch(AT) == -EFAULT && aspace_resident(aspace) == 4 * MIB, "nothing stays behind");
	ok(aspace_remap(aspace, (user_addr_t)to, 8 * MIB, MIB, REMAP_MAY_MOVE, 0) == to &&
		   touch((user_addr_t)to + MIB) == -EFAULT,
	   "it shrinks in place");
	ok(aspace_remap(aspace, (user_addr_t)to, MIB, 2 * MIB, 0, 0) == to &&
		   touch((user_addr_t)to + 2 * MIB - 1) == 0,
	   "and grows in place where nothing is");
	ok(aspace_remap(aspace, AT + 64 * MIB, MIB, 2 * MIB, REMAP_MAY_MOVE, 0) == -EFAULT &&
		   aspace_remap(aspace, (user_addr_t)to, 4 * MIB, 8 * MIB, REMAP_MAY_MOVE, 0) == -EFAULT,
	   "what is not one mapping: EFAULT");
	ok(aspace_remap(aspace, (user_addr_t)to + 1, MIB, MIB, REMAP_MAY_MOVE, 0) == -EINVAL &&
		   aspace_remap(aspace, (user_addr_t)to, MIB, 0, REMAP_MAY_MOVE, 0) == -EINVAL,
	   "odd address, no size: EINVAL");
	end("mremap");
}

static void test_kernel_pages(void)
{
	phys_addr_t pages[2] = { page_alloc(0, 0, PAGE_ZERO), page_alloc(0, 0, PAGE_ZERO) };
	int64_t at;
	uint8_t byte;

	begin();
	mmu_other_bytes = 2 * PAGE_SIZE;
	at = aspace_map_kernel(aspace, 0, pages, 2, ASPACE_READ | ASPACE_EXEC);
	ok(at > 0 && mmu_phys((user_addr_t)at + PAGE_SIZE + 5) == pages[1] + 5 &&
		   mmu_do(0, MMU_EXECUTE, (user_addr_t)at, &byte, 1) == 0,
	   "pages of the kernel appear in the program");
	ok(aspace_resident(aspace) == 0, "and are not counted as its own");
	ok(aspace_protect(aspace, (user_addr_t)at, PAGE_SIZE, RW) == -EACCES &&
		   touch((user_addr_t)at) == -EACCES,
	   "it can never write them");
	ok(aspace_write(aspace, (user_addr_t)at, "x", 1) == -EFAULT &&
		   aspace_read(aspace, &byte, (user_addr_t)at, 1) == -EFAULT &&
		   aspace_discard(aspace, (user_addr_t)at, PAGE_SIZE) == -EINVAL &&
		   aspace_remap(aspace, (user_addr_t)at, PAGE_SIZE, 4 * PAGE_SIZE, REMAP_MAY_MOVE, 0) == -EFAULT,
	   "nor lose or move them");
	ok(aspace_map_kernel(aspace, (user_addr_t)at, pages, 1, ASPACE_READ) == -EEXIST,
	   "they replace nothing");
	ok(aspace_unmap(aspace, (user_addr_t)at, PAGE_SIZE) == 0 && page_order(pages[0]) == 0,
	   "unmapping does not free them");
	end("kernel pages");
	mmu_other_bytes = 0;
	page_free(pages[0], 0);
	page_free(pages[1], 0);
}

static void test_shared(void)
{
	begin();
	map_at(AT, 4 * MIB, RW, ASPACE_SHARED);
	touch(AT + MIB);
	ok(aspace_discard(aspace, AT, 4 * MIB) == 0 && is_touched(AT + MIB),
	   "shared memory keeps its contents over MADV_DONTNEED, as on Linux");
	end("shared memory");
}

static void count_region(user_addr_t start, user_addr_t stop, unsigned int prot, void *arg)
{
	(void)start;
	(void)stop;
	(void)prot;
	(*(unsigned int *)arg)++;
}

static unsigned int count_regions(void)
{
	unsigned int count = 0;

	aspace_for_each(aspace, count_region, &count);
	return count;
}

static void test_many(void)
{
	enum { MANY = 65530 };
	uint64_t start = now_ns(), spent;
	unsigned int count, failed = 0;

	begin();
	for (count = 0; count < MANY; count++) {
		int64_t at = aspace_map(aspace, 0, PAGE_SIZE, count % 2 ? RW : ASPACE_READ, 0);

		failed += at < 0;
	}
	ok(failed == 0 && count_regions() == MANY, "65,530 regions, as many as Linux allows");
	ok(aspace_map(aspace, 0, PAGE_SIZE, ASPACE_EXEC, 0) == -ENOMEM, "one more: ENOMEM");
	end("many regions");

	begin();
	map_at(AT, 60000 * PAGE_SIZE, RW, 0);
	for (uint64_t i = 0; i < 60000; i += 2)
		failed += aspace_protect(aspace, AT + i * PAGE_SIZE, PAGE_SIZE, ASPACE_READ) != 0;
	ok(failed == 0 && count_regions() == 60000, "30,000 guard pages make 60,000 regions");
	for (uint64_t i = 0; i < 60000; i += 2)
		failed += aspace_unmap(aspace, AT + i * PAGE_SIZE, PAGE_SIZE) != 0;
	ok(failed == 0 && count_regions() == 30000, "unmapped one by one");
	/* Holes of one page each: this must not look at all of them. */
	for (uint64_t i = 0; i < 20000; i++)
		failed += aspace_map(aspace, 0, 2 * PAGE_SIZE, i % 2 ? 0 : RW, 0) < 0;
	ok(failed == 0, "20,000 places found besides 30,000 holes");
	aspace_unmap(aspace, AT, 60000 * PAGE_SIZE);
	ok(count_regions() == 20000, "and 30,000 regions unmapped at once");
	end("guard pages");
	spent = now_ns() - start;
	/* About 300,000 calls: a walk through a list would take hours. */
	ok(spent < 120000000000u, "in a time that does not grow with the square (%llu ms)",
	   (unsigned long long)(spent / 1000000));
}

static void test_merge(void)
{
	begin();
	map_at(AT, MIB, RW, 0);
	map_at(AT + 2 * MIB, MIB, RW, 0);
	map_at(AT + MIB, MIB, RW, 0);
	ok(count_regions() == 1, "mappings that meet and are alike become one region");
	aspace_protect(aspace, AT + MIB, MIB, ASPACE_READ);
	ok(count_regions() == 3, "three when the middle is protected");
	aspace_protect(aspace, AT + MIB, MIB, RW);
	ok(count_regions() == 1, "and one again");
	aspace_map(aspace, AT + MIB, MIB, RW, ASPACE_FIXED);
	ok(count_regions() == 1, "also over what was there");
	touch(AT + MIB);
	ok(mmu_level(AT + MIB) == -1 || mmu_level(AT) == 1, "large pages go over the seams");
	end("merging");
}

static void test_outside(void)
{
	static char text[3 * PAGE_SIZE], back[3 * PAGE_SIZE];
	uint64_t before;

	begin();
	map_at(AT, 8 * MIB, ASPACE_READ, 0);
	map_at(AT + 8 * MIB, MIB, 0, 0);
	memset(text, 'x', sizeof(text));
	ok(aspace_write(aspace, AT + 8 * MIB - PAGE_SIZE - 7, text, sizeof(text)) == 0 &&
		   aspace_read(aspace, back, AT + 8 * MIB - PAGE_SIZE - 7, sizeof(back)) == 0 &&
		   memcmp(text, back, sizeof(text)) == 0,
	   "from outside, memory is written and read whatever its protection");
	ok(touch(AT) == -EACCES && read_byte(AT + 8 * MIB - PAGE_SIZE) == 'x', "which stays what it is");
	ok(mmu_phys(AT + 8 * MIB) == PAGE_NONE, "also PROT_NONE");
	before = page_free_bytes();
	ok(aspace_read(aspace, back, AT, sizeof(back)) == 0 && back[0] == 0 &&
		   page_free_bytes() == before,
	   "reading what was never touched takes no memory");
	ok(aspace_write(aspace, AT + 8 * MIB, NULL, 100) == 0 &&
		   aspace_read(aspace, back, AT + 8 * MIB, 1) == 0 && back[0] == 0,
	   "writing from NULL clears");
	ok(aspace_write(aspace, AT + 9 * MIB - 1, text, 2) == -EFAULT &&
		   aspace_write(aspace, USER_END - 1, text, 2) == -EFAULT &&
		   aspace_read(aspace, back, UINT64_MAX, 2) == -EFAULT &&
		   aspace_write(aspace, 1ull << 63, text, 2) == -EFAULT,
	   "beyond: EFAULT");
	end("from outside");
}

static void test_place(void)
{
	int64_t stack, first, second;

	begin();
	aspace_seed(aspace, 0);
	stack = aspace_map(aspace, 0, 8 * MIB, RW, ASPACE_GROWS_DOWN);
	first = aspace_map(aspace, 0, 3 * PAGE_SIZE, RW, 0);
	second = aspace_map(aspace, 0, 5 * PAGE_SIZE, ASPACE_READ, 0);
	ok(stack > (int64_t)(USER_END - 9 * MIB), "the stack is at the top");
	ok(first < stack - (int64_t)(32 * GIB) && second + (int64_t)(5 * PAGE_SIZE) == first,
	   "mappings go downwards far below it");
	end("places");
	begin();
	aspace_seed(aspace, 12345);
	second = aspace_map(aspace, 0, 3 * PAGE_SIZE, RW, 0);
	end("random places");
	begin();
	aspace_seed(aspace, 54321);
	ok(second != first && aspace_map(aspace, 0, 3 * PAGE_SIZE, RW, 0) != second,
	   "and are different with each seed");
	end("other random places");
}

/*
 * Memory fails at the first allocation, then at the second, ... of a call that needs
 * several: nothing of it may be visible, and the same call works when there is memory.
 */
static int64_t do_one(unsigned int which)
{
	static const phys_addr_t foreign[1] = { 0x1000 };
	uint8_t byte = 1;

	switch (which) {
	case 0:
		return aspace_unmap(aspace, AT + MIB, PAGE_SIZE);
	case 1:
		return aspace_protect(aspace, AT + 3 * MIB, MIB / 2, ASPACE_READ);
	case 2:
		return aspace_map(aspace, AT + MIB, 2 * MIB, ASPACE_READ, ASPACE_FIXED);
	case 3:
		return aspace_remap(aspace, AT + MIB, MIB, 3 * MIB, REMAP_MAY_MOVE, 0);
	case 4:
		return aspace_map(aspace, 0, 4 * MIB, RW, ASPACE_POPULATE);
	case 5:
		return mmu_do(0, MMU_WRITE, AT + 7 * MIB, &byte, 1);
	case 6:
		return aspace_brk(aspace, AT + 101 * MIB) == AT + 101 * MIB ? 0 : -ENOMEM;
	case 7:
		return aspace_write(aspace, AT + 6 * MIB - 5, "0123456789", 10);
	case 8:
		return mmu_do(0, MMU_READ, AT + 9 * MIB, &byte, 1);
	case 9:
		return aspace_map_kernel(aspace, AT + 512 * GIB, foreign, 1, ASPACE_READ);
	case 10:
		return aspace_map(aspace, AT + 1024 * GIB, PAGE_SIZE, RW,
				  ASPACE_FIXED | ASPACE_POPULATE);
	default:
		return 1;
	}
}

static void test_failures(void)
{
	unsigned int points = 0, wrong = 0;

	for (unsigned int which = 0; which <= 10; which++) {
		for (uint64_t limit = 0;; limit++) {
			bool same = true;
			int64_t got;
			const char *why;

			begin();
			aspace_set_brk(aspace, AT + 100 * MIB);
			map_at(AT, 10 * MIB, RW, 0);
			for (user_addr_t a = AT; a < AT + 6 * MIB; a += 16 * PAGE_SIZE)
				touch(a);
			allocations_left = limit;
			got = do_one(which);
			/* A move cleans up behind itself. */
			mmu_empty_tables_allowed = which != 3;
			why = mmu_audit();
			mmu_empty_tables_allowed = false;
			allocations_left = UINT64_MAX;
			if (got == -ENOMEM) {
				points++;
				for (user_addr_t a = AT; a < AT + 6 * MIB; a += 16 * PAGE_SIZE)
					same &= is_touched(a) && touch(a) == 0;
				same &= touch(AT + 8 * MIB) == 0 && count_regions() == 1;
				if (!same || do_one(which) < 0)
					why = "it is not as before";
			} else if (got < 0) {
				why = "another error";
			}
			if (why != NULL && wrong++ < 5)
				printf("# call %u, allocation %llu: %s\n", which,
				       (unsigned long long)limit, why);
			mmu_load(NULL);
			aspace_destroy(aspace);
			wrong += page_free_bytes() != free_before || heap_objects != 0;
			if (got != -ENOMEM)
				break;
		}
	}
	ok(wrong == 0 && points >= 20, "failed at each of %u allocations, every call leaves all as it was",
	   points);
	begin();
	allocations_left = 0;
	ok(aspace_create(0) == NULL, "no memory for an address space: NULL");
	allocations_left = 1;
	ok(aspace_create(0) == NULL, "nor for its first table");
	allocations_left = UINT64_MAX;
	map_at(AT, 4 * MIB, RW, 0);
	touch(AT);
	touch(AT + MIB);
	touch(AT + 2 * MIB - 1);
	allocations_left = 0;
	ok(aspace_discard(aspace, AT + PAGE_SIZE, MIB) == 0 && is_touched(AT) &&
		   read_byte(AT + MIB) == 0 && is_touched(AT + 2 * MIB - 1),
	   "MADV_DONTNEED of a part needs no memory: it clears");
	allocations_left = UINT64_MAX;
	end("failures");
}

#define THREADS 4u

static void *fault_thread(void *argument)
{
	uint64_t self = (uint64_t)argument, bad = 0;
	struct random random = { self + 5 };
	user_addr_t own = AT + 64 * MIB + self * 8 * MIB;

	for (unsigned int i = 0; i < 400; i++) {
		/* Everybody the same pages: each must come exactly once. */
		user_addr_t shared = AT + random_below(&random, 32 * MIB / PAGE_SIZE) * PAGE_SIZE;
		uint64_t value = 0;

		bad += aspace_fault(aspace, shared, true, false) != 0;
		bad += aspace_write(aspace, shared + 8 * self, &shared, 8) != 0;
		bad += aspace_read(aspace, &value, shared + 8 * self, 8) != 0 || value != shared;
		/* And each its own ones, coming and going. */
		bad += aspace_map(aspace, own, 4 * MIB, RW, ASPACE_FIXED) != (int64_t)own;
		bad += aspace_fault(aspace, own + MIB, true, false) != 0;
		bad += aspace_protect(aspace, own + MIB, PAGE_SIZE, ASPACE_READ) != 0;
		bad += aspace_fault(aspace, own + MIB, true, false) != -EACCES;
		bad += aspace_discard(aspace, own + 3 * PAGE_SIZE, MIB) != 0;
		if (i % 4 == 0)
			bad += aspace_unmap(aspace, own, 4 * MIB) != 0;
	}
	return (void *)bad;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];
	uint64_t bad = 0;

	begin();
	mmu_load(NULL); /* no translations are remembered: the CPUs of this test are real */
	map_at(AT, 32 * MIB, RW, 0);
	for (uint64_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, fault_thread, (void *)i);
	for (unsigned int i = 0; i < THREADS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		bad += (uint64_t)result;
	}
	mmu_load(aspace);
	ok(bad == 0, "four CPUs fault, map, protect and discard at the same time");
	ok(count_leaves(AT, AT + 32 * MIB, 1) == 16, "what two have faulted on came once");
	end("threads");
}

static void bench(void)
{
	enum { COUNT = 100000 };
	uint64_t start;

	begin();
	mmu_load(NULL);
	map_at(AT, 4 * GIB, RW, ASPACE_SMALL_PAGES);
	start = now_ns();
	for (unsigned int i = 0; i < COUNT; i++)
		aspace_fault(aspace, AT + (user_addr_t)i * 16 * PAGE_SIZE / 8, true, false);
	printf("# fault, small pages (8 in one come with 64 KiB, the host's faults included): %.0f ns\n",
	       (double)(now_ns() - start) / COUNT);
	start = now_ns();
	for (unsigned int i = 0; i < COUNT; i++)
		aspace_fault(aspace, AT + (user_addr_t)i * 16 * PAGE_SIZE / 8, true, false);
	printf("# fault, page is there already: %.0f ns\n", (double)(now_ns() - start) / COUNT);
	start = now_ns();
	aspace_unmap(aspace, AT, 4 * GIB);
	printf("# unmap, per small page: %.0f ns\n", (double)(now_ns() - start) / (COUNT * 2));
	for (unsigned int turn = 0; turn < 2; turn++) {
		map_at(AT, 256 * MIB, RW, 0);
		start = now_ns();
		for (unsigned int i = 0; i < 128; i++)
			aspace_fault(aspace, AT + i * LARGE_PAGE_SIZE, true, false);
		printf("# fault, 2 MiB page, clearing included%s: %.0f ns\n",
		       turn ? "" : " (with the host's faults)", (double)(now_ns() - start) / 128);
		aspace_unmap(aspace, AT, 256 * MIB);
	}
	start = now_ns();
	for (unsigned int i = 0; i < COUNT; i++) {
		int64_t at = aspace_map(aspace, 0, 4 * PAGE_SIZE, RW, 0);

		aspace_unmap(aspace, (user_addr_t)at, 4 * PAGE_SIZE);
	}
	printf("# map and unmap, untouched: %.0f ns\n", (double)(now_ns() - start) / COUNT);
	aspace_destroy(aspace);
}

int main(int argc, char **argv)
{
	physical_memory(MEMORY);
	page_add_range(0, MEMORY, 0, 21);
	if (is_bench(argc, argv)) {
		bench();
		return 0;
	}
	test_reservation();
	test_large();
	test_scarce();
	test_trim();
	test_split();
	test_brk();
	test_shared_page();
	test_remap();
	test_kernel_pages();
	test_shared();
	test_merge();
	test_outside();
	test_place();
	test_failures();
	test_many();
	test_threads();
	test_huge();
	return done();
}
