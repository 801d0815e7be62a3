/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces plan: what an enclave would get, here or on another machine. */
#include "json.h"
#include "tool.h"

#include <inttypes.h>
#include <stdio.h>

static const char help[] =
	"usage: pisces plan [OPTIONS]\n"
	"\n"
	"Shows which CPUs and how much memory of which NUMA node an enclave would get.\n"
	"Takes nothing. CPUs are given by Linux's numbers.\n"
	"\n"
	"  --cpus=N            CPUs of the enclave (default: all of the allocation)\n"
	"  --mem=SIZE          its memory, as 512M or 1.5G\n"
	"  --allocation=LIST   take from these CPUs only (default: all online); also\n"
	"                      --cpu-list=LIST, as in pisces run\n"
	"  --topology=FILE     on the machine in this file of hwloc's (lstopo --of xml)\n"
	"  --topology=SPEC     on a machine like this, as \"package:2 core:4 pu:2\"\n"
	"  --json              for programs, with sizes in bytes\n";

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

int command_plan(int argc, char **argv)
{
	static const struct option options[] = {
		{"cpus", required_argument, NULL, 'c'},
		{"mem", required_argument, NULL, 'm'},
		{"allocation", required_argument, NULL, 'l'},
		{"cpu-list", required_argument, NULL, 'l'},
		{"topology", required_argument, NULL, 't'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct pisces_allocation allocation = {0};
	struct pisces_request request;
	struct pisces_plan plan;
	struct pisces_error error;
	const char *topology = NULL;
	bool as_json = false;
	int option, result;

	pisces_request_init(&request);
	while ((option = tool_option(argv[0], argc, argv, ":h", options)) != -1) {
		switch (option) {
		case 'c':
			if (!tool_request(argv[0], &request, "cpus", optarg))
				return TOOL_USAGE;
			break;
		case 'm':
			if (!tool_request(argv[0], &request, "mem", optarg))
				return TOOL_USAGE;
			break;
		case 'l':
			if (!tool_cpu_list(argv[0], optarg, &allocation.cpus))
				return TOOL_USAGE;
			break;
		case 't':
			topology = optarg;
			break;
		case 'j':
			as_json = true;
			break;
		case 'h':
			fputs(help, stdout);
			return TOOL_OK;
		default:
			return TOOL_USAGE;
		}
	}
	if (optind < argc)
		return tool_usage(argv[0], "takes no argument '%s'", argv[optind]);

	if (topology)
		result = pisces_plan_for(topology, &request, &allocation, &plan, &error);
	else
		result = pisces_plan_here(&request, &allocation, &plan, &error);
	if (result < 0)
		return tool_failed(&error);
	if (as_json)
		print_json(&plan);
	else
		print_text(&plan);
	return TOOL_OK;
}
