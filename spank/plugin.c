/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enclave.so: `srun --enclave=lwk` for Slurm. Each hook in each context of Slurm,
 * and who deals with it.
 *
 * A hook that fails early in slurmstepd drains the node, or is not even noticed
 * (22.05): there errors are remembered, and reported by the task itself, last
 * before exec, which all versions of Slurm take for what it is.
 */
#include "enclave.h"

SPANK_PLUGIN(enclave, 1);

int slurm_spank_init(spank_t spank, int ac, char *argv[])
{
	args_parse(ac, argv);
	switch (spank_context()) {
	case S_CTX_LOCAL:
	case S_CTX_ALLOCATOR:
		return local_init(spank);
	case S_CTX_REMOTE:
		return step_init(spank);
	case S_CTX_SLURMD:
		return daemon_init(spank);
	default:
		return 0;
	}
}

int slurm_spank_init_post_opt(spank_t spank, int ac, char *argv[])
{
	(void)ac, (void)argv;
	switch (spank_context()) {
	case S_CTX_LOCAL:
	case S_CTX_ALLOCATOR:
		return local_post_opt(spank);
	case S_CTX_REMOTE:
		return step_post_opt(spank);
	default:
		return 0;
	}
}

int slurm_spank_local_user_init(spank_t spank, int ac, char *argv[])
{
	(void)ac, (void)argv;
	return local_user_init(spank);
}

int slurm_spank_user_init(spank_t spank, int ac, char *argv[])
{
	(void)ac, (void)argv;
	return step_warn(spank);
}

int slurm_spank_task_post_fork(spank_t spank, int ac, char *argv[])
{
	(void)ac, (void)argv;
	return step_task_forked(spank);
}

int slurm_spank_task_init(spank_t spank, int ac, char *argv[])
{
	(void)ac, (void)argv;
	return step_is_ours() ? task_replace(spank, step_handover()) : 0;
}

int slurm_spank_task_exit(spank_t spank, int ac, char *argv[])
{
	(void)ac, (void)argv;
	return step_task_ended(spank);
}

int slurm_spank_exit(spank_t spank, int ac, char *argv[])
{
	(void)ac, (void)argv;
	return spank_context() == S_CTX_REMOTE ? step_ended(spank) : 0;
}

int slurm_spank_job_epilog(spank_t spank, int ac, char *argv[])
{
	(void)ac, (void)argv;
	return job_ended(spank);
}
