/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of pisces run. */
#include "run.h"

#include <ctype.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"usage: pisces run [OPTIONS] [--] PROGRAM [ARGUMENTS]\n"
	"\n"
	"Takes CPUs and memory from Linux, boots a co-kernel there, runs PROGRAM on it, and\n"
	"gives all back. Needs root. The exit code is that of PROGRAM, or 128 + N if it died\n"
	"by signal N.\n"
	"\n"
	TOOL_REQUEST_HELP
	"  --io=WORD         forward: calls on files are done on Linux as they come (the\n"
	"                    default); staged: inside, files are copied in before and out after\n"
	"  --stage=PATHS     with --io=staged: copy these files and directories in, with commas\n"
	"                    between\n"
	"  --tasks=N         run PROGRAM N times, on CPUs of its own each; PISCES_TASK_ID\n"
	"                    (0 to N-1) and PISCES_TASKS tell it apart; stdin is task 0's\n"
	"  --label           begin each line of output with the task's number\n"
	"  --user=NAME       run PROGRAM as this user\n"
	"  --image=FILE      boot this co-kernel\n"
	"  --append=TEXT     put TEXT on the co-kernel's command line\n"
	"  --dump=FILE       if the co-kernel dies, write a core of the enclave, for gdb\n"
	"  -v, --verbose     say on stderr how long each step took\n";

static bool parse_tasks(const char *text, unsigned int *tasks)
{
	char *end;
	unsigned long value;

	if (!isdigit((unsigned char)*text))
		return false;
	value = strtoul(text, &end, 10);
	if (*end || value == 0 || value > PISCES_MAX_TASKS)
		return false;
	*tasks = (unsigned int)value;
	return true;
}

static bool set_option(int option, struct run_options *options)
{
	int known = tool_request_option("run", option, &options->request, &options->allocation);

	if (known)
		return known > 0;
	switch (option) {
	case 'a':
		return tool_request("run", &options->request, "cmdline", optarg);
	case 't':
		if (parse_tasks(optarg, &options->tasks))
			return true;
		tool_usage("run", "'%s' is not a number of tasks: use 1 to %u", optarg,
			   PISCES_MAX_TASKS);
		return false;
	case 'b':
		options->label = true;
		return true;
	case 'u':
		options->user = optarg;
		return true;
	case 'i':
		options->request.image = optarg;
		return true;
	case 'd':
		options->dump = optarg;
		return true;
	case 'o':
		return tool_request("run", &options->request, "io", optarg);
	case 'g':
		return tool_request("run", &options->request, "stage", optarg);
	case 'v':
		options->verbose = true;
		return true;
	default:
		return false;
	}
}

int run_parse(int argc, char **argv, struct run_options *options)
{
	static const struct option table[] = {
		TOOL_REQUEST_OPTIONS,
		{"tasks", required_argument, NULL, 't'},
		{"label", no_argument, NULL, 'b'},
		{"user", required_argument, NULL, 'u'},
		{"image", required_argument, NULL, 'i'},
		{"append", required_argument, NULL, 'a'},
		{"dump", required_argument, NULL, 'd'},
		{"io", required_argument, NULL, 'o'},
		{"stage", required_argument, NULL, 'g'},
		{"verbose", no_argument, NULL, 'v'},
		TOOL_OPTION_HELP,
		{0},
	};
	int option;

	*options = (struct run_options){.tasks = 1, .uid = getuid(), .gid = getgid()};
	pisces_request_init(&options->request);
	/* '+': what stands behind the program is the program's. */
	while ((option = tool_option("run", argc, argv, "+:vh", table)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return TOOL_OK;
		}
		if (!set_option(option, options))
			return TOOL_USAGE;
	}
	if (options->request.stage[0] && options->request.io != PISCES_IO_STAGED)
		return tool_usage("run", "--stage does nothing without staged I/O: add --io=staged");
	if (optind >= argc)
		return tool_usage("run", "which program? It stands at the end, with its arguments");
	options->program = argv + optind;
	if (options->user) {
		const struct passwd *user = getpwnam(options->user);

		if (!user)
			return tool_usage("run", "there is no user '%s'", options->user);
		options->uid = user->pw_uid;
		options->gid = user->pw_gid;
	}
	return -1;
}
