/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces draw: this node and its enclaves, in colours. */
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>

static const char help[] =
	"usage: pisces draw [FILE]\n"
	"\n"
	"Draws this node with its enclaves to FILE, which ends in .svg, .png or .txt; without\n"
	"FILE, as text to standard output. Each enclave has a letter and a colour: its PUs,\n"
	"its cores where they are its own, and a box of its memory in each NUMA node. The\n"
	"legend says whose they are. CPUs are given by Linux's numbers.\n"
	"\n"
	"hwloc's lstopo draws (Debian: hwloc-nox; for .png: hwloc). CPUs that an enclave has\n"
	"are not there for Linux, so lstopo alone would leave them out: the module says where\n"
	"they are. Caches and devices are not drawn, for Linux does not tell them of such\n"
	"CPUs; CPUs that are just offline are not drawn either. A node without the module is\n"
	"drawn as hwloc sees it.\n";

int command_draw(int argc, char **argv)
{
	static const struct option options[] = {TOOL_OPTION_HELP, {0}};
	struct tool_arguments arguments = {.help = help, .most = 1, .wanted = "one file at most"};
	struct pisces_drawn *drawn;
	struct pisces_error error;
	int code, count;

	code = tool_arguments(argc, argv, ":h", options, &arguments, NULL, NULL);
	if (code >= 0)
		return code;
	count = pisces_drawn_here(&drawn, &error);
	if (count < 0)
		return tool_failed(&error);
	code = pisces_draw(NULL, drawn, (unsigned int)count, argv[optind], &error);
	free(drawn);
	return code < 0 ? tool_failed(&error) : TOOL_OK;
}
