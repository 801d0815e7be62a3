/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes where nothing is, as broken programs do. */
#include <stdio.h>

int main(int argc, char *argv[])
{
	volatile int *nowhere = (int *)0;

	(void)argv;
	puts("about to write to address 0");
	fflush(stdout);
	*nowhere = argc;
	puts("which went well?");
	return 0;
}
