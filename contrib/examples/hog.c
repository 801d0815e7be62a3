/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hog MIB [SECONDS [FILE]]: allocates so much memory, writes to all of it and keeps it so
 * long. With FILE: only when that is there, and it gives the memory back before it waits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
	size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 64) << 20;
	volatile char *memory;
	size_t i;

	if (argc > 3) {
		puts("started");
		fflush(stdout);
		while (access(argv[3], F_OK) != 0)
			usleep(100000);
	}
	memory = malloc(size);
	if (!memory) {
		perror("malloc");
		return 1;
	}
	puts("reserved");
	fflush(stdout);
	for (i = 0; i < size; i += 4096)
		memory[i] = 1;
	puts("written");
	fflush(stdout);
	if (argc > 3) {
		free((void *)memory);
		puts("freed");
		fflush(stdout);
	}
	if (argc > 2)
		sleep((unsigned int)atoi(argv[2]));
	return 0;
}
