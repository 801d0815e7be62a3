/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces stat: the counters of an enclave, and the system calls that it lacks. */
#include "json.h"
#include "tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/syscall-names.h"

static const char help[] =
	"usage: pisces stat [--json] ENCLAVE\n"
	"\n"
	"Shows what the co-kernel of ENCLAVE (a number or a name) counts: for each CPU, in the\n"
	"enclave's order, its state, the task that it runs, entries into the co-kernel,\n"
	"interrupts and of these doorbells, timers and strays, system calls and of these\n"
	"forwarded to Linux, page faults, switches between threads; then the system calls that\n"
	"programs asked for and the co-kernel does not have.\n"
	"\n"
	"  --json    the same for programs\n";

static const char *cokernel_state(uint32_t state)
{
	static const char *const names[] = {
		[PISCES_COKERNEL_NONE] = "not there yet", [PISCES_COKERNEL_BOOTING] = "booting",
		[PISCES_COKERNEL_RUNNING] = "running",	  [PISCES_COKERNEL_PANIC] = "died",
		[PISCES_COKERNEL_STOPPED] = "stopped",
	};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

/* The name of a system call, "" for a number that Linux does not use either. */
static const char *call_name(unsigned int number)
{
	if (number < sizeof(syscall_names) / sizeof(syscall_names[0]) && syscall_names[number])
		return syscall_names[number];
	return "";
}

static void print_missing(const struct pisces_status *status)
{
	bool any = false;

	for (unsigned int i = 0; i < PISCES_STATUS_CALLS; i++) {
		if (status->missing[i] == 0)
			continue;
		if (!any)
			printf("\nsystem calls that the co-kernel does not have (ENOSYS)\n");
		any = true;
		if (i == PISCES_STATUS_CALLS - 1)
			printf("  %-24s %5s %10" PRIu32 "\n", "(all above)", "",
			       status->missing[i]);
		else
			printf("  %-24s %5u %10" PRIu32 "\n", call_name(i), i, status->missing[i]);
	}
}

static void print_text(const struct pisces_info *info, const struct pisces_status *status,
		       unsigned int cpus)
{
	char memory[32], free_memory[32], age[32], task[16], number[16];

	snprintf(number, sizeof(number), "%" PRIu32, info->enclave);
	printf("enclave %" PRIu32 "%s%s: %s for %s; %" PRIu32 " task%s, %" PRIu32
	       " thread%s; %s of %s of memory free\n",
	       info->enclave, strcmp(info->name, number) ? " " : "",
	       strcmp(info->name, number) ? info->name : "", cokernel_state(status->state),
	       tool_age(info->age_ns, age, sizeof(age)), status->tasks,
	       status->tasks == 1 ? "" : "s", status->threads, status->threads == 1 ? "" : "s",
	       pisces_size_format(status->memory_free, free_memory, sizeof(free_memory)),
	       pisces_size_format(status->memory_total, memory, sizeof(memory)));
	if (info->reason[0] || status->reason[0])
		printf("died: %s\n", info->reason[0] ? info->reason : status->reason);
	if (status->console_lost)
		printf("%" PRIu64 " bytes of its console were lost\n", status->console_lost);

	printf("\n%-5s %-7s %-5s %10s %10s %8s %8s %6s %10s %10s %10s %10s\n", "CPU", "STATE",
	       "TASK", "ENTRIES", "INTERRUPTS", "BELLS", "TIMERS", "STRAYS", "CALLS", "FORWARDED",
	       "FAULTS", "SWITCHES");
	for (unsigned int i = 0; i < cpus; i++) {
		const struct pisces_cpu_status *cpu = &status->cpu[i];

		snprintf(task, sizeof(task), "%" PRIu32, cpu->task);
		printf("%-5u %-7s %-5s %10" PRIu64 " %10" PRIu64 " %8" PRIu64 " %8" PRIu64
		       " %6" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n",
		       i, tool_cpu_state(cpu->state), cpu->task == UINT32_MAX ? "-" : task,
		       cpu->heartbeat, cpu->interrupts, cpu->bells, cpu->timers, cpu->strays,
		       cpu->syscalls, cpu->forwarded, cpu->page_faults, cpu->switches);
	}
	print_missing(status);
}

static void print_json_cpu(struct json *json, unsigned int index,
			   const struct pisces_cpu_status *cpu)
{
	json_begin(json, NULL, '{');
	json_number(json, "index", index);
	json_text(json, "state", tool_cpu_state(cpu->state));
	if (cpu->task != UINT32_MAX)
		json_number(json, "task", cpu->task);
	json_number(json, "entries", cpu->heartbeat);
	json_number(json, "interrupts", cpu->interrupts);
	json_number(json, "bells", cpu->bells);
	json_number(json, "timers", cpu->timers);
	json_number(json, "strays", cpu->strays);
	json_number(json, "syscalls", cpu->syscalls);
	json_number(json, "forwarded", cpu->forwarded);
	json_number(json, "page_faults", cpu->page_faults);
	json_number(json, "switches", cpu->switches);
	json_end(json, '}');
}

static void print_json(const struct pisces_info *info, const struct pisces_status *status,
		       unsigned int cpus)
{
	struct json json = {0};

	json_begin(&json, NULL, '{');
	json_number(&json, "number", info->enclave);
	json_text(&json, "name", info->name);
	json_text(&json, "state", tool_enclave_state(info->state));
	json_text(&json, "cokernel", cokernel_state(status->state));
	json_text(&json, "reason", info->reason[0] ? info->reason : status->reason);
	json_number(&json, "age_ns", info->age_ns);
	json_number(&json, "tasks", status->tasks);
	json_number(&json, "threads", status->threads);
	json_number(&json, "memory_total", status->memory_total);
	json_number(&json, "memory_free", status->memory_free);
	json_number(&json, "console_lost", status->console_lost);
	json_number(&json, "boot_tsc", status->boot_tsc);
	json_number(&json, "ready_tsc", status->ready_tsc);
	json_number(&json, "user_tsc", status->user_tsc);
	json_begin(&json, "cpus", '[');
	for (unsigned int i = 0; i < cpus; i++)
		print_json_cpu(&json, i, &status->cpu[i]);
	json_end(&json, ']');
	json_begin(&json, "missing", '[');
	for (unsigned int i = 0; i < PISCES_STATUS_CALLS; i++) {
		if (status->missing[i] == 0)
			continue;
		json_begin(&json, NULL, '{');
		json_number(&json, "call", i);
		json_text(&json, "name",
			  i == PISCES_STATUS_CALLS - 1 ? "(all above)" : call_name(i));
		json_number(&json, "count", status->missing[i]);
		json_end(&json, '}');
	}
	json_end(&json, ']');
	json_end(&json, '}');
}

int command_stat(int argc, char **argv)
{
	static const struct option options[] = {TOOL_OPTION_JSON, TOOL_OPTION_HELP, {0}};
	struct tool_arguments arguments = {
		.help = help, .least = 1, .most = 1, .wanted = TOOL_ONE_ENCLAVE};
	struct pisces_status *status;
	struct pisces_error error;
	struct pisces_info info;
	unsigned int cpus;
	uint32_t enclave;
	int code;

	code = tool_arguments(argc, argv, ":h", options, &arguments, NULL, NULL);
	if (code >= 0)
		return code;
	if (pisces_find(argv[optind], &enclave, &error) < 0 ||
	    pisces_info(enclave, &info, &error) < 0)
		return tool_failed(&error);
	status = pisces_status(enclave, &cpus, &error);
	if (!status)
		return tool_failed(&error);
	if (arguments.json)
		print_json(&info, status, cpus);
	else
		print_text(&info, status, cpus);
	free(status);
	return TOOL_OK;
}
