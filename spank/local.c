/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the user types: all that can be known to be wrong is said here, before
 * there is a job.
 */
#include "enclave.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int local_init(spank_t spank)
{
	options_from_environment();
	return options_register(spank);
}

/* Does a step of a job inherit option NAME from sbatch, salloc or the environment? */
static bool is_inherited(const char *name)
{
	char variable[OPTION_VARIABLE_LEN];

	return getenv(options_variable(name, variable)) != NULL;
}

int local_post_opt(spank_t spank)
{
	const char *other = options_other_given();
	struct pisces_error error;

	(void)spank;
	if (!options_agree()) {
		slurm_error("enclave: the components of a heterogeneous job have one --enclave, of "
			    "which Slurm keeps the last: name all their kinds in it, as "
			    "--enclave=lwk:none");
		return HOOK_FAILED;
	}
	/* In a batch script the one may stand for the job and the other for its steps. */
	if (other && !options_kind_given() && spank_context() == S_CTX_LOCAL &&
	    !is_inherited(other)) {
		slurm_error("enclave: --%s alone makes no enclave: add --enclave=lwk", other);
		return HOOK_FAILED;
	}
	if (options_wanted() && pisces_request_check(options_request(), &error) != 0 &&
	    spank_context() == S_CTX_LOCAL && !is_inherited("enclave-stage")) {
		slurm_error("enclave: --enclave-stage does nothing without staged I/O: add "
			    "--enclave-io=staged");
		return HOOK_FAILED;
	}
	/* A mistake of the administrator's is no reason to stop those who want no enclave. */
	if (options_wanted() && plugin_args.error.text[0] != '\0') {
		slurm_error("enclave: %s", plugin_args.error.text);
		return HOOK_FAILED;
	}
	return 0;
}

/*
 * Slurm copies the program to the nodes by its name, in some versions only after this.
 * Whatever of the words is the program's, at worst there is no guard.
 */
static bool is_bcast(void)
{
	char words[4096];
	size_t size = 0, at;
	FILE *file = fopen("/proc/self/cmdline", "re");
	bool found = getenv("SLURM_BCAST") != NULL;

	if (file) {
		size = fread(words, 1, sizeof(words) - 1, file);
		fclose(file);
	}
	words[size] = '\0';
	for (at = 0; at < size; at += strlen(words + at) + 1)
		found |= strncmp(words + at, "--bcast", 7) == 0;
	/* Not all of them were seen. */
	return found || size == sizeof(words) - 1;
}

int local_user_init(spank_t spank)
{
	uint32_t step_id = 0;
	char **argv = NULL;
	int argc = 0;

	if (!options_wanted() ||
	    spank_get_item(spank, S_JOB_ARGV, &argc, &argv) != ESPANK_SUCCESS || argc < 1 || !argv ||
	    !argv[0])
		return 0;
	progress_of_srun();
	if (program_is_multi_prog(argc, argv)) {
		if (COMPAT_HAS_PREPEND && !options_are_by_component())
			return 0;
		slurm_error("enclave: --enclave and --multi-prog do not go together %s: start each "
			    "program with an srun of its own",
			    COMPAT_HAS_PREPEND ? "with a list of kinds" : "before Slurm 23.11");
		return HOOK_FAILED;
	}
	/* Steps of Slurm's own stay on Linux, and so may a component of which this is not said. */
	if (spank_get_item(spank, S_JOB_STEPID, &step_id) == ESPANK_SUCCESS &&
	    step_id <= STEP_ID_MAX && !options_are_by_component() && !is_bcast())
		program_guard(argv);
	return 0;
}
