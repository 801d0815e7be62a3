/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address spaces against a model that knows each byte: random mmap, munmap, mprotect,
 * madvise, mremap, brk and accesses from four CPUs, in turns with memory in plenty,
 * short, and failing at some allocation. After an error nothing may have changed.
 */
#include <sys/mman.h>

#include "unit-mm.h"
#include "unit-mmu.h"

#include "arch/user.h"
#include "lib/errno.h"
#include "mm/page.h"

#define MIB (1ull << 20)
#define WINDOW (48 * MIB)
#define WINDOW_PAGES (WINDOW / PAGE_SIZE)
#define MEMORY (160 * MIB)

/* One where fixed addresses are, brk too; one where addresses are chosen (aspace_seed(0)). */
static const user_addr_t windows[2] = { 0x40000000, USER_END - (64ull << 30) - WINDOW };
#define BRK_START (windows[0] + 20 * MIB + 5 * PAGE_SIZE)

struct page {
	bool mapped;
	uint8_t prot;
	uint8_t kind; /* flags that keep regions apart */
};

static struct page pages[2][WINDOW_PAGES];
static uint8_t *bytes[2];
static user_addr_t brk_now;
static struct aspace *aspace;
static struct random dice;

static bool in_window(user_addr_t address, uint64_t size, unsigned int *w)
{
	for (*w = 0; *w < 2; (*w)++) {
		if (address >= windows[*w] && size <= WINDOW &&
		    address - windows[*w] <= WINDOW - size)
			return true;
	}
	return false;
}

static struct page *page_of(user_addr_t address)
{
	unsigned int w;

	if (!in_window(address, 1, &w))
		return NULL;
	return &pages[w][(address - windows[w]) / PAGE_SIZE];
}

static uint8_t *byte_of(user_addr_t address)
{
	unsigned int w;

	return in_window(address, 1, &w) ? bytes[w] + (address - windows[w]) : NULL;
}

static bool is_mapped(user_addr_t address)
{
	const struct page *page = page_of(address);

	return page != NULL && page->mapped;
}

static bool any_mapped(user_addr_t start, user_addr_t end)
{
	for (; start < end; start += PAGE_SIZE) {
		if (is_mapped(start))
			return true;
	}
	return false;
}

static bool all_mapped(user_addr_t start, user_addr_t end)
{
	for (; start < end; start += PAGE_SIZE) {
		if (!is_mapped(start))
			return false;
	}
	return true;
}

static bool alike(user_addr_t a, user_addr_t b)
{
	return is_mapped(a) && is_mapped(b) && page_of(a)->prot == page_of(b)->prot &&
	       page_of(a)->kind == page_of(b)->kind;
}

static void set_pages(user_addr_t start, user_addr_t end, bool mapped, unsigned int prot,
		      unsigned int kind)
{
	for (; start < end; start += PAGE_SIZE) {
		*page_of(start) = (struct page){ mapped, (uint8_t)prot, (uint8_t)kind };
		memset(byte_of(start), 0, PAGE_SIZE);
	}
}

/* ---- what is tried ---- */

static user_addr_t some_address(void)
{
	return windows[random_below(&dice, 2)] + random_below(&dice, WINDOW_PAGES) * PAGE_SIZE;
}

static uint64_t some_size(void)
{
	uint64_t roll = random_below(&dice, 100);

	if (roll < 40)
		return (1 + random_below(&dice, 8)) * PAGE_SIZE;
	if (roll < 70)
		return (1 + random_below(&dice, 600)) * PAGE_SIZE;
	if (roll < 85)
		return (1 + random_below(&dice, 4)) * LARGE_PAGE_SIZE;
	return (1 + random_below(&dice, 3000)) * PAGE_SIZE;
}

/* Often at the bound of a large page, where it is interesting. */
static user_addr_t some_place(uint64_t size)
{
	user_addr_t at = some_address();
	unsigned int w;

	if (random_below(&dice, 3) == 0)
		at &= ~(LARGE_PAGE_SIZE - 1);
	while (!in_window(at, size, &w))
		at = some_address();
	return at;
}

static unsigned int some_prot(void)
{
	static const unsigned int likely_ones[] = { 3, 3, 3, 1, 0, 5, 7, 2, 4 };

	return likely_ones[random_below(&dice, sizeof(likely_ones) / sizeof(likely_ones[0]))];
}

/* Is ERROR the lack of memory that the test has made? */
static bool is_shortage(int64_t error)
{
	return error == -ENOMEM &&
	       (allocations_left == 0 || page_free_bytes() < 16 * PAGE_SIZE);
}

