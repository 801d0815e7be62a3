// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memory-cache FILE MIB: pages of files in an enclave. FILE, which has not changed for
 * some seconds, is mapped twice, or more often where the machine is busy; then MIB of memory
 * are needed.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define MIB (1ul << 20)

static unsigned long free_memory(void)
{
	struct sysinfo info;

	sysinfo(&info);
	return info.freeram * info.mem_unit;
}

/* Maps, sums and unmaps FD. Returns ms. */
static double map_once(int fd, size_t size, unsigned long *sum)
{
	struct timespec start, end;
	unsigned char *at;

	clock_gettime(CLOCK_MONOTONIC, &start);
	at = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	*sum = 0;
	if (at == MAP_FAILED)
		return -1;
	for (size_t i = 0; i < size; i++)
		*sum += at[i];
	munmap(at, size);
	return (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) / 1e6;
}

/*
 * The same until it takes less than ENOUGH ms, five times at most: where the machine is busy, one
 * can be slow. Returns the least; *SUM is the last one's.
 */
static double map_again(int fd, size_t size, double enough, unsigned long *sum)
{
	double least = map_once(fd, size, sum), ms;

	for (int i = 1; i < 5 && least >= enough; i++) {
		ms = map_once(fd, size, sum);
		least = ms < least ? ms : least;
	}
	return least;
}

/* The same by read(2). */
static unsigned long read_sum(int fd)
{
	static unsigned char buffer[65536];
	unsigned long sum = 0;
	ssize_t bytes;

	while ((bytes = read(fd, buffer, sizeof(buffer))) > 0) {
		for (ssize_t i = 0; i < bytes; i++)
			sum += buffer[i];
	}
	return sum;
}

int main(int argc, char **argv)
{
	int fd = argc > 2 ? open(argv[1], O_RDONLY) : -1;
	unsigned long before, kept, expected, first, again;
	struct stat status;
	double slow, fast;
	size_t size;
	char *memory;

	if (fd < 0 || fstat(fd, &status) != 0)
		return 2;
	size = (size_t)status.st_size;
	expected = read_sum(fd);
	before = free_memory();
	slow = map_once(fd, size, &first);
	kept = before - free_memory();
	fast = map_again(fd, size, slow / 2, &again);
	ok(first == expected && again == expected, "a file of %zu MiB is mapped twice", size / MIB);
	ok(kept > size - MIB && kept < size + 4 * MIB, "its pages are kept when it is unmapped (%lu KiB)",
	   kept / 1024);
	ok(fast < slow / 2, "so that the second time is faster (%.1f ms, %.1f ms)", slow, fast);
	size = strtoul(argv[2], NULL, 10) * MIB;
	memory = malloc(size);
	for (size_t i = 0; memory && i < size; i += 4096)
		memory[i] = 1;
	ok(memory != NULL, "and given up when %zu MiB of memory are needed", size / MIB);
	return done();
}
