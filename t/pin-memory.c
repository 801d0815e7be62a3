// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fills SIZE MiB of memory, pins one page in each of Linux's memory blocks of BLOCK MiB that
 * it has got a part of, for good as RDMA does, by registering them as buffers of io_uring,
 * and gives the others back; says so, and ends when stdin does. Needs root.
 *
 *   pin-memory SIZE BLOCK
 */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MIB (1ull << 20)
#define PAGE 4096u
#define MOST 1024u /* buffers of a ring */

/* Of an entry of /proc/self/pagemap. */
#define PRESENT (1ull << 63)
#define FRAME ((1ull << 55) - 1)

static struct iovec pages[MOST];

/* Fills pages[] with the first page of MEMORY in each block. Returns how many; 0: cannot tell. */
static unsigned int choose_pages(char *memory, unsigned long long size, unsigned long long block)
{
	static bool seen[1u << 20];
	int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	unsigned int count = 0;
	uint64_t entry;

	for (unsigned long long at = 0; map >= 0 && at < size && count < MOST; at += PAGE) {
		off_t where = (off_t)((uintptr_t)(memory + at) / PAGE * sizeof(entry));
		uint64_t number;

		if (pread(map, &entry, sizeof(entry), where) != sizeof(entry))
			break;
		number = (entry & FRAME) * PAGE / block;
		if (!(entry & PRESENT) || number == 0 || number >= sizeof(seen) || seen[number])
			continue;
		seen[number] = true;
		pages[count++] = (struct iovec){.iov_base = memory + at, .iov_len = PAGE};
	}
	close(map);
	return count;
}

/* All but the pages. */
static void give_back(char *memory, unsigned long long size, unsigned int count)
{
	char *from = memory;

	for (unsigned int i = 0; i < count; i++) {
		char *page = pages[i].iov_base;

		madvise(from, (size_t)(page - from), MADV_DONTNEED);
		from = page + PAGE;
	}
	madvise(from, (size_t)(memory + size - from), MADV_DONTNEED);
}

int main(int argc, char **argv)
{
	struct io_uring_params params = {0};
	unsigned long long size, block;
	unsigned int count;
	char *memory, byte;
	long ring;

	if (argc != 3) {
		fprintf(stderr, "usage: pin-memory SIZE BLOCK\n");
		return 2;
	}
	size = strtoull(argv[1], NULL, 10) * MIB;
	block = strtoull(argv[2], NULL, 10) * MIB;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || madvise(memory, size, MADV_NOHUGEPAGE) < 0) {
		perror("mmap");
		return 1;
	}
	memset(memory, 1, size);
	count = block ? choose_pages(memory, size, block) : 0;
	ring = syscall(SYS_io_uring_setup, 1, &params);
	if (ring < 0 ||
	    syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, pages, count) < 0) {
		perror("io_uring");
		return 1;
	}
	give_back(memory, size, count);
	printf("pinned a page in %u blocks\n", count);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