/* To populate it failed. What was there before is gone if the mapping had been made. */
static void map_failed(user_addr_t at, uint64_t size)
{
	char byte;

	for (user_addr_t a = at; a < at + size; a += PAGE_SIZE) {
		if (is_mapped(a) && aspace_read(aspace, &byte, a, 1) == -EFAULT) {
			set_pages(at, at + size, false, 0, 0);
			return;
		}
	}
}

/* The highest free place for SIZE below where mappings begin; 0: not in the window. */
static user_addr_t highest_place(uint64_t size)
{
	user_addr_t end = windows[1] + WINDOW, at = end;

	while (at > windows[1]) {
		at -= PAGE_SIZE;
		if (is_mapped(at))
			end = at;
		else if (end - at == size)
			return at;
	}
	return 0;
}

/* A mapping that went beyond what the model knows. */
static const char *unmap_far(user_addr_t at, uint64_t size)
{
	allocations_left = UINT64_MAX;
	return aspace_unmap(aspace, at, size) == 0 ? NULL : "unmap of a far place";
}

static const char *try_map(void)
{
	static const unsigned int kinds[] = { 0, 0, 0, ASPACE_SHARED, ASPACE_GROWS_DOWN,
					      ASPACE_SMALL_PAGES };
	uint64_t size = some_size();
	user_addr_t at = some_place(size);
	unsigned int prot = some_prot(), kind = kinds[random_below(&dice, 6)], flags = kind, w;
	uint64_t roll = random_below(&dice, 4);
	bool populate = random_below(&dice, 8) == 0;
	uint64_t odd = random_below(&dice, 2) * random_below(&dice, PAGE_SIZE);
	user_addr_t highest = highest_place(size);
	int64_t got;

	if (populate)
		flags |= ASPACE_POPULATE;
	if (roll == 0)
		flags |= ASPACE_FIXED;
	else if (roll == 1)
		flags |= ASPACE_FIXED_NOREPLACE;
	else if (roll == 2)
		at = 0;
	if (kind == ASPACE_GROWS_DOWN && roll >= 2)
		flags |= ASPACE_FIXED; /* else it goes far up */
	if (at == 0 && (flags & ASPACE_FIXED))
		at = some_place(size);
	got = aspace_map(aspace, at, size - odd, prot, flags);
	if ((flags & ASPACE_FIXED_NOREPLACE) && any_mapped(at, at + size))
		return got == -EEXIST || is_shortage(got) ? NULL : "map over something: not EEXIST";
	if (is_shortage(got) ||
	    (got == -ENOMEM && populate && size + MIB > page_free_bytes())) {
		if (populate && (flags & ASPACE_FIXED))
			map_failed(at, size);
		return NULL;
	}
	if (got < 0)
		return "map failed";
	if ((flags & (ASPACE_FIXED | ASPACE_FIXED_NOREPLACE)) && got != (int64_t)at)
		return "map fixed went elsewhere";
	if (at != 0 && !(flags & ASPACE_FIXED) && !any_mapped(at, at + size) && got != (int64_t)at)
		return "map did not take a good hint";
	if (at == 0 && highest != 0 && size % LARGE_PAGE_SIZE != 0 && got != (int64_t)highest)
		return "map did not choose the highest place";
	if (!in_window((user_addr_t)got, size, &w))
		return unmap_far((user_addr_t)got, size);
	if (!(flags & ASPACE_FIXED) && any_mapped((user_addr_t)got, (user_addr_t)got + size))
		return "map chose a place that is not free";
	set_pages((user_addr_t)got, (user_addr_t)got + size, true, prot, kind);
	for (uint64_t i = 0; populate && prot != 0 && i < size; i += PAGE_SIZE) {
		if (mmu_level((user_addr_t)got + i) < 0)
			return "populated memory has no pages";
	}
	return NULL;
}

static const char *try_unmap(void)
{
	uint64_t size = some_size();
	user_addr_t at = some_place(size);
	int got = aspace_unmap(aspace, at, size - random_below(&dice, PAGE_SIZE));

	if (is_shortage(got))
		return NULL;
	if (got != 0)
		return "unmap failed";
	set_pages(at, at + size, false, 0, 0);
	return NULL;
}

static const char *try_protect(void)
{
	uint64_t size = some_size();
	user_addr_t at = some_place(size);
	unsigned int prot = some_prot();
	int got;

	got = aspace_protect(aspace, at, size - random_below(&dice, PAGE_SIZE), prot);
	if (is_shortage(got))
		return NULL;
	if (!all_mapped(at, at + size))
		return got == -ENOMEM ? NULL : "protect over a hole: not ENOMEM";
	if (got != 0)
		return "protect failed";
	for (user_addr_t a = at; a < at + size; a += PAGE_SIZE)
		page_of(a)->prot = (uint8_t)prot;
	return NULL;
}

