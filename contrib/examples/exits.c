/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exits CODE | exits -SIGNAL: ends with that exit code, or by that signal. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char *argv[])
{
	int how;

	if (argc != 2) {
		fprintf(stderr, "usage: %s CODE | -SIGNAL\n", argv[0]);
		return 2;
	}
	how = atoi(argv[1]);
	if (how < 0) {
		raise(-how);
		fprintf(stderr, "%s: signal %d did not end it\n", argv[0], -how);
		return 1;
	}
	return how;
}
