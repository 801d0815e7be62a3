/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which file is the program, as execvp(3) and the kernel would decide it.
 */
#ifndef PROXY_PROGRAM_H
#define PROXY_PROGRAM_H

#define PROGRAM_SCRIPTS 5 /* that interpret each other, as the kernel has it */

struct program {
	int fd;	      /* open for reading */
	char *execfn; /* the path as it appears in AT_EXECFN */
	int argc;
	char **argv; /* with the interpreter of a script before it */
	unsigned int script_count; /* which it reads then */
	char *scripts[PROGRAM_SCRIPTS];
};

/*
 * Finds and opens the program ARGV[0] (searched in PATH if there is no slash in
 * it), or, if that is a script, its interpreter. Says what is wrong and exits with
 * EXIT_NOT_FOUND or EXIT_CANNOT_RUN if it cannot be run. What it allocates lives
 * as long as the proxy.
 */
void program_open(struct program *program, int argc, char *const argv[]);

#endif
