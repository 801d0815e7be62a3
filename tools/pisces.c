/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces(1): enclaves without Slurm, and a look at all of them. */
#include "tool.h"

#include <stdio.h>
#include <string.h>

#include <pisces/build_id.h>

static int command_version(int argc, char **argv)
{
	if (argc > 1)
		return tool_usage(argv[0], "takes no arguments");
	printf("pisces %s, build %s\n", PISCES_VERSION_STRING, PISCES_BUILD_ID);
	return TOOL_OK;
}

static int command_help(int argc, char **argv);

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
	{"run", command_run, "run a program in an enclave of its own"},
	{"resize", command_resize, "give an enclave that runs more CPUs or memory, or take some back"},
	{"list", command_list, "list the enclaves of this node"},
	{"top", command_top, "watch what the enclaves of this node do"},
	{"stat", command_stat, "show what an enclave does, and what its programs missed"},
	{"console", command_console, "show what a co-kernel says"},
	{"dump", command_dump, "write memory and registers of an enclave to a file for gdb"},
	{"plan", command_plan, "show which CPUs and memory an enclave would get"},
	{"draw", command_draw, "draw this node and its enclaves"},
	{"doctor", command_doctor, "say whether this node is ready, and how to repair it"},
	{"reclaim", command_reclaim, "end the enclaves that a job has left behind"},
	{"slurmd", command_slurmd, "keep whole what slurmd has of the node's CPUs"},
	{"version", command_version, "show the version and the build"},
	{"help", command_help, "show this text"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *to)
{
	fprintf(to, "usage: pisces COMMAND [OPTIONS] [ARGUMENTS]\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-10s%s\n", commands[i].name, commands[i].what);
	fprintf(to, "\npisces COMMAND --help says more; so does the manual, pisces(1).\n");
}

static int run_command(int argc, char **argv)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[0], commands[i].name) == 0)
			return commands[i].run(argc, argv);
	}
	fprintf(stderr, "pisces: there is no command '%s' (pisces help lists them)\n", argv[0]);
	return TOOL_USAGE;
}

static int command_help(int argc, char **argv)
{
	char help[] = "--help";
	char *arguments[] = {NULL, help, NULL};

	if (argc < 2 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "version") == 0) {
		print_help(stdout);
		return TOOL_OK;
	}
	arguments[0] = argv[1];
	return run_command(2, arguments);
}

int main(int argc, char **argv)
{
	int code;

	if (argc < 2) {
		print_help(stderr);
		return TOOL_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_help(stdout);
		return TOOL_OK;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		return command_version(1, argv);
	code = run_command(argc - 1, argv + 1);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("pisces: standard output");
		return code ? code : TOOL_FAILED;
	}
	return code;
}
