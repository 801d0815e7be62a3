/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the user types: all that can be known to be wrong is said here, before
 * there is a job.
 */
#include "enclave.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int local_init(spank_t spank)
{
	return options_register(spank);
}

/* Does a step of a job inherit option NAME from sbatch or salloc? */
static bool is_inherited(const char *name)
{
	char variable[128];
	char *at;

	snprintf(variable, sizeof(variable), "SLURM_SPANK__SLURM_SPANK_OPTION_enclave_%s", name);
	for (at = variable; *at; at++)
		if (!isalnum((unsigned char)*at))
			*at = '_';
	return getenv(variable) != NULL;
}

int local_post_opt(spank_t spank)
{
	const char *other = options_other_given();
	struct pisces_error error;

	(void)spank;
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

#if !COMPAT_HAS_PREPEND
/* srun --multi-prog hands over the file's name and, as one argument, its content. */
static bool is_multi_prog(int argc, char *argv[])
{
	char *content;
	bool same;
	size_t size;
	FILE *file;

	if (argc < 2 || !strchr(argv[1], '\n'))
		return false;
	file = fopen(argv[0], "re");
	if (!file)
		return false;
	size = strlen(argv[1]);
	content = calloc(1, size + 1);
	same = content && fread(content, 1, size, file) == size &&
	       memcmp(content, argv[1], size) == 0;
	free(content);
	fclose(file);
	return same;
}
#endif

int local_user_init(spank_t spank)
{
#if !COMPAT_HAS_PREPEND
	char **argv = NULL;
	int argc = 0;

	if (options_wanted() && spank_get_item(spank, S_JOB_ARGV, &argc, &argv) == ESPANK_SUCCESS &&
	    is_multi_prog(argc, argv)) {
		slurm_error("enclave: --enclave and --multi-prog do not go together before Slurm "
			    "23.11: start each program with an srun of its own");
		return HOOK_FAILED;
	}
#else
	(void)spank;
#endif
	return 0;
}
