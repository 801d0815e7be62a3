/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crash [SECONDS]: makes the co-kernel die, if it was booted with crash=WAY, and
 * does nothing otherwise. With SECONDS it waits that long before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/syscall.h>

/* The co-kernel's own call, for tests of dying. */
#define CALL_CRASH 0x7000

int main(int argc, char *argv[])
{
	if (argc > 1) {
		puts("waiting");
		fflush(stdout);
		sleep((unsigned int)atoi(argv[1]));
	}
	puts("crashing");
	fflush(stdout);
	syscall(CALL_CRASH);
	puts("still here: boot the co-kernel with --append=crash=panic");
	return 0;
}
