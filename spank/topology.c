/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slurmd looks at the node's CPUs when it starts and keeps what it saw in a file. tools/slurmd.c
 * says why that must be all of them, and does it; here it is found and run.
 */
#include "enclave.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static void say(const char *line)
{
	slurm_info("%s", line);
}

void topology_put_right(void)
{
	char path[PATH_MAX], daemon[32];
	const char *const words[] = {"slurmd", daemon, path, NULL};

	if (!conf_spool_file("hwloc_topo_whole.xml", path) || access(path, F_OK) < 0) {
		slurm_info("enclave: hwloc_topo_whole.xml is not in slurmd's spool directory: do not "
			   "restart slurmd while enclaves have CPUs");
		return;
	}
	snprintf(daemon, sizeof(daemon), "--daemon=%d", (int)getpid());
	if (tool_run(words, say) < 0)
		slurm_error("enclave: %s: %m", PISCES_TOOL_PATH);
}
