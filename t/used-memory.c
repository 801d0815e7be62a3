// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What somebody wrote into memory is not there for the next one.
 *
 *   used-memory fill MIB    writes to so much memory, and gives it back
 *   used-memory look MIB    the same twice, and says how many words were not zero before
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MIB (1ul << 20)
#define MARK 0x5a5a5a5a5a5a5a5aul

static uint64_t *map(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		perror("used-memory: mmap");
		exit(1);
	}
	return memory;
}

/* Returns the words that were not zero. */
static size_t use(size_t bytes)
{
	uint64_t *memory = map(bytes);
	size_t used = 0;

	for (size_t i = 0; i < bytes / sizeof(*memory); i++) {
		used += memory[i] != 0;
		memory[i] = MARK;
	}
	munmap(memory, bytes);
	return used;
}

int main(int argc, char *argv[])
{
	size_t bytes = argc == 3 ? strtoul(argv[2], NULL, 10) * MIB : 0;

	if (bytes == 0)
		return 2;
	if (strcmp(argv[1], "fill") == 0) {
		memset(map(bytes), 0x5a, bytes);
		return 0;
	}
	printf("not zero: %zu words", use(bytes));
	printf(", %zu the second time\n", use(bytes));
	return 0;
}
