/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pisces-proxy: the Linux process that stands for a program in an enclave. It
 * has the program's pid, standard streams and rights on Linux, executes what
 * the program asks of Linux, passes signals in and ends as the program does.
 *
 * A skin (srun's plugin, `pisces run`) starts it with the task fd and a few
 * environment variables, see libpisces.h. The program is PISCES_PROXY_PROGRAM
 * with the arguments behind argv[0]; if that is not set, argv[1] and those behind.
 */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ending.h"
#include "message.h"
#include "run.h"
#include "hwloc-glue/libpisces.h"

/* Where the skin's plan wants the proxy; what the step's cpuset refuses is no error. */
static void stay_on(const char *list)
{
	struct pisces_cpuset cpus;
	cpu_set_t *set;
	unsigned int cpu;

	if (!list || pisces_cpuset_parse(list, &cpus) != 0 || pisces_cpuset_count(&cpus) == 0)
		return;
	set = CPU_ALLOC(PISCES_MAX_CPUS);
	if (!set)
		return;
	CPU_ZERO_S(CPU_ALLOC_SIZE(PISCES_MAX_CPUS), set);
	for (cpu = 0; cpu < PISCES_MAX_CPUS; cpu++)
		if (pisces_cpuset_has(&cpus, cpu))
			CPU_SET_S(cpu, CPU_ALLOC_SIZE(PISCES_MAX_CPUS), set);
	sched_setaffinity(0, CPU_ALLOC_SIZE(PISCES_MAX_CPUS), set);
	CPU_FREE(set);
}

static void open_task(struct task *task)
{
	const char *text = getenv(PISCES_ENV_FD);
	char *end;
	long fd;
	int error;

	if (!text)
		message_fail(EXIT_ENCLAVE, "pisces-proxy is started by `pisces run` and by "
			     "`srun --enclave=lwk`, not by hand");
	errno = 0;
	fd = strtol(text, &end, 10);
	if (errno || end == text || *end != '\0' || fd < 0 || fd > INT_MAX)
		message_fail(EXIT_ENCLAVE, "%s=%s is not a descriptor", PISCES_ENV_FD, text);
	error = task_open(task, (int)fd);
	if (error)
		message_fail(EXIT_ENCLAVE, "descriptor %ld is no task of an enclave: %s", fd,
			     strerror(-error));
}

int main(int argc, char *argv[])
{
	const char *program = getenv(PISCES_ENV_PROGRAM);
	struct task task;

	ending_with_parent();
	message_open();
	open_task(&task);
	stay_on(getenv(PISCES_ENV_CPUS));

	if (program) {
		argv[0] = (char *)program;
	} else {
		argv++;
		argc--;
	}
	if (argc < 1)
		message_fail(EXIT_NOT_FOUND, "no program to run");
	run(&task, argc, argv, environ);
}
