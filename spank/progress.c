/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What takes long, told to the user while it lasts: once per step and node, by
 * slurmstepd. srun -v, or ENCLAVE_VERBOSE=1 in the step's environment, has all told.
 */
#include "enclave.h"

#include <stdlib.h>
#include <string.h>

#define VARIABLE "ENCLAVE_VERBOSE"

static void say(const char *what, uint64_t ms)
{
	slurm_spank_log("enclave: %s: %s ... (after %.1f s)", pisces_node_name(), what,
			(double)ms / 1000);
}

bool progress_is_wanted(spank_t spank)
{
	char value[16];

	return spank_getenv(spank, VARIABLE, value, sizeof(value)) == ESPANK_SUCCESS &&
	       value[0] != '\0' && strcmp(value, "0") != 0;
}

void progress_begins(spank_t spank)
{
	pisces_progress(say, progress_is_wanted(spank));
}

void progress_ends(void)
{
	pisces_progress(NULL, false);
}

void progress_of_srun(void)
{
	if (slurm_get_log_level && slurm_get_log_level() >= LOG_LEVEL_OF_V)
		setenv(VARIABLE, "1", 0);
}
