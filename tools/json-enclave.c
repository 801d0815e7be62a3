/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json-enclave.h"

void json_enclave(struct json *json, const struct pisces_info *info)
{
	struct pisces_cpuset cpus = pisces_info_cpus(info);
	char list[4096];

	json_number(json, "number", info->enclave);
	json_text(json, "name", info->name);
	json_text(json, "state", tool_enclave_state(info->state));
	json_text(json, "reason", info->reason);
	json_number(json, "cpu_count", info->cpu_count);
	json_text(json, "cpus", pisces_cpuset_format(&cpus, list, sizeof(list)));
	json_number(json, "memory", info->memory);
	json_number(json, "tasks", info->tasks);
	json_number(json, "silent_ns", info->silent_ns);
}
