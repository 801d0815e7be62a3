/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hog MIB: allocates so much memory and writes to all of it. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char *argv[])
{
	size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 64) << 20;
	volatile char *memory = malloc(size);
	size_t i;

	if (!memory) {
		perror("malloc");
		return 1;
	}
	puts("reserved");
	fflush(stdout);
	for (i = 0; i < size; i += 4096)
		memory[i] = 1;
	puts("written");
	return 0;
}
