/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slurmd, once at its start: what the administrator wants to find in its log.
 */
#include "enclave.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pisces/build_id.h>

static void report_enclaves(void)
{
	struct pisces_error error;
	struct pisces_info *list;
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
		slurm_info("enclave: enclave %u (%s) of %u.%u is there; process %d owns it",
			   list[i].enclave, list[i].name, list[i].job, list[i].step,
			   (int)list[i].owner_pid);
	free(list);
}

static void report_file(const char *path, int mode)
{
	if (access(path, mode) != 0)
		slurm_error("enclave: %s: %m; steps with --enclave will fail on this node", path);
}

/*
 * The list of CPUs where process PID may run, also those that enclaves have now; "" if it is
 * not told.
 */
static void may_run(const char *pid, char list[4096])
{
	static const char key[] = "Cpus_allowed_list:\t";
	char path[64], line[4096 + sizeof(key)];
	FILE *file;

	list[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, sizeof(key) - 1) == 0)
			snprintf(list, 4096, "%.*s", (int)strcspn(line + sizeof(key) - 1, "\n"),
				 line + sizeof(key) - 1);
	}
	fclose(file);
}

/*
 * slurmd goes to the node's specialized CPUs before it starts its plugins, and is the one
 * that knows them as Linux does: slurmstepd stays there only with cgroup v1. So it is told.
 */
static void tell_system_cpus(void)
{
	char own[4096], all[4096];

	/* What an earlier slurmd has left there may be wrong by now. */
	unsetenv(SYSTEM_CPUS_VARIABLE);
	may_run("self", own);
	may_run("1", all);
	/*
	 * Without such CPUs it may run wherever init may; or, as its cgroup outlives it, where the
	 * last one was that had some.
	 */
	if (own[0] == '\0' || strcmp(own, all) == 0 || conf_knows_no_specialized_core())
		return;
	if (setenv(SYSTEM_CPUS_VARIABLE, own, 1) == 0)
		slurm_info("enclave: proxies run on CPU %s, as slurmd does", own);
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
