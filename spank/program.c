/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a step is to run, as far as it says where: a launcher's daemon, the programs of
 * --multi-prog, and the guard.
 *
 * The guard: srun's plugin puts a word before the program's name that makes a path of it
 * which does not exist, and the node's plugin takes it away. So on a node whose Slurm does
 * not load the plugin, where the option means nothing, a program is not run on Linux
 * without a word: its execution fails, by a path that says why.
 */
#include "enclave.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUARD "this-node-does-not-load-enclave.so/"

/* Is AT a line of a file for srun --multi-prog: ranks, and a program? */
static bool is_rank_line(const char *at, size_t length)
{
	size_t ranks = strspn(at, "0123456789,-:*");
	size_t space;

	if (ranks == 0 || ranks >= length)
		return false;
	space = strspn(at + ranks, " \t");
	return space > 0 && ranks + space < length;
}

bool program_is_multi_prog(int argc, char *const argv[])
{
	bool any = false, goes_on = false;
	const char *at;

	/* The file's name, and as one argument its content. */
	if (argc != 2 || !argv[1] || !strchr(argv[1], '\n'))
		return false;
	for (at = argv[1]; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		size_t blank = strspn(at, " \t"), length;

		at += blank;
		length = strcspn(at, "\n");
		if (length == 0 || at[0] == '#')
			continue;
		if (!goes_on && !is_rank_line(at, length))
			return false;
		any = true;
		goes_on = at[length - 1] == '\\';
	}
	return any;
}

bool program_is_launcher(const char *name)
{
	static const char *const names[] = { "orted", "prted", "hydra_pmi_proxy",
					     "hydra_bstrap_proxy" };
	const char *slash = strrchr(name, '/');
	size_t i;

	if (slash)
		name = slash + 1;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

void program_guard(char *argv[])
{
	char *guarded, *copy;

	/* srun may free it, which takes what Slurm has made. */
	if (!slurm_xstrdup || asprintf(&guarded, "%s%s", GUARD, argv[0]) < 0)
		return;
	copy = slurm_xstrdup(guarded);
	free(guarded);
	if (copy)
		argv[0] = copy;
}

bool program_unguard(char *argv[])
{
	size_t guard = strlen(GUARD);

	if (strncmp(argv[0], GUARD, guard) != 0)
		return false;
	/* In place, as it is Slurm's. */
	memmove(argv[0], argv[0] + guard, strlen(argv[0] + guard) + 1);
	return true;
}
