/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The epilog: the last who looks. Whatever held an enclave of the job, its
 * slurmstepd above all, is dead by now, and with it the enclave; if not, there is
 * someone to be ended.
 */
#include "enclave.h"

#include <stdio.h>
#include <stdlib.h>

static bool has_enclaves(uint32_t job)
{
	struct pisces_error error;
	struct pisces_info *list;
	int count = pisces_list(&list, &error);
	bool found = false;
	int i;

	/* Without the module there is none. */
	for (i = 0; i < count && !found; i++)
		found = list[i].job == job;
	free(list);
	return found;
}

int job_ended(spank_t spank)
{
	char option[32];
	const char *const words[] = { "reclaim", option, NULL };
	uint32_t job;
	int status;

	if (spank_get_item(spank, S_JOB_ID, &job) != ESPANK_SUCCESS || !has_enclaves(job))
		return 0;
	slurm_info("enclave: job %u has ended and an enclave of it has not: reclaiming", job);
	snprintf(option, sizeof(option), "--job=%u", job);
	status = tool_run(words, NULL);
	if (status == 0)
		return 0;
	if (status < 0)
		slurm_error("enclave: %s: %m", PISCES_TOOL_PATH);
	/* Draining is right here, and only here: the node has not all of its CPUs. */
	if (!has_enclaves(job))
		return 0;
	slurm_error("enclave: an enclave of job %u cannot be ended: its CPUs and memory are missing "
		    "on this node; see `pisces list` and the kernel log", job);
	return HOOK_FAILED;
}
