// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory as a program sees it: reservations, what is given back, mremap(2) and
 * madvise(2). The same must hold on Linux; with --enclave also what only an enclave of
 * a few hundred MiB promises.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "tap.h"

#define MIB (1ul << 20)
#define GIB (1ul << 30)
#define RW (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)

static bool in_enclave;

static char *map(size_t size, int prot, int flags)
{
	return mmap(NULL, size, prot, PRIVATE | flags, -1, 0);
}

static unsigned long free_memory(void)
{
	struct sysinfo info;

	sysinfo(&info);
	return info.freeram * info.mem_unit;
}

static void fill(char *at, size_t size)
{
	for (size_t i = 0; i < size; i += 4096)
		at[i] = (char)(i >> 12) | 1;
}

static bool is_filled(const char *at, size_t size)
{
	for (size_t i = 0; i < size; i += 4096) {
		if (at[i] != ((char)(i >> 12) | 1))
			return false;
	}
	return true;
}

static void test_reservations(void)
{
	enum { TOUCHES = 4000 };
	char *at = map(1024 * GIB, PROT_NONE, MAP_NORESERVE);
	unsigned int wrong = 0;

	ok(at != MAP_FAILED, "1 TiB is reserved with PROT_NONE");
	ok(mprotect(at + 512 * GIB, MIB, RW) == 0 && (at[512 * GIB + 5] = 7) == 7,
	   "a part of it is opened and used");
	munmap(at, 1024 * GIB);
	at = map(64 * GIB, RW, MAP_NORESERVE);
	ok(at != MAP_FAILED, "64 GiB are reserved with MAP_NORESERVE");
	for (unsigned long i = 0; i < TOUCHES; i++)
		at[i * 16 * MIB + i] = (char)(i | 1);
	for (unsigned long i = 0; i < TOUCHES; i++)
		wrong += at[i * 16 * MIB + i] != (char)(i | 1) || at[i * 16 * MIB + i + 1] != 0;
	ok(wrong == 0, "4,000 bytes all over it are written and kept");
	munmap(at, 64 * GIB);
	at = map(8 * GIB, RW, MAP_NORESERVE);
	for (unsigned long i = 0; i < TOUCHES; i++)
		at[i * 2 * MIB] = 1;
	ok(at[(TOUCHES - 1) * 2 * MIB] == 1, "so is one in each 2 MiB of 8 GiB");
	munmap(at, 8 * GIB);
	at = map(1ul << 46, RW, 0);
	ok(at == MAP_FAILED && errno == ENOMEM, "64 TiB to be written: ENOMEM");
}

static void *use_stack(void *argument)
{
	volatile char buffer[16384];
	char *heap;

	for (size_t i = 0; i < sizeof(buffer); i += 512)
		buffer[i] = (char)i;
	heap = malloc(100000);
	memset(heap, 1, 100000);
	pthread_barrier_wait(argument);
	free(heap);
	return NULL;
}

static void test_stacks(void)
{
	enum { THREADS = 64 };
	pthread_t threads[THREADS];
	pthread_barrier_t barrier;
	unsigned int started = 0;

	pthread_barrier_init(&barrier, NULL, THREADS);
	while (started < THREADS &&
	       pthread_create(&threads[started], NULL, use_stack, &barrier) == 0)
		started++;
	ok(started == THREADS, "64 threads with stacks of 8 MiB and malloc arenas fit");
	if (started != THREADS)
		exit(1);
	while (started > 0)
		pthread_join(threads[--started], NULL);
}

