/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A task, in its own process, as the user, just before exec. Here an error is
 * what it is in every version of Slurm: a line for the user, exit code 1, a
 * failed job, and a node that stays in service.
 */
#include "enclave.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int refuse(const char *why)
{
	slurm_error("enclave: %s", why);
	return HOOK_FAILED;
}

static int set(spank_t spank, const char *name, const char *value)
{
	return spank_setenv(spank, name, value, 1) == ESPANK_SUCCESS ? 0 : -1;
}

/* A job's environment may have been made by an enclave's task: what is not wanted is unset. */
static int set_io(spank_t spank, const struct pisces_request *request)
{
	spank_unsetenv(spank, PISCES_ENV_IO);
	spank_unsetenv(spank, PISCES_ENV_STAGE);
	if (request->io != PISCES_IO_STAGED)
		return 0;
	return set(spank, PISCES_ENV_IO, "staged") != 0 ||
			       set(spank, PISCES_ENV_STAGE, request->stage) != 0 ? -1 : 0;
}

/*
 * Has the proxy executed in the program's place, with the program's arguments.
 * What Slurm does after this hook (task prolog, limits) it does for the proxy.
 */
static int put_proxy(spank_t spank)
{
#if COMPAT_HAS_PREPEND
	const char *words[] = { plugin_args.proxy };

	/* Without the variable the proxy takes argv[1] for the program. */
	spank_unsetenv(spank, PISCES_ENV_PROGRAM);
	return spank_prepend_task_argv(spank, 1, words) == ESPANK_SUCCESS ? 0 : -1;
#else
	char **argv = NULL;
	int argc = 0;

	/* The array is the one that is executed. */
	if (spank_get_item(spank, S_JOB_ARGV, &argc, &argv) != ESPANK_SUCCESS || argc < 1 ||
	    !argv || !argv[0] || set(spank, PISCES_ENV_PROGRAM, argv[0]) != 0)
		return -1;
	argv[0] = strdup(plugin_args.proxy);
	return argv[0] ? 0 : -1;
#endif
}

int task_replace(spank_t spank, struct handover *all)
{
	struct handover_news news;
	char number[16];
	int task, fd;

	if (spank_get_item(spank, S_TASK_ID, &task) != ESPANK_SUCCESS)
		return refuse("Slurm does not say which task this is");
	/* What is wrong with the node is said once, by its first task. */
	if (!all)
		return task == 0 ? refuse(step_error()) : HOOK_FAILED;
	fd = handover_receive(all, (unsigned int)task, &news);
	if (!news.good || fd < 0) {
		if (fd >= 0)
			close(fd);
		if (news.said)
			return HOOK_FAILED;
		return refuse(news.text[0] != '\0' ? news.text : "no descriptor came for the task");
	}
	if (news.note[0] != '\0')
		slurm_spank_log("enclave: %s", news.note);

	snprintf(number, sizeof(number), "%d", fd);
	if (access(plugin_args.proxy, X_OK) != 0) {
		if (task == 0)
			slurm_error("enclave: the proxy %s: %m", plugin_args.proxy);
		return HOOK_FAILED;
	}
	if (set(spank, PISCES_ENV_FD, number) != 0 || set(spank, PISCES_ENV_CPUS, news.cpus) != 0 ||
	    set_io(spank, options_request()) != 0 || put_proxy(spank) != 0)
		return refuse("Slurm does not let the proxy be put before the program");
	return 0;
}
