/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes so many MiB from memory to stdout, in pieces of 1 MiB. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB (1u << 20)

int main(int argc, char **argv)
{
	static char buffer[MIB];
	long count = argc > 1 ? atol(argv[1]) : 1;

	memset(buffer, 'x', sizeof(buffer));
	for (long i = 0; i < count; i++) {
		for (size_t done = 0; done < MIB;) {
			ssize_t n = write(STDOUT_FILENO, buffer + done, MIB - done);

			if (n <= 0) {
				perror("write");
				return 1;
			}
			done += (size_t)n;
		}
	}
	return 0;
}
