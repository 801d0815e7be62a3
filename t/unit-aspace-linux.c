/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same calls to an address space and to the Linux that runs this test: the same
 * answers, and the same memory mapped with the same rights afterwards. Programs are
 * written against Linux, so what it answers is right.
 */
#include <errno.h>
#include <sys/mman.h>

#include "unit-mm.h"
#include "unit-mmu.h"

#include "arch/user.h"
#include "mm/page.h"

#define MIB (1ull << 20)
#define WINDOW 0x200000000000ull
#define PAGES 2048u
#define WINDOW_END (WINDOW + PAGES * PAGE_SIZE)

static struct aspace *aspace;
static struct random dice;

/* Rights by page, + 8: mapped. */
static uint8_t ours[PAGES], linux_[PAGES];

static void note(user_addr_t start, user_addr_t end, unsigned int prot, void *arg)
{
	uint8_t *map = arg;

	for (start = max_u64(start, WINDOW); start < min_u64(end, WINDOW_END); start += PAGE_SIZE)
		map[(start - WINDOW) / PAGE_SIZE] = (uint8_t)(8 + prot);
}

static void read_linux(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long long start, end;
	char line[512], r, w, x;

	if (maps == NULL)
		bail_out("no /proc/self/maps");
	memset(linux_, 0, sizeof(linux_));
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%llx-%llx %c%c%c", &start, &end, &r, &w, &x) == 5)
			note(start, end, (r == 'r') | (w == 'w') * 2u | (x == 'x') * 4u, linux_);
	}
	fclose(maps);
}

static bool same_layout(void)
{
	memset(ours, 0, sizeof(ours));
	aspace_for_each(aspace, note, ours);
	read_linux();
	return memcmp(ours, linux_, sizeof(ours)) == 0;
}

static int64_t answer(void *result)
{
	return result == MAP_FAILED ? -errno : (int64_t)result;
}

static int64_t answer_int(int result)
{
	return result != 0 ? -errno : 0;
}

/*
 * Addresses and sizes. A fixed mapping or an unmapping of a valid range outside of
 * the window would hit this program itself, so what is huge is too huge.
 */
static user_addr_t some_address(void)
{
	user_addr_t at = WINDOW + random_below(&dice, PAGES) * PAGE_SIZE;

	if (random_below(&dice, 16) == 0)
		at += random_below(&dice, PAGE_SIZE);
	return at;
}

static uint64_t some_size(user_addr_t at)
{
	static const uint64_t strange[] = { 0, UINT64_MAX, UINT64_MAX - 4095, UINT64_MAX - 4096,
					    1ull << 63, USER_END, USER_END + 1, USER_END - 4096 };
	uint64_t left = WINDOW_END - at;

	if (random_below(&dice, 12) == 0)
		return strange[random_below(&dice, sizeof(strange) / sizeof(strange[0]))];
	return 1 + random_below(&dice, random_below(&dice, 2) && left > 65536 ? 65536 : left);
}

static bool outside(user_addr_t at, uint64_t size)
{
	return size > WINDOW_END - at;
}

struct call {
	const char *name;
	user_addr_t at;
	uint64_t size, more;
	unsigned int prot, flags;
	int64_t ours, linux_;
};

static void call_map(struct call *call)
{
	static const struct {
		unsigned int ours;
		int linux_;
	} kinds[] = { { ASPACE_FIXED, MAP_FIXED },
		      { ASPACE_FIXED_NOREPLACE, MAP_FIXED_NOREPLACE },
		      { 0, 0 } };
	unsigned int kind = (unsigned int)random_below(&dice, 3);

	call->name = kind == 0 ? "mmap FIXED" : kind == 1 ? "mmap NOREPLACE" : "mmap hint";
	call->prot = (unsigned int)random_below(&dice, 8);
	call->ours = aspace_map(aspace, call->at, call->size, call->prot, kinds[kind].ours);
	call->linux_ = answer(mmap((void *)call->at, call->size, (int)call->prot,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | kinds[kind].linux_,
				   -1, 0));
	/* Both may choose for themselves where the hint does not do. */
	if (kind == 2 && call->ours > 0 && call->linux_ > 0 && call->ours != call->linux_) {
		bool both = (user_addr_t)call->ours - WINDOW >= PAGES * PAGE_SIZE &&
			    (user_addr_t)call->linux_ - WINDOW >= PAGES * PAGE_SIZE;

		aspace_unmap(aspace, (user_addr_t)call->ours, call->size);
		munmap((void *)call->linux_, call->size);
		if (both)
			call->ours = call->linux_;
	}
}

static void call_unmap(struct call *call)
{
	call->name = "munmap";
	call->ours = aspace_unmap(aspace, call->at, call->size);
	call->linux_ = answer_int(munmap((void *)call->at, call->size));
}

/* Linux protects what is before a hole; an aspace does all or nothing. */
static void follow_linux(const struct call *call)
{
	user_addr_t end = call->at;

	if (call->at + align_up(call->size, PAGE_SIZE) <= call->at)
		return;
	read_linux();
	while (end < WINDOW_END && linux_[(end - WINDOW) / PAGE_SIZE] != 0)
		end += PAGE_SIZE;
	aspace_protect(aspace, call->at, end - call->at, call->prot);
}

