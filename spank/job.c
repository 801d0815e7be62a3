/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The epilog: the last who looks. Whatever held an enclave of the job, its
 * slurmstepd above all, is dead by now, and with it the enclave; if not, there is
 * someone to be ended.
 */
#include "enclave.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static bool has_enclaves(uint32_t job)
{
	struct pisces_error error;
	struct pisces_info info;
	uint32_t *list = NULL;
	int count = pisces_list(&list, &error);
	bool found = false;
	int i;

	/* Without the module there is none. */
	for (i = 0; i < count && !found; i++)
		found = pisces_info(list[i], &info, &error) == 0 && info.job == job;
	free(list);
	return found;
}

/* Runs `pisces reclaim --job=JOB`. Returns its wait status, or -1 and errno. */
static int reclaim(uint32_t job)
{
	char option[32];
	char *argv[] = { (char *)PISCES_TOOL_PATH, (char *)"reclaim", option, NULL };
	char *environment[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	int status, error;
	pid_t pid;

	snprintf(option, sizeof(option), "--job=%u", job);
	error = posix_spawn(&pid, argv[0], NULL, NULL, argv, environment);
	if (error) {
		errno = error;
		return -1;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

int job_ended(spank_t spank)
{
	uint32_t job;
	int status;

	if (spank_get_item(spank, S_JOB_ID, &job) != ESPANK_SUCCESS || !has_enclaves(job))
		return 0;
	slurm_info("enclave: job %u has ended and an enclave of it has not: reclaiming", job);
	status = reclaim(job);
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
