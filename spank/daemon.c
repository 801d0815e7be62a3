/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slurmd, once at its start: what the administrator wants to find in its log.
 */
#include "enclave.h"

#include <stdlib.h>
#include <unistd.h>

#include <pisces/build_id.h>

static void report_enclaves(void)
{
	struct pisces_error error;
	struct pisces_info info;
	uint32_t *list = NULL;
	int count = pisces_list(&list, &error);
	int i;

	if (count < 0) {
		slurm_info("enclave: this node has no enclaves to offer: %s", error.text);
		return;
	}
	slurm_info("enclave: this node offers enclaves");
	/* What enclaves had that ended while nobody was there to put it back. */
	if (pisces_reclaim(&error) < 0)
		slurm_error("enclave: %s", error.text);
	for (i = 0; i < count; i++)
		if (pisces_info(list[i], &info, &error) == 0)
			slurm_info("enclave: enclave %u (%s) of %u.%u is there; process %d owns it",
				   list[i], info.name, info.job, info.step, (int)info.owner_pid);
	free(list);
}

static void report_file(const char *path, int mode)
{
	if (access(path, mode) != 0)
		slurm_error("enclave: %s: %m; steps with --enclave will fail on this node", path);
}

/*
 * slurmd goes to the node's specialized CPUs before it starts its plugins, and is the one
 * that knows them as Linux does: slurmstepd stays there only with cgroup v1. So it is told.
 */
static void tell_system_cpus(void)
{
	struct pisces_cpuset cpus, all;
	char list[4096];

	/* What an earlier slurmd has left there may be wrong by now. */
	unsetenv(SYSTEM_CPUS_VARIABLE);
	/* Not all that are online, of which enclaves may have some: those that init can have. */
	if (!allocation_affinity(0, &cpus) || !allocation_affinity(1, &all) ||
	    pisces_cpuset_count(&cpus) >= pisces_cpuset_count(&all))
		return;
	pisces_cpuset_format(&cpus, list, sizeof(list));
	if (setenv(SYSTEM_CPUS_VARIABLE, list, 1) == 0)
		slurm_info("enclave: proxies run on CPU %s, as slurmd does", list);
}

int daemon_init(spank_t spank)
{
	struct pisces_request request = { .image = plugin_args.image };

	(void)spank;
	slurm_info("enclave: version %s, for Slurm %u.%02u", PISCES_VERSION_STRING,
		   (unsigned int)SLURM_VERSION_MAJOR(SLURM_VERSION_NUMBER),
		   (unsigned int)SLURM_VERSION_MINOR(SLURM_VERSION_NUMBER));
	if (plugin_args.error.text[0] != '\0')
		slurm_error("enclave: %s", plugin_args.error.text);
	report_file(plugin_args.proxy, X_OK);
	report_file(pisces_image_path(&request), R_OK);
	report_enclaves();
	tell_system_cpus();
	topology_put_right();
	/* A node without enclaves is a good node for all other jobs. */
	return 0;
}