static void test_give_back(void)
{
	unsigned long before = free_memory(), now;
	char *at, *heap;
	bool good = true;

	for (unsigned int i = 0; i < 40; i++) {
		at = map(64 * MIB, RW, 0);
		if (at == MAP_FAILED)
			break;
		fill(at, 64 * MIB);
		munmap(at, 64 * MIB);
	}
	ok(at != MAP_FAILED, "64 MiB are mapped, written and unmapped 40 times");
	at = map(64 * MIB, RW, 0);
	fill(at, 64 * MIB);
	now = free_memory();
	ok(!in_enclave || (before - now > 60 * MIB && before - now < 68 * MIB),
	   "written memory is what is used (%ld KiB)", (long)(before - now) / 1024);
	madvise(at, 32 * MIB, MADV_DONTNEED);
	madvise(at + 32 * MIB, 16 * MIB, MADV_FREE);
	now = free_memory();
	ok(!in_enclave || before - now < 20 * MIB, "MADV_DONTNEED and MADV_FREE give it back (%ld KiB)",
	   (long)(before - now) / 1024);
	for (size_t i = 0; i < 32 * MIB; i += 4096)
		good &= at[i] == 0;
	ok(good && at[63 * MIB] != 0, "discarded memory is zero, the rest is kept");
	munmap(at, 64 * MIB);
	heap = sbrk(32 * (long)MIB);
	fill(heap, 32 * MIB);
	ok(is_filled(heap, 32 * MIB) && sbrk(-32 * (long)MIB) == heap + 32 * MIB && sbrk(0) == heap,
	   "brk grows and shrinks");
	now = free_memory();
	ok(!in_enclave || before < now + 4 * MIB, "at the end nothing is missing (%ld KiB)",
	   (long)(before - now) / 1024);
}

