/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces plan: what an enclave would get, here or on another machine. */
#include "json.h"
#include "tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
	"usage: pisces plan [OPTIONS]\n"
	"\n"
	"Shows which CPUs and how much memory of which NUMA node an enclave would get.\n"
	"Takes nothing. CPUs are given by Linux's numbers.\n"
	"\n"
	TOOL_REQUEST_HELP
	"  --allocation=LIST the same as --cpu-list\n"
	"  --topology=FILE   on the machine in this file of hwloc's (lstopo --of xml)\n"
	"  --topology=SPEC   on a machine like this, as \"package:2 core:4 pu:2\"\n"
	"  --draw=FILE       also draw it, to a file that ends in .svg, .png or .txt, beside\n"
	"                    the enclaves that are here (pisces draw --help)\n"
	"  --json            for programs, with sizes in bytes\n";

static void print_json(const struct pisces_plan *plan)
{
	struct json json = {0};
	char list[4096];

	json_begin(&json, NULL, '{');
	json_begin(&json, "cpus", '[');
	for (unsigned int i = 0; i < plan->cpu_count; i++) {
		json_begin(&json, NULL, '{');
		json_number(&json, "cpu", plan->cpus[i].linux_cpu);
		json_number(&json, "node", plan->cpus[i].node);
		json_number(&json, "core", plan->cpus[i].core);
		json_end(&json, '}');
	}
	json_end(&json, ']');
	json_begin(&json, "memory", '[');
	for (unsigned int i = 0; i < plan->memory_count; i++) {
		json_begin(&json, NULL, '{');
		json_number(&json, "node", plan->memory[i].node);
		json_number(&json, "size", plan->memory[i].size);
		json_end(&json, '}');
	}
	json_end(&json, ']');
	json_text(&json, "linux_cpus", pisces_cpuset_format(&plan->linux_cpus, list, sizeof(list)));
	json_text(&json, "note", plan->note);
	json_end(&json, '}');
}

/* The CPUs of the plan on NUMA node NODE, or on all with NODE -1. */
static struct pisces_cpuset cpus_on(const struct pisces_plan *plan, int64_t node)
{
	struct pisces_cpuset cpus = {0};

	for (unsigned int i = 0; i < plan->cpu_count; i++) {
		if (node < 0 || plan->cpus[i].node == node)
			pisces_cpuset_add(&cpus, plan->cpus[i].linux_cpu);
	}
	return cpus;
}

static void print_text(const struct pisces_plan *plan)
{
	struct pisces_cpuset cpus = cpus_on(plan, -1);
	char list[4096], size[32];
	uint64_t memory = 0;

	for (unsigned int i = 0; i < plan->memory_count; i++)
		memory += plan->memory[i].size;
	printf("%-12s %u CPU%s (%s), %s\n", "enclave", plan->cpu_count,
	       plan->cpu_count == 1 ? "" : "s", pisces_cpuset_format(&cpus, list, sizeof(list)),
	       pisces_size_format(memory, size, sizeof(size)));
	for (uint32_t node = 0; node < PISCES_MAX_NODES; node++) {
		uint64_t here = 0;

		cpus = cpus_on(plan, node);
		if (pisces_cpuset_count(&cpus) == 0)
			continue;
		for (unsigned int i = 0; i < plan->memory_count; i++)
			here += plan->memory[i].node == node ? plan->memory[i].size : 0;
		printf("NUMA node %-2u CPUs %s, %s\n", node,
		       pisces_cpuset_format(&cpus, list, sizeof(list)),
		       pisces_size_format(here, size, sizeof(size)));
	}
	printf("%-12s CPUs %s of Linux\n", "proxy",
	       pisces_cpuset_format(&plan->linux_cpus, list, sizeof(list)));
	if (plan->note[0])
		printf("%-12s %s\n", "note", plan->note);
}

struct plan_options {
	struct pisces_request request;
	struct pisces_allocation allocation;
	const char *topology;
	const char *drawing;
};

static bool set_option(int option, void *context)
{
	struct plan_options *options = context;

	switch (option) {
	case 't':
		options->topology = optarg;
		return true;
	case 'd':
		options->drawing = optarg;
		return true;
	default:
		return tool_request_option("plan", option, &options->request,
					   &options->allocation) > 0;
	}
}

/* The plan beside the enclaves that are here, or alone on another machine. */
static int draw(const struct plan_options *options, const struct pisces_plan *plan,
		struct pisces_error *error)
{
	const char *name = options->request.name[0] ? options->request.name : "(this plan)";
	struct pisces_drawn alone, *drawn = NULL, *all = &alone;
	int count = 0, result;

	if (!options->topology) {
		count = pisces_drawn_here(&drawn, error);
		if (count < 0)
			return -1;
		all = drawn;
	}
	pisces_drawn_plan(plan, name, &all[count]);
	result = pisces_draw(options->topology, all, (unsigned int)count + 1, options->drawing,
			     error);
	free(drawn);
	return result;
}

int command_plan(int argc, char **argv)
{
	static const struct option table[] = {
		TOOL_REQUEST_OPTIONS,
		{"allocation", required_argument, NULL, 'l'},
		{"topology", required_argument, NULL, 't'},
		{"draw", required_argument, NULL, 'd'},
		TOOL_OPTION_JSON,
		TOOL_OPTION_HELP,
		{0},
	};
	struct tool_arguments arguments = {.help = help};
	struct plan_options options = {0};
	struct pisces_plan plan;
	struct pisces_error error;
	int result;

	pisces_request_init(&options.request);
	result = tool_arguments(argc, argv, ":h", table, &arguments, set_option, &options);
	if (result >= 0)
		return result;
	if (options.topology)
		result = pisces_plan_for(options.topology, &options.request, &options.allocation,
					 &plan, &error);
	else
		result = pisces_plan_here(&options.request, &options.allocation, &plan, &error);
	if (result < 0)
		return tool_failed(&error);
	if (options.drawing && draw(&options, &plan, &error) < 0)
		return tool_failed(&error);
	if (arguments.json)
		print_json(&plan);
	else
		print_text(&plan);
	return TOOL_OK;
}
