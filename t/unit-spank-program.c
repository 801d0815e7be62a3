/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the plugin makes of the words that a step is to execute. */
#include "tap.h"

#include <stdlib.h>
#include <string.h>

#include "spank/enclave.h"

/* In srun it is Slurm's. */
char *slurm_xstrdup(const char *text)
{
	return strdup(text);
}

static bool multi_prog(const char *content)
{
	char *argv[] = { (char *)"programs", (char *)content, NULL };

	return program_is_multi_prog(2, argv);
}

static void check_multi_prog(void)
{
	char *three[] = { (char *)"sh", (char *)"-c", (char *)"0 a\n", NULL };

	ok(multi_prog("0 /bin/true\n1 /bin/false\n"), "a rank a line");
	ok(multi_prog("# comment\n\n0-3,7 ./a x\n* ./b\n"), "comments, ranges, the rest");
	ok(multi_prog("  0\t./a\n"), "blanks");
	ok(multi_prog("0 ./a \\\n  more words\n1 ./b\n"), "a line that goes on");
	ok(!multi_prog("hello\nworld\n"), "lines of text are an argument");
	ok(!multi_prog("0 ./a"), "so is a rank without a newline");
	ok(!multi_prog("0\n1\n"), "and ranks without a program");
	ok(!multi_prog("0 ./a\nand more\n"), "or with other lines");
	ok(!multi_prog("\n\n"), "and nothing at all");
	ok(!program_is_multi_prog(3, three), "more arguments are a program's");
	ok(!program_is_multi_prog(1, three), "and none as well");
}

static void check_launcher(void)
{
	ok(program_is_launcher("orted"), "mpirun's daemon");
	ok(program_is_launcher("/usr/lib/openmpi/bin/prted"), "by its path");
	ok(!program_is_launcher("orted-simulation"), "but not another one");
	ok(!program_is_launcher("/orted/simulation"), "or one in such a directory");
}

static void check_guard(void)
{
	char *argv[] = { strdup("./simulation"), (char *)"input", NULL };
	char *empty[] = { strdup(""), NULL };
	char *before = argv[0];

	ok(!program_unguard(argv), "no guard, nothing to take away");
	ok(strcmp(argv[0], "./simulation") == 0, "and nothing is");
	program_guard(argv);
	ok(strcmp(argv[0], "./simulation") != 0 && strchr(argv[0], '/') != NULL,
	   "with a guard it is another path");
	ok(strstr(argv[0], "/./simulation") != NULL, "that tells which program");
	ok(strcmp(argv[1], "input") == 0, "arguments stay");
	ok(program_unguard(argv), "the node sees it");
	ok(strcmp(argv[0], "./simulation") == 0, "and has the name again");
	ok(!program_unguard(argv), "once");
	program_guard(empty);
	ok(program_unguard(empty) && empty[0][0] == '\0', "an empty name");
	free(before);
	free(argv[0]);
	free(empty[0]);
}

int main(void)
{
	check_multi_prog();
	check_launcher();
	check_guard();
	return done();
}