static void test_mremap(void)
{
	char *at = map(8 * MIB, RW, 0), *other = map(16 * MIB, RW, 0), *moved;

	fill(at, 8 * MIB);
	moved = mremap(at, 8 * MIB, 16 * MIB, MREMAP_MAYMOVE | MREMAP_FIXED, other);
	ok(moved == other && is_filled(other, 8 * MIB) && other[8 * MIB] == 0,
	   "MREMAP_FIXED moves to where it is told");
	ok(mremap(at, 8 * MIB, 8 * MIB, 0) == MAP_FAILED && errno == EFAULT, "and away from there");
	ok(mremap(other, 8 * MIB, 8 * MIB, MREMAP_FIXED, at) == MAP_FAILED && errno == EINVAL,
	   "MREMAP_FIXED without MAYMOVE: EINVAL");
	ok(mremap(other, 8 * MIB, 8 * MIB, MREMAP_FIXED | MREMAP_MAYMOVE, other + MIB) == MAP_FAILED &&
		   errno == EINVAL,
	   "onto itself: EINVAL");
	moved = mremap(other, 8 * MIB, 8 * MIB, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
	ok(moved != MAP_FAILED && is_filled(moved, 8 * MIB) && other[0] == 0 && other[4 * MIB] == 0,
	   "MREMAP_DONTUNMAP leaves an empty mapping behind");
	ok(mremap(moved, 8 * MIB, 2 * MIB, 0) == moved && is_filled(moved, 2 * MIB),
	   "a mapping becomes smaller");
	ok(mremap(moved, 2 * MIB, 4 * MIB, MREMAP_MAYMOVE | 8) == MAP_FAILED && errno == EINVAL,
	   "an unknown flag: EINVAL");
	munmap(moved, 2 * MIB);
	munmap(other, 16 * MIB);
}

static void test_advice(void)
{
	char *at = map(MIB, RW, 0);
	static unsigned char there[256];

	ok(madvise(at, MIB, MADV_HUGEPAGE) == 0 && madvise(at, MIB, MADV_WILLNEED) == 0 &&
		   madvise(at, MIB, MADV_DONTFORK) == 0 && madvise(at, MIB, MADV_DONTDUMP) == 0 &&
		   madvise(at, MIB, MADV_SEQUENTIAL) == 0,
	   "advice is taken");
	ok(madvise(at, MIB, 9999) == -1 && errno == EINVAL, "unknown advice: EINVAL");
	ok(madvise(at + 1, MIB, MADV_DONTNEED) == -1 && errno == EINVAL, "an odd address: EINVAL");
	at[5 * 4096] = 1;
	ok(mincore(at, MIB, there) == 0 && there[5] == 1, "mincore() sees a page that was touched");
	munmap(at + MIB / 2, MIB / 2);
	ok(madvise(at, MIB, MADV_WILLNEED) == -1 && errno == ENOMEM, "advice about a hole: ENOMEM");
	ok(mincore(at, MIB, there) == -1 && errno == ENOMEM, "mincore() of a hole: ENOMEM");
	ok(msync(at, MIB / 2, MS_SYNC) == 0 && msync(at, MIB / 2, MS_SYNC | MS_ASYNC) == -1 &&
		   errno == EINVAL,
	   "msync() checks its flags");
	munmap(at, MIB / 2);
}

static void test_file(const char *name)
{
	int fd = open(name, O_RDONLY), writer;
	char path[] = "./memory-file.XXXXXX", *at, *again, byte;
	struct stat status;

	fstat(fd, &status);
	at = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	ok(at != MAP_FAILED && memcmp(at, "\177ELF", 4) == 0, "the program's own file is mapped");
	again = mmap(NULL, (size_t)status.st_size, RW, MAP_PRIVATE, fd, 0);
	again[1] = 'X';
	ok(memcmp(at, "\177ELF", 4) == 0 && memcmp(again, "\177XLF", 4) == 0,
	   "a private mapping of it is written: the others do not see it");
	madvise(again, 4096, MADV_DONTNEED);
	ok(again[1] == 'E', "and after MADV_DONTNEED it is the file's again");
	ok(mprotect(again, 4096, PROT_READ) == 0 && mprotect(again, 4096, RW) == 0 &&
		   (again[0] = 1) == 1 && at[0] == 0177,
	   "protection changes nothing in that");
	ok(memcmp(at + 4096, again + 4096, (size_t)status.st_size - 4096) == 0, "all else is the same");
	munmap(again, (size_t)status.st_size);
	munmap(at, (size_t)status.st_size);
	close(fd);

	writer = mkstemp(path);
	at = MAP_FAILED;
	if (writer >= 0 && write(writer, "first", 5) == 5)
		at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, writer, 0);
	ok(at != MAP_FAILED && strcmp(at, "first") == 0, "a file that was just written is mapped");
	munmap(at, 4096);
	if (pwrite(writer, "other", 5, 0) != 5)
		perror("pwrite");
	at = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, writer, 0);
	ok(at != MAP_FAILED && strcmp(at, "other") == 0, "and after it was changed: what is new");
	ok(pread(writer, &byte, 1, 0) == 1 && pread(writer, at + 4096, 1, 0) == -1 &&
		   errno == EFAULT,
	   "behind its end there is nothing");
	close(writer);
	unlink(path);
}

static volatile int ready, go;

static void *wait_and_write(void *argument)
{
	while (!ready)
		continue;
	*(volatile int *)argument = 42;
	go = 1;
	return NULL;
}

static void test_shared_anonymous(void)
{
	int *shared = mmap(NULL, 4 * MIB, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_t thread;

	ok(shared != MAP_FAILED && shared[1000] == 0, "MAP_SHARED|MAP_ANONYMOUS is there, and zero");
	pthread_create(&thread, NULL, wait_and_write, shared + 1000);
	ready = 1;
	while (!go)
		continue;
	ok(shared[1000] == 42, "threads see the same");
	pthread_join(thread, NULL);
	madvise(shared, 4 * MIB, MADV_DONTNEED);
	ok(shared[1000] == 42, "and keep it over MADV_DONTNEED");
	munmap(shared, 4 * MIB);
}

int main(int argc, char **argv)
{
	in_enclave = argc > 1 && strcmp(argv[1], "--enclave") == 0;
	test_reservations();
	test_stacks();
	test_give_back();
	test_mremap();
	test_advice();
	test_file("/proc/self/exe");
	test_shared_anonymous();
	return done();
}
