/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces list: the enclaves of this node, one a line. */
#include "json-enclave.h"
#include "tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
	"usage: pisces list [--gone] [--json]\n"
	"\n"
	"Lists the enclaves of this node: number, name, state (new, booting, running, dead,\n"
	"ending), CPUs by Linux's numbers, memory, Slurm's job and step, owner (user whose\n"
	"program runs, and process that holds the enclave), tasks, age.\n"
	"\n"
	"  --gone    list the last ones that died and are gone as well, and say why\n"
	"  --json    the same for programs, with sizes in bytes and ages in ns\n";

static void print_line(const struct pisces_info *info)
{
	struct pisces_cpuset cpus = pisces_info_cpus(info);
	char list[256], memory[32], job[32], user[40], owner[64], age[32];

	pisces_cpuset_format(&cpus, list, sizeof(list));
	snprintf(owner, sizeof(owner), "%s:%" PRId32, tool_user(info->uid, user, sizeof(user)),
		 info->owner_pid);
	printf("%-6" PRIu32 " %-16s %-8s %-12s %-10s %-10s %-16s %-5" PRIu32 " %s\n", info->enclave,
	       info->name[0] ? info->name : "-", tool_enclave_state(info->state),
	       list[0] ? list : "-", pisces_size_format(info->memory, memory, sizeof(memory)),
	       tool_job(info, job, sizeof(job)), owner, info->tasks,
	       tool_age(info->age_ns, age, sizeof(age)));
}

/* Below the line of one that has died. */
static void print_reason(const struct pisces_info *info)
{
	if (info->reason[0])
		printf("%-6s died: %s\n", "", info->reason);
}

static void print_json(struct json *json, const struct pisces_info *info)
{
	char user[40];

	json_begin(json, NULL, '{');
	json_enclave(json, info);
	json_number(json, "job", info->job);
	json_number(json, "step", info->step);
	json_number(json, "uid", info->uid);
	json_text(json, "user", tool_user(info->uid, user, sizeof(user)));
	json_number(json, "owner_pid", (uint64_t)info->owner_pid);
	json_number(json, "irq", info->irq);
	json_number(json, "age_ns", info->age_ns);
	json_number(json, "range_count", info->range_count);
	json_begin(json, "ranges", '[');
	for (uint32_t i = 0; i < info->range_count && i < PISCES_INFO_RANGES; i++) {
		json_begin(json, NULL, '{');
		json_number(json, "base", info->ranges[i].base);
		json_number(json, "size", info->ranges[i].size);
		json_number(json, "node", info->ranges[i].node);
		json_end(json, '}');
	}
	json_end(json, ']');
	json_end(json, '}');
}

int command_list(int argc, char **argv)
{
	static const struct option options[] = {
		{"gone", no_argument, NULL, 'g'},
		TOOL_OPTION_JSON,
		TOOL_OPTION_HELP,
		{0},
	};
	struct tool_arguments arguments = {.help = help};
	struct json json = {0};
	struct pisces_error error;
	struct pisces_info *list;
	bool gone = false;
	int code, count;

	code = tool_arguments(argc, argv, ":h", options, &arguments, tool_set_flag, &gone);
	if (code >= 0)
		return code;

	count = gone ? pisces_list_all(&list, &error) : pisces_list(&list, &error);
	if (count < 0)
		return tool_failed(&error);
	if (arguments.json)
		json_begin(&json, NULL, '[');
	else
		printf("%-6s %-16s %-8s %-12s %-10s %-10s %-16s %-5s %s\n", "NUMBER", "NAME",
		       "STATE", "CPUS", "MEMORY", "JOB", "OWNER", "TASKS", "AGE");
	for (int i = 0; i < count; i++) {
		if (arguments.json)
			print_json(&json, &list[i]);
		else
			print_line(&list[i]);
		if (gone && !arguments.json)
			print_reason(&list[i]);
	}
	if (arguments.json)
		json_end(&json, ']');
	free(list);
	return TOOL_OK;
}
