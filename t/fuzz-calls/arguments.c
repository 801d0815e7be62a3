/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "../chance.h"
#include "fuzz.h"

#define PAGE 4096ul
#define SOUND (1ul << 20)      /* bytes: where most pointers go */
#define SHAKY (16 * PAGE)      /* behind it: comes and goes */
#define LOST (64ul << 20)      /* bytes that calls may map, unmap and move */
#define FILE_MOST (1ul << 20)  /* bytes: where files are written at most, or absurdly far */

/*
 * Far from the program's own memory: calls change parts of the pointers that lie in
 * memory, and what they point at then shall not be the program's.
 */
#define SOUND_AT ((void *)0x100000000000ul)
#define LOST_AT ((void *)0x200000000000ul)
#define CONSTANT_AT ((void *)0x300000000000ul)

static uint8_t *sound, *shaky, *lost;
static uint8_t *constant;

/*
 * What no program has. The first of them may be in memory, and so come back from a call:
 * none is where looks_like_kernel() looks.
 */
#define TOLD 4u
static const uint64_t kernel[] = {
	0x800000000000ul,     0x7ffffffff000ul,	    0xffff9f0000000000ul, 0xffff888800000000ul,
	0xffffffff80000000ul, 0xffffffff80001000ul, 0xffffffffc0000000ul, 0xfffffffffffff000ul,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

bool memory_make(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	const int there = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;

	/*
	 * A page that is closed is behind each of them: else a write would go on into what
	 * lies there, the C library maybe, and a read bring its code into the sound part.
	 */
	sound = mmap(SOUND_AT, SOUND + SHAKY + PAGE, PROT_NONE, there, -1, 0);
	lost = mmap(LOST_AT, LOST + PAGE, PROT_NONE, there | MAP_NORESERVE, -1, 0);
	constant = mmap(CONSTANT_AT, 2 * PAGE, PROT_NONE, there, -1, 0);
	if (sound == MAP_FAILED || lost == MAP_FAILED || constant == MAP_FAILED)
		return false;
	shaky = sound + SOUND;
	return mprotect(sound, SOUND + SHAKY, rw) == 0 && mprotect(lost, LOST, rw) == 0 &&
	       mprotect(constant, PAGE, PROT_READ) == 0;
}

static void *pointer(void)
{
	uint64_t at;

	switch (below(16)) {
	case 0:
		return (void *)kernel[below(COUNT(kernel))];
	case 1:
		return NULL;
	case 2:
		return (void *)(constant + 8 * below(PAGE / 8));
	case 3:
		return shaky + 8 * below(SHAKY / 8);
	case 4: /* half of it is behind the end */
		return shaky + SHAKY - below(64);
	case 5:
		return sound + below(SOUND);
	default:
		at = below(SOUND / 64) * 64ul;
		return sound + at;
	}
}

/* For structures in memory. */
static void *told_pointer(void)
{
	return one_in(16) ? (void *)kernel[below(TOLD)] : sound + below(SOUND);
}

static const char *path(void)
{
	static char far[5000];
	static const char *const names[] = {
		"f0", "f1", "f2", "f3", "d0", "d0/f0", "d1", "l0", "", ".", "..", "/", "/dev/null",
		"/dev/zero", "/dev/shm/f0", "/dev/shm", "/proc/self/maps", "/proc/self", "/proc/cpuinfo",
		"/sys/devices/system/cpu/online", "/sys/devices/system/node", "/proc/self/fd/1",
		"/nowhere/at/all", "user.f0", far,
	};

	if (far[0] == 0)
		memset(far, 'x', sizeof(far) - 1);
	if (one_in(12))
		return pointer();
	return names[below(one_in(4) ? COUNT(names) : 8)];
}

static uint64_t flags(void)
{
	uint64_t bits = 0;

	if (one_in(8))
		return odd_number();
	for (unsigned int i = below(4); i > 0; i--)
		bits |= 1ul << below(one_in(4) ? 32 : 14);
	return bits;
}

/* Lengths of files are paid for by the node: small, or refused. */
static uint64_t offset(void)
{
	switch (below(8)) {
	case 0:
		return (uint64_t)LONG_MIN + below(2);
	case 1:
		return (uint64_t)LONG_MAX - below(3) * PAGE;
	case 2:
		return -(uint64_t)below(5);
	default:
		return below(FILE_MOST);
	}
}

/* Not those that end a program whatever it wants, of its own faults, or of its C library. */
static uint64_t signal_number(void)
{
	static const uint64_t odd[] = { 0, 65, 64, 34, ~0ull, 1ull << 32, 100 };
	static const uint8_t mild[] = {
		SIGHUP, SIGINT, SIGUSR2, SIGALRM, SIGCHLD, SIGCONT, SIGTTIN, SIGURG, SIGIO, SIGWINCH,
		SIGPIPE, 50, 63,
	};

	return one_in(4) ? odd[below(COUNT(odd))] : mild[below(COUNT(mild))];
}

/* Itself, or nobody: other programs are not its own to harm. */
static uint64_t process(void)
{
	static const int nobody[] = { INT_MAX, INT_MIN, -INT_MAX, 0x7ffffff0 };

	switch (below(4)) {
	case 0:
		return (uint64_t)(int64_t)nobody[below(COUNT(nobody))];
	case 1:
		return (uint64_t)getpid();
	default:
		return (uint64_t)syscall(SYS_gettid);
	}
}

static void *mask(void)
{
	/* Of signals that nobody waits for: the watch must get through */
	static const uint64_t some[] = { 0, 0xffull << 40, 1ull << 45 };

	return one_in(6) ? (void *)kernel[below(COUNT(kernel))] : (void *)&some[below(COUNT(some))];
}

static void *timespec(void)
{
	static const struct timespec some[] = {
		{ 0, 0 }, { 0, 1 }, { 0, 100000 }, { 0, 2000000 }, { 0, 999999999 }, { 0, 1000000000 },
		{ -1, 0 }, { 0, -1 }, { LONG_MAX, 0 }, { 1, 0 },
	};

	return one_in(6) ? pointer() : (void *)&some[below(one_in(4) ? COUNT(some) : 4)];
}

/* Never what looks_like_kernel() looks for. */
static uint64_t odd_length(void)
{
	return odd_number() & ~(1ull << 62);
}

/* The words of the sound part are rewritten by other threads while they are used. */
static void *vector(void)
{
	struct iovec *parts = (struct iovec *)(sound + below(SOUND / 4096) * 4096ul);

	for (unsigned int i = 0; i < 8; i++) {
		parts[i].iov_base = told_pointer();
		parts[i].iov_len = one_in(8) ? odd_length() : below(4096);
	}
	return parts;
}

static void *message(void)
{
	struct msghdr *header = (struct msghdr *)(sound + below(SOUND / 4096) * 4096ul);

	*header = (struct msghdr){
		.msg_name = told_pointer(),
		.msg_namelen = one_in(2) ? 0 : (socklen_t)odd_number(),
		.msg_iov = one_in(8) ? told_pointer() : vector(),
		.msg_iovlen = one_in(8) ? odd_length() : below(8),
		.msg_control = told_pointer(),
		.msg_controllen = one_in(4) ? odd_length() : below(256),
	};
	return one_in(8) ? pointer() : header;
}

/* Of memory that may be lost, or where there is none, or whose end wraps around. */
static void lost_range(uint64_t argument[2])
{
	uint64_t from = below(LOST / PAGE) * PAGE;

	switch (below(8)) {
	case 0:
		argument[0] = kernel[below(COUNT(kernel))];
		argument[1] = odd_number();
		break;
	case 1:
		argument[0] = (uint64_t)lost + from + 1 + below(PAGE - 1);
		argument[1] = below(PAGE);
		break;
	case 2:
		argument[0] = (uint64_t)lost + from;
		argument[1] = -argument[0] - below(3) * PAGE;
		break;
	default:
		argument[0] = (uint64_t)lost + from;
		argument[1] = below((uint32_t)(LOST - from < 4ul << 20 ? LOST - from : 4ul << 20));
	}
}

/* Never one of the standard streams. */
static uint64_t descriptor(void)
{
	uint64_t fd = one_in(8) ? odd_number() : one_in(16) ? (uint64_t)-100 : 3 + below(40);

	return (uint32_t)fd < 3 ? fd + 3 : fd;
}

/* A timer may send SIGKILL too, so no rubbish. */
static void *event(void)
{
	static const struct sigevent some[] = {
		{ .sigev_notify = SIGEV_NONE }, { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 },
		{ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65 }, { .sigev_notify = 77 },
		{ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = 0 }, { .sigev_notify = SIGEV_THREAD_ID },
	};

	return one_in(6) ? (void *)kernel[below(COUNT(kernel))] : (void *)&some[below(COUNT(some))];
}

static uint64_t one_argument(char letter)
{
	static const uint64_t codes[] = { 0x1001, 0x1004, 0x1011, 0x1012, 0x3001, ~0ul };
	static const uint64_t options[] = { 1, 2, 3, 4, 8, 15, 16, 22, 23, 29, 30, 36, 38, 39, ~0ul };
	static const int changeable[] = { 40, 41, 42, 43, SIGKILL, SIGSTOP, 0, 65, -1 };

	switch (letter) {
	case 'd':
		return descriptor();
	case 'e':
		return (uint64_t)event();
	case 'E':
		return 3 + below(20);
	case 'b':
		return (uint64_t)pointer();
	case 'n':
		return one_in(6) ? odd_number() : below(one_in(4) ? 300000 : 4096);
	case 's':
		return (uint64_t)path();
	case 'i':
		return odd_number();
	case 'f':
		return flags();
	case 'c':
	case 'V':
		return one_in(12) ? odd_number() : below(one_in(4) ? 64 : 8);
	case 'o':
		return offset();
	case 'g':
		return signal_number();
	case 'G':
		return (uint64_t)changeable[below(COUNT(changeable))];
	case 'p':
		return process();
	case 'm':
		return (uint64_t)mask();
	case 't':
		return (uint64_t)timespec();
	case 'k':
		return one_in(8) ? odd_number() : below(5);
	case 'v':
		return (uint64_t)(one_in(8) ? pointer() : vector());
	case 'M':
		return (uint64_t)message();
	case 'S':
		return one_in(6) ? odd_number() | 1ull << 47 : below(1u << 20);
	case 'a':
		return (uint64_t)lost + below(LOST / 2 / PAGE) * PAGE;
	case 'r':
		return below(7);
	case 'L':
		return codes[below(COUNT(codes))];
	case 'P':
		return options[below(COUNT(options))];
	case 'B':
		return one_in(2) ? 0 : kernel[below(COUNT(kernel))];
	default:
		return 0;
	}
}

void make_arguments(const char *letters, uint64_t arguments[6])
{
	unsigned int at = 0;

	for (; *letters != 0 && at < 6; letters++) {
		if (*letters == 'A') {
			lost_range(arguments + at);
			at += 2;
		} else {
			arguments[at++] = one_argument(*letters);
		}
	}
	/* What nobody asked for may be anything */
	while (at < 6)
		arguments[at++] = roll();
}

void memory_fill(void)
{
	for (unsigned int i = 0; i < 256; i++) {
		uint64_t *word = (uint64_t *)sound + below(SOUND / 8);

		*word = one_in(16) ? kernel[below(TOLD)] :
			one_in(8)  ? (uint64_t)sound + below(SOUND) :
			one_in(2)  ? below(64) :
				     roll() >> 33;
	}
}

void memory_change(void)
{
	const int rw = PROT_READ | PROT_WRITE;

	switch (below(3)) {
	case 0:
		munmap(shaky, SHAKY / 2);
		break;
	case 1:
		mprotect(shaky, SHAKY, PROT_READ);
		break;
	default:
		mmap(shaky, SHAKY, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		mmap(lost + below(LOST / PAGE) * PAGE, PAGE, rw,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	}
}

void memory_drop(uint64_t at, uint64_t size)
{
	if (at - (uint64_t)lost >= LOST)
		munmap((void *)at, size);
}

/*
 * Where the co-kernel is (cokernel.lds, arch/stack.h, mm/direct.h): its image, as many
 * stacks as there can be threads, and its map of a node's memory. No wider: a negative int
 * as a long is near to them, and so may parts of numbers be that came together.
 */
static bool looks_like_kernel(uint64_t word)
{
	static const struct {
		uint64_t from, size;
	} places[] = {
		{ 0xffffffff80000000ul, 2ul << 20 },
		{ 0xffffffffc0000000ul, 128ul << 20 },
		{ 0xffff800000000000ul, 1ul << 40 },
	};
	bool inside = false;

	for (unsigned int i = 0; i < COUNT(places); i++)
		inside = inside || word - places[i].from < places[i].size;
	return inside && (uint32_t)word != 0x80000000; /* the least int, as a long */
}

unsigned int memory_leaks(void)
{
	const volatile uint64_t *words = (volatile uint64_t *)sound;
	unsigned int found = 0;

	for (size_t i = 0; i < SOUND / 8; i++) {
		if (!looks_like_kernel(words[i]))
			continue;
		if (found++ < 8)
			printf("at %#zx: %016lx, before it %016lx, after it %016lx\n", i * 8, words[i],
			       i > 0 ? words[i - 1] : 0, i + 1 < SOUND / 8 ? words[i + 1] : 0);
	}
	return found;
}