static void call_protect(struct call *call)
{
	call->name = "mprotect";
	call->prot = (unsigned int)random_below(&dice, 8);
	call->ours = aspace_protect(aspace, call->at, call->size, call->prot);
	call->linux_ = answer_int(mprotect((void *)call->at, call->size, (int)call->prot));
	if (call->ours == -ENOMEM && call->linux_ == -ENOMEM)
		follow_linux(call);
}

static void call_discard(struct call *call)
{
	call->name = "madvise DONTNEED";
	/* Linux forgets all on the way to the end, this program too. */
	if (outside(call->at, call->size) && call->at + call->size > call->at)
		return;
	call->ours = aspace_discard(aspace, call->at, call->size);
	call->linux_ = answer_int(madvise((void *)call->at, call->size, MADV_DONTNEED));
}

static void call_remap(struct call *call)
{
	bool may_move = random_below(&dice, 2);

	call->name = may_move ? "mremap MAYMOVE" : "mremap";
	call->more = some_size(call->at);
	if (outside(call->at, call->more))
		return;
	call->ours = aspace_remap(aspace, call->at, call->size, call->more, may_move, 0);
	call->linux_ = answer(mremap((void *)call->at, call->size, call->more,
				     may_move ? MREMAP_MAYMOVE : 0));
	if (call->ours > 0 && call->linux_ > 0 && call->ours != call->linux_) {
		aspace_unmap(aspace, (user_addr_t)call->ours, call->more);
		munmap((void *)call->linux_, call->more);
		call->ours = call->linux_;
	}
}

static void test_random(uint64_t seed, unsigned int rounds)
{
	unsigned int wrong = 0, failed = 0;

	dice.state = seed;
	for (unsigned int i = 0; i < rounds && wrong < 3; i++) {
		struct call call = { .at = some_address() };

		call.size = some_size(call.at);
		/* A range that is valid but not all in the window: shorter, then. */
		if (outside(call.at, call.size) && call.size < USER_END - 4096)
			call.size = WINDOW_END - call.at;
		switch (random_below(&dice, 8)) {
		case 0:
		case 1:
		case 2:
			call_map(&call);
			break;
		case 3:
			call_unmap(&call);
			break;
		case 4:
		case 5:
			call_protect(&call);
			break;
		case 6:
			call_discard(&call);
			break;
		default:
			call_remap(&call);
		}
		failed += call.linux_ < 0;
		if (call.ours != call.linux_ || !same_layout()) {
			wrong++;
			printf("# call %u: %s(%llx, %llx, %llx, prot %u): ours %lld, Linux %lld%s\n", i,
			       call.name, (unsigned long long)call.at,
			       (unsigned long long)call.size, (unsigned long long)call.more,
			       call.prot, (long long)call.ours, (long long)call.linux_,
			       same_layout() ? "" : ", other layout");
		}
	}
	ok(wrong == 0 && same_layout(), "%u random calls, %u of them refused: Linux agrees", rounds,
	   failed);
}

/* Single cases that chance does not find. */
static void test_cases(void)
{
	static const struct {
		const char *name;
		user_addr_t at;
		uint64_t size;
		int flags;
	} cases[] = {
		{ "no size", WINDOW, 0, MAP_FIXED },
		{ "a size that wraps when rounded", WINDOW, UINT64_MAX - 5, MAP_FIXED },
		{ "an odd fixed address", WINDOW + 5, 4096, MAP_FIXED },
		{ "the last page", USER_END - 4096, 4096, MAP_FIXED_NOREPLACE },
		{ "a page beyond the last", USER_END, 4096, MAP_FIXED },
		{ "a page over the end", USER_END - 4096, 8192, MAP_FIXED },
		{ "the kernel's half", 0xffff800000000000, 4096, MAP_FIXED },
		{ "a hint beyond the end", USER_END + 4096, 4096, 0 },
		{ "a hint in the kernel's half", 0xffff800000000000, 4096, 0 },
		{ "all of user space", 0, USER_END, 0 },
		{ "more than user space", 0, USER_END + 4096, 0 },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned int flags = cases[i].flags == MAP_FIXED ? ASPACE_FIXED : 0;
		int64_t mine, theirs;

		if (cases[i].flags == MAP_FIXED_NOREPLACE)
			flags = ASPACE_FIXED_NOREPLACE;
		mine = aspace_map(aspace, cases[i].at, cases[i].size, 3, flags);
		theirs = answer(mmap((void *)cases[i].at, cases[i].size, 3,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | cases[i].flags, -1,
				     0));
		if (!ok(mine == theirs || (cases[i].flags == 0 && mine > 0 && theirs > 0),
			"mmap of %s", cases[i].name))
			printf("# ours %lld, Linux %lld\n", (long long)mine, (long long)theirs);
		if (mine > 0)
			aspace_unmap(aspace, (user_addr_t)mine, cases[i].size);
		if (theirs > 0)
			munmap((void *)theirs, cases[i].size);
	}
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 7;
	unsigned int rounds = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 0) : 6000;

	physical_memory(256 * MIB);
	page_add_range(0, 256 * MIB, 0, 21);
	aspace = aspace_create(0);
	mmu_load(aspace);
	read_linux();
	for (unsigned int i = 0; i < PAGES; i++) {
		if (linux_[i] != 0)
			bail_out("the window is in use on this machine");
	}
	test_cases();
	for (unsigned int i = 0; i < 3; i++)
		test_random(seed + i, rounds);
	return done();
}
