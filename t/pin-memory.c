// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pins a page of each STEP MiB of SIZE MiB of memory for good, as RDMA does, by registering
 * them as buffers of io_uring, and gives the others back; says so, and ends when stdin does.
 *
 *   pin-memory SIZE STEP
 */
#include <linux/io_uring.h>
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

int main(int argc, char **argv)
{
	struct io_uring_params params = {0};
	static struct iovec pages[MOST];
	unsigned long long size, step;
	unsigned int count = 0;
	char *memory, byte;
	long ring;

	if (argc != 3) {
		fprintf(stderr, "usage: pin-memory SIZE STEP\n");
		return 2;
	}
	size = strtoull(argv[1], NULL, 10) * MIB;
	step = strtoull(argv[2], NULL, 10) * MIB;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || madvise(memory, size, MADV_NOHUGEPAGE) < 0) {
		perror("mmap");
		return 1;
	}
	memset(memory, 1, size);
	for (unsigned long long at = 0; step && at < size && count < MOST; at += step)
		pages[count++] = (struct iovec){.iov_base = memory + at, .iov_len = PAGE};
	ring = syscall(SYS_io_uring_setup, 1, &params);
	if (ring < 0 ||
	    syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, pages, count) < 0) {
		perror("io_uring");
		return 1;
	}
	for (unsigned int i = 0; i < count; i++)
		madvise((char *)pages[i].iov_base + PAGE, step - PAGE, MADV_DONTNEED);
	printf("pinned %u pages\n", count);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
