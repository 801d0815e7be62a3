/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pisces top shows, as text and as JSON. */
#include "json-enclave.h"
#include "top.h"

#include <inttypes.h>

struct cells {
	char calls[24], forwarded[24], interrupts[24], faults[24], beats[24];
};

static void cell(char *text, size_t size, bool known, uint64_t value)
{
	if (known)
		snprintf(text, size, "%" PRIu64, value);
	else
		snprintf(text, size, "-");
}

static void fill(struct cells *cells, const struct top_rates *rates)
{
	const struct top_counters *value = &rates->per_second;

	cell(cells->calls, sizeof(cells->calls), rates->known, value->calls);
	cell(cells->forwarded, sizeof(cells->forwarded), rates->known, value->forwarded);
	cell(cells->interrupts, sizeof(cells->interrupts), rates->known, value->interrupts);
	cell(cells->faults, sizeof(cells->faults), rates->known, value->faults);
	cell(cells->beats, sizeof(cells->beats), rates->known, value->beats);
}

/* "12 ms", "3.4 s", or as in pisces list. */
static char *silence(uint64_t ns, char *text, size_t size)
{
	if (ns >= 60000000000u)
		return tool_age(ns, text, size);
	if (ns >= 1000000000u)
		snprintf(text, size, "%.1f s", (double)ns / 1e9);
	else
		snprintf(text, size, "%" PRIu64 " ms", ns / 1000000u);
	return text;
}

/* Both change while they are read, and are the co-kernel's word. */
static uint64_t memory_used(const struct pisces_status *status)
{
	return status->memory_free < status->memory_total ?
		       status->memory_total - status->memory_free :
		       0;
}

static void print_enclave(FILE *to, const struct top_enclave *enclave,
			  const struct top_rates *rates)
{
	const struct pisces_info *info = &enclave->info;
	const struct pisces_status *status = enclave->status;
	char used[32] = "-", total[32], memory[72], silent[32];
	struct cells cells;

	fill(&cells, rates);
	if (status)
		pisces_size_format(memory_used(status), used, sizeof(used));
	snprintf(memory, sizeof(memory), "%s / %s", used,
		 pisces_size_format(info->memory, total, sizeof(total)));
	fprintf(to, "%-6" PRIu32 " %-12.12s %-8s %4" PRIu32 " %-21s %5" PRIu32 " %7" PRIu32
		    " %9s %9s %9s %9s %8s\n",
		info->enclave, info->name[0] ? info->name : "-", tool_enclave_state(info->state),
		info->cpu_count, memory, info->tasks, status ? status->threads : 0, cells.calls,
		cells.forwarded, cells.interrupts, cells.beats,
		silence(info->silent_ns, silent, sizeof(silent)));
	if (info->reason[0])
		fprintf(to, "       died: %s\n", info->reason);
}

static void print_cpu(FILE *to, const struct top_enclave *enclave, unsigned int index,
		      const struct top_rates *rates)
{
	const struct pisces_cpu_status *cpu = &enclave->status->cpu[index];
	char number[16] = "-", task[16] = "-", node[16] = "-";
	struct cells cells;

	fill(&cells, rates);
	if (top_linux_cpu(enclave, index) >= 0) {
		snprintf(number, sizeof(number), "%d", top_linux_cpu(enclave, index));
		snprintf(node, sizeof(node), "%" PRIu32, enclave->places[index].node);
	}
	if (cpu->task != UINT32_MAX)
		snprintf(task, sizeof(task), "%" PRIu32, cpu->task);
	fprintf(to, "%6s %5s %4s  %-8s %5s %9s %9s %9s %9s %9s\n", "", number, node,
		tool_cpu_state(cpu->state), task, cells.calls, cells.forwarded, cells.interrupts,
		cells.faults, cells.beats);
}