static const char *try_discard(void)
{
	uint64_t size = some_size();
	user_addr_t at = some_place(size);
	int got = aspace_discard(aspace, at, size);

	if (got != (all_mapped(at, at + size) ? 0 : -ENOMEM))
		return "discard: wrong answer";
	for (user_addr_t a = at; a < at + size; a += PAGE_SIZE) {
		if (is_mapped(a) && page_of(a)->kind != ASPACE_SHARED)
			memset(byte_of(a), 0, PAGE_SIZE);
	}
	return NULL;
}

/* Something that is mapped, if there is any. */
static user_addr_t some_mapped(void)
{
	user_addr_t at = some_address();

	for (unsigned int i = 0; i < 200 && !is_mapped(at); i++)
		at = some_address();
	return at;
}

static const char *moved(user_addr_t from, uint64_t old_size, user_addr_t to, uint64_t new_size)
{
	struct page page = *page_of(from);
	uint8_t *contents = malloc(old_size);
	unsigned int w;

	memcpy(contents, byte_of(from), old_size);
	set_pages(from, from + old_size, false, 0, 0);
	if (!in_window(to, new_size, &w)) {
		free(contents);
		return unmap_far(to, new_size);
	}
	if (any_mapped(to, to + new_size))
		return "remap chose a place that is not free";
	set_pages(to, to + new_size, true, page.prot, page.kind);
	memcpy(byte_of(to), contents, old_size);
	free(contents);
	return NULL;
}

static const char *try_remap(void)
{
	uint64_t old_size = some_size(), new_size = some_size();
	user_addr_t from = some_mapped(), end;
	bool may_move = random_below(&dice, 2), one_region = true, in_place;
	unsigned int w;
	int64_t got;

	if (!in_window(from, old_size, &w) || !in_window(from, new_size, &w))
		return NULL;
	end = from + old_size;
	got = aspace_remap(aspace, from, old_size, new_size, may_move, 0);
	if (is_shortage(got))
		return NULL;
	if (!is_mapped(from))
		return got == -EFAULT ? NULL : "remap of nothing: not EFAULT";
	if (new_size <= old_size) {
		if (got != (int64_t)from)
			return "remap to less failed";
		set_pages(from + new_size, end, false, 0, 0);
		return NULL;
	}
	for (user_addr_t a = from; a < end; a += PAGE_SIZE)
		one_region &= alike(from, a);
	if (!one_region)
		return got == -EFAULT ? NULL : "remap of several regions: not EFAULT";
	in_place = !any_mapped(end, from + new_size);
	if (in_place) {
		if (got != (int64_t)from)
			return "remap did not grow in place";
		set_pages(end, from + new_size, true, page_of(from)->prot, page_of(from)->kind);
		return NULL;
	}
	if (!may_move)
		return got == -ENOMEM ? NULL : "remap without a place: not ENOMEM";
	return got < 0 ? "remap failed" : moved(from, old_size, (user_addr_t)got, new_size);
}