void top_print(FILE *to, const struct top_sample *before, const struct top_sample *now, bool cpus)
{
	fprintf(to, "%-6s %-12s %-8s %4s %-21s %5s %7s %9s %9s %9s %9s %8s\n", "NUMBER", "NAME",
		"STATE", "CPUS", "MEMORY USED / ALL", "TASKS", "THREADS", "CALLS/s", "FORWARD/s",
		"INTRPTS/s", "BEATS/s", "SILENT");
	for (unsigned int i = 0; i < now->count; i++) {
		const struct top_enclave *enclave = &now->enclaves[i];
		struct top_rates rates = top_rates(before, now, i, -1);

		print_enclave(to, enclave, &rates);
		if (!cpus || enclave->cpu_count == 0)
			continue;
		fprintf(to, "%6s %5s %4s  %-8s %5s %9s %9s %9s %9s %9s\n", "", "CPU", "NODE",
			"STATE", "TASK", "CALLS/s", "FORWARD/s", "INTRPTS/s", "FAULTS/s",
			"BEATS/s");
		for (unsigned int cpu = 0; cpu < enclave->cpu_count; cpu++) {
			rates = top_rates(before, now, i, (int)cpu);
			print_cpu(to, enclave, cpu, &rates);
		}
	}
	if (now->count == 0)
		fprintf(to, "no enclave\n");
}

/* Rates that are not known are not there. */
static void json_rates(struct json *json, const struct top_rates *rates)
{
	const struct top_counters *value = &rates->per_second;

	if (!rates->known)
		return;
	json_number(json, "syscalls_per_second", value->calls);
	json_number(json, "forwarded_per_second", value->forwarded);
	json_number(json, "interrupts_per_second", value->interrupts);
	json_number(json, "page_faults_per_second", value->faults);
	json_number(json, "heartbeats_per_second", value->beats);
}

static void json_cpu(struct json *json, const struct top_enclave *enclave, unsigned int index,
		     const struct top_rates *rates)
{
	const struct pisces_cpu_status *cpu = &enclave->status->cpu[index];

	json_begin(json, NULL, '{');
	json_number(json, "index", index);
	if (top_linux_cpu(enclave, index) >= 0) {
		json_number(json, "cpu", (uint64_t)top_linux_cpu(enclave, index));
		json_number(json, "node", enclave->places[index].node);
	}
	json_text(json, "state", tool_cpu_state(cpu->state));
	if (cpu->task != UINT32_MAX)
		json_number(json, "task", cpu->task);
	json_number(json, "heartbeat", cpu->heartbeat);
	json_rates(json, rates);
	json_end(json, '}');
}

static void print_json_enclave(struct json *json, const struct top_sample *before,
			 const struct top_sample *now, unsigned int index)
{
	const struct top_enclave *enclave = &now->enclaves[index];
	struct top_rates rates = top_rates(before, now, index, -1);
	const struct pisces_status *status = enclave->status;

	json_begin(json, NULL, '{');
	json_enclave(json, &enclave->info);
	if (status) {
		json_number(json, "threads", status->threads);
		json_number(json, "memory_total", status->memory_total);
		json_number(json, "memory_used", memory_used(status));
	}
	json_rates(json, &rates);
	json_begin(json, "cpu", '[');
	for (unsigned int cpu = 0; cpu < enclave->cpu_count; cpu++) {
		rates = top_rates(before, now, index, (int)cpu);
		json_cpu(json, enclave, cpu, &rates);
	}
	json_end(json, ']');
	json_end(json, '}');
}

void top_print_json(const struct top_sample *before, const struct top_sample *now)
{
	struct json json = {0};

	json_begin(&json, NULL, '{');
	json_number(&json, "interval_ns", now->when_ns - before->when_ns);
	json_begin(&json, "enclaves", '[');
	for (unsigned int i = 0; i < now->count; i++)
		print_json_enclave(&json, before, now, i);
	json_end(&json, ']');
	json_end(&json, '}');
}