static user_addr_t round_up(user_addr_t address)
{
	return (address + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

static const char *try_brk(void)
{
	user_addr_t to = brk_now + random_below(&dice, 600000), got;
	user_addr_t old_end = round_up(brk_now), new_end;

	if (random_below(&dice, 3) == 0)
		to = brk_now - random_below(&dice, 900000);
	if (random_below(&dice, 20) == 0)
		to = BRK_START + random_below(&dice, 10 * MIB);
	new_end = round_up(to);
	got = aspace_brk(aspace, to);
	if (got != to && (to < BRK_START || any_mapped(old_end, new_end) || is_shortage(-ENOMEM)))
		return got == brk_now ? NULL : "a brk that cannot be is not refused";
	if (got != to || to < BRK_START)
		return "brk failed";
	brk_now = to;
	if (new_end > old_end) {
		set_pages(old_end, new_end, true, 3, 0);
		/* As malloc() uses it, so that large pages have a chance. */
		for (user_addr_t a = old_end; a < new_end && random_below(&dice, 40) != 0;
		     a += PAGE_SIZE)
			if (mmu_do(0, MMU_WRITE, a, byte_of(a), 1) != 0)
				break;
	} else {
		set_pages(new_end, old_end, false, 0, 0);
	}
	return NULL;
}

static bool is_allowed(user_addr_t address, enum mmu_access access)
{
	static const unsigned int needed[] = { 7, ASPACE_WRITE, ASPACE_EXEC };

	return (page_of(address)->prot & needed[access]) != 0;
}

static const char *try_access(void)
{
	static uint8_t buffer[40000];
	enum mmu_access access = (enum mmu_access)random_below(&dice, 3);
	user_addr_t at = some_mapped() + random_below(&dice, PAGE_SIZE);
	uint64_t size = 1 + random_below(&dice, random_below(&dice, 8) == 0 ? 40000 : 100);
	unsigned int w, cpu = (unsigned int)random_below(&dice, MMU_CPUS);
	user_addr_t a;
	int expected = 0, got;

	if (!in_window(at, size, &w))
		return NULL;
	for (uint64_t i = 0; i < size; i++)
		buffer[i] = (uint8_t)random_next(&dice);
	got = mmu_do(cpu, access, at, buffer, size);
	for (a = at; a < at + size; a = (a & ~(PAGE_SIZE - 1)) + PAGE_SIZE) {
		uint64_t piece = PAGE_SIZE - a % PAGE_SIZE, left = at + size - a;

		piece = piece < left ? piece : left;
		if (!is_mapped(a))
			expected = -EFAULT;
		else if (!is_allowed(a, access))
			expected = -EACCES;
		if (expected)
			break;
		/* Where memory ran out on the way, what was done is not known. */
		if (got == -ENOMEM && access == MMU_WRITE)
			aspace_read(aspace, byte_of(a), a, piece);
		else if (access == MMU_WRITE)
			memcpy(byte_of(a), buffer + (a - at), piece);
		else if (got == 0 && access == MMU_READ &&
			 memcmp(byte_of(a), buffer + (a - at), piece) != 0)
			return "a program reads what nobody has written there";
	}
	if (is_shortage(got))
		return NULL;
	if (expected == -EFAULT && got == -EACCES)
		return "a hole is not reported as one";
	return got == expected ? NULL : "an access ends otherwise than it should";
}

static const char *try_copy(void)
{
	static uint8_t buffer[100000], before[100000];
	user_addr_t at = some_mapped() + random_below(&dice, PAGE_SIZE);
	uint64_t size = 1 + random_below(&dice, 100000), held = 0;
	bool write = random_below(&dice, 2), clear = random_below(&dice, 4) == 0;
	unsigned int w;
	int got;

	if (!in_window(at, size, &w))
		return NULL;
	while (held < size && is_mapped(at + held))
		held += PAGE_SIZE - (at + held) % PAGE_SIZE;
	held = held < size ? held : size;
	memcpy(before, byte_of(at), size);
	if (!write) {
		uint64_t free_before = page_free_bytes();

		got = aspace_read(aspace, buffer, at, size);
		if (page_free_bytes() != free_before)
			return "reading from outside took memory";
		if (memcmp(buffer, before, held) != 0)
			return "reading from outside gives other bytes";
		return got == (held == size ? 0 : -EFAULT) ? NULL : "read: wrong answer";
	}
	for (uint64_t i = 0; i < size; i++)
		buffer[i] = clear ? 0 : (uint8_t)(i * 7 + at);
	got = aspace_write(aspace, at, clear ? NULL : buffer, size);
	if (got == -ENOMEM) {
		aspace_read(aspace, byte_of(at), at, held);
		return is_shortage(got) ? NULL : "write: no memory";
	}
	memcpy(byte_of(at), buffer, held);
	return got == (held == size ? 0 : -EFAULT) ? NULL : "write: wrong answer";
}

static const char *try_identify(void)
{
	user_addr_t at = some_mapped() + random_below(&dice, PAGE_SIZE);
	uint64_t object = 1, place = 0;
	int got = aspace_identify(aspace, at, &object, &place);

	if (!is_mapped(at) || !is_allowed(at, MMU_READ))
		return got == -EFAULT ? NULL : "identify: not EFAULT";
	return got == 0 && object == 0 && place == at ? NULL : "identify: wrong answer";
}

static const char *try_something(unsigned int *what)
{
	static const char *(*const tries[])(void) = {
		try_map,   try_map,  try_unmap,	 try_protect, try_discard, try_remap,
		try_remap, try_brk,  try_brk,	 try_access,  try_access,  try_access,
		try_access, try_copy, try_identify,
	};

	*what = (unsigned int)random_below(&dice, sizeof(tries) / sizeof(tries[0]));
	return tries[*what]();
}

/* ---- and what must be true ---- */

static unsigned int region_number;
static const char *region_wrong;

static user_addr_t next_region(user_addr_t after)
{
	for (unsigned int w = 0; w < 2; w++) {
		user_addr_t at = after > windows[w] ? after : windows[w];

		for (; at < windows[w] + WINDOW; at += PAGE_SIZE) {
			if (is_mapped(at))
				return at;
		}
	}
	return 0;
}

static user_addr_t expected_at;

static void compare_region(user_addr_t start, user_addr_t end, unsigned int prot, void *arg)
{
	user_addr_t model = next_region(expected_at), model_end = model + PAGE_SIZE;

	(void)arg;
	while (model != 0 && alike(model, model_end))
		model_end += PAGE_SIZE;
	if (model == 0 || start != model || end != model_end || prot != page_of(start)->prot)
		region_wrong = "regions are not those of the model";
	expected_at = end;
	region_number++;
}

static const char *check_regions(void)
{
	region_wrong = NULL;
	expected_at = 0;
	region_number = 0;
	aspace_for_each(aspace, compare_region, NULL);
	if (region_wrong == NULL && next_region(expected_at) != 0)
		return "a region of the model is not there";
	return region_wrong;
}

static const char *check_bytes(void)
{
	static uint8_t buffer[PAGE_SIZE];

	for (unsigned int w = 0; w < 2; w++) {
		for (uint64_t i = 0; i < WINDOW_PAGES; i++) {
			user_addr_t at = windows[w] + i * PAGE_SIZE;

			if (!pages[w][i].mapped)
				continue;
			if (aspace_read(aspace, buffer, at, PAGE_SIZE) != 0 ||
			    memcmp(buffer, byte_of(at), PAGE_SIZE) != 0)
				return "memory has other bytes than the model";
		}
	}
	return NULL;
}

enum mode { PLENTY, SHORT, FAILING, MODES };

static void run(uint64_t seed, enum mode mode, unsigned int rounds)
{
	static const char *const names[] = { "memory in plenty", "memory short",
					     "memory failing at some allocation" };
	uint64_t free_before = page_free_bytes(), hostages = 0, faults = mmu_faults;
	static phys_addr_t hostage[MEMORY / PAGE_SIZE];
	unsigned int larges = 0, i, what = 0;
	const char *wrong = NULL;

	mmu_empty_tables_allowed = mode == FAILING;
	dice.state = seed * 0x9e3779b97f4a7c15u + 1;
	for (unsigned int w = 0; w < 2; w++) {
		memset(pages[w], 0, sizeof(pages[w]));
		bytes[w] = mmap(NULL, WINDOW, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				-1, 0);
	}
	aspace = aspace_create(0);
	aspace_seed(aspace, 0);
	mmu_load(aspace);
	aspace_set_brk(aspace, BRK_START);
	brk_now = BRK_START;
	while (mode == SHORT && page_free_bytes() > page_total() / 16 + 6 * MIB)
		hostage[hostages++] = page_alloc(0, 0, 0);
	mmu_other_bytes = hostages * PAGE_SIZE;
	for (i = 0; i < rounds && wrong == NULL; i++) {
		if (mode == FAILING)
			allocations_left = random_below(&dice, 2) ? random_below(&dice, 6) : UINT64_MAX;
		wrong = try_something(&what);
		if (wrong == NULL && i % 16 == 0)
			wrong = mmu_audit();
		allocations_left = UINT64_MAX;
		if (wrong == NULL && i % 64 == 0)
			wrong = check_regions();
		if (wrong == NULL && i % 512 == 0)
			wrong = check_bytes();
		larges += i % 16 == 0 && mmu_level(some_mapped()) == 1;
	}
	ok(wrong == NULL, "%u random calls and accesses, %s%s (seed %llu)", rounds, names[mode],
	   mmu_isolated ? ", page tables isolated" : "", (unsigned long long)seed);
	if (wrong != NULL)
		printf("# after %u, kind %u: %s\n", i, what, wrong);
	printf("# %llu faults, %u regions at the end, large pages in %u of %u looks\n",
	       (unsigned long long)(mmu_faults - faults), region_number, larges, rounds / 16);
	mmu_load(NULL);
	aspace_destroy(aspace);
	while (hostages > 0)
		page_free(hostage[--hostages], 0);
	mmu_other_bytes = 0;
	ok(page_free_bytes() == free_before && heap_objects == 0,
	   "the end of the address space gives all back");
	for (unsigned int w = 0; w < 2; w++)
		munmap(bytes[w], WINDOW);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	unsigned int rounds = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 0) : 6000;

	physical_memory(MEMORY);
	page_add_range(0, MEMORY, 0, 21);
	for (unsigned int mode = 0; mode < MODES; mode++) {
		mmu_isolated = false;
		run(seed + mode, (enum mode)mode, rounds);
		mmu_isolated = true;
		run(seed + mode, (enum mode)mode, rounds / 4);
	}
	return done();
}
