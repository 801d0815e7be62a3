/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces run: an enclave, a program in it, and all is given back. */
#include "dump.h"
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* TSC and CLOCK_MONOTONIC at one moment: two of them give the TSC's rate. */
struct moment {
	uint64_t tsc;
	uint64_t ns;
};

static struct moment now(void)
{
	struct moment moment = {.tsc = __builtin_ia32_rdtsc(), .ns = pisces_now_ns()};

	return moment;
}

static double ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

static void tell_start(const struct pisces_plan *plan, const struct pisces_start_times *times)
{
	struct pisces_cpuset cpus = {0};
	char list[512], size[32];
	uint64_t memory = 0;

	for (unsigned int i = 0; i < plan->cpu_count; i++)
		pisces_cpuset_add(&cpus, plan->cpus[i].linux_cpu);
	for (unsigned int i = 0; i < plan->memory_count; i++)
		memory += plan->memory[i].size;
	fprintf(stderr, "enclave: CPUs %s taken in %.1f ms\n",
		pisces_cpuset_format(&cpus, list, sizeof(list)), ms(times->cpus));
	fprintf(stderr, "enclave: %s of memory taken in %.1f ms\n",
		pisces_size_format(memory, size, sizeof(size)), ms(times->memory));
	fprintf(stderr, "enclave: booted in %.1f ms, of these all CPUs started in %.1f ms\n",
		ms(times->boot), ms(times->launch));
}

/* When the first program began, from the boot on; START: a moment well before now. */
static void tell_first_instruction(int enclave_fd, uint64_t boot_tsc, struct moment start)
{
	struct pisces_own_info own;
	struct pisces_status *status;
	struct pisces_error error;
	struct moment end = now();
	unsigned int cpus;

	if (ioctl(enclave_fd, PISCES_IOC_WHO, &own) < 0)
		return;
	status = pisces_status(own.enclave, &cpus, &error);
	if (status && status->user_tsc > boot_tsc && end.tsc > start.tsc)
		fprintf(stderr,
			"enclave: first instruction after %.1f ms (of the program, since the boot "
			"was asked for)\n",
			(double)(status->user_tsc - boot_tsc) * (double)(end.ns - start.ns) /
				(double)(end.tsc - start.tsc) / 1e6);
	free(status);
}

/* If the co-kernel has died: what it said, and had, which is gone once it is closed. */
static void tell_death(int enclave_fd, const struct run_options *options)
{
	struct pisces_own_info own;
	struct pisces_error error;
	struct pisces_info info;
	char text[8192], *next = text, *line;

	if (ioctl(enclave_fd, PISCES_IOC_WHO, &own) < 0 ||
	    pisces_info(own.enclave, &info, &error) < 0 || info.state != PISCES_ENCLAVE_DEAD)
		return;
	if (options->dump && dump_enclave(own.enclave, options->dump, stderr, &error) < 0)
		tool_failed(&error);
	if (pisces_console_tail(own.enclave, text, sizeof(text), &error) < 0)
		return;
	while ((line = strsep(&next, "\n"))) {
		if (*line)
			fprintf(stderr, "enclave: console: %s\n", line);
	}
}

static int start_tasks(const struct run_options *options, const struct pisces_plan *plan,
		       int enclave_fd, struct run_task *tasks, const sigset_t *mask,
		       struct pisces_error *error)
{
	for (unsigned int i = 0; i < options->tasks; i++) {
		unsigned int first, count;
		int task_fd, result;

		pisces_task_share(plan->cpu_count, options->tasks, i, &first, &count);
		task_fd = pisces_enclave_task(enclave_fd, first, count, options->uid, options->gid,
					      error);
		if (task_fd < 0)
			return -1;
		result = run_start(options, plan, &tasks[i], task_fd, mask, error);
		/* The proxy's is the only one: its death must be the last close. */
		close(task_fd);
		if (result < 0)
			return -1;
	}
	return 0;
}

static void tell_progress(const char *what, uint64_t since_ms)
{
	fprintf(stderr, "enclave: %s ... (after %.1f s)\n", what, (double)since_ms / 1000);
}

/* Plans, takes and boots. Returns TOOL_OK or what failed. */
static int take_and_boot(int enclave_fd, const struct run_options *options,
			 struct pisces_plan *plan, struct pisces_start_times *times)
{
	struct pisces_error error;
	int lock, result = TOOL_OK;

	pisces_progress(tell_progress, false);
	lock = pisces_node_lock(&error);
	if (lock < 0)
		return tool_failed(&error);
	if (pisces_plan_here(&options->request, &options->allocation, plan, &error) < 0) {
		result = tool_failed(&error);
	} else {
		if (plan->note[0])
			fprintf(stderr, "enclave: %s\n", plan->note);
		if (pisces_enclave_start(enclave_fd, &options->request, plan, times, &error) < 0) {
			result = tool_failed(&error);
			tell_death(enclave_fd, options);
		}
	}
	close(lock);
	return result;
}

/* Boots and runs on the empty enclave ENCLAVE_FD. Returns the exit code. */
static int run_in(int enclave_fd, const struct run_options *options, const sigset_t *mask)
{
	struct moment start = now();
	struct pisces_start_times times;
	struct pisces_error error;
	struct pisces_plan plan;
	sigset_t signals;
	struct run_task *tasks;
	int code = take_and_boot(enclave_fd, options, &plan, &times);

	if (code != TOOL_OK)
		return code;
	if (times.note[0])
		fprintf(stderr, "enclave: %s\n", times.note);
	if (options->verbose)
		tell_start(&plan, &times);
	tasks = calloc(options->tasks, sizeof(*tasks));
	if (!tasks) {
		fprintf(stderr, "enclave: no memory for %u tasks\n", options->tasks);
		return TOOL_FAILED;
	}
	for (unsigned int i = 0; i < options->tasks; i++)
		tasks[i] = (struct run_task){.id = i, .out.fd = -1, .err.fd = -1};
	/* Until here a signal is our end, after which the module gives all back. */
	run_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (start_tasks(options, &plan, enclave_fd, tasks, mask, &error) < 0) {
		run_kill(tasks, options->tasks);
		code = tool_failed(&error);
	} else {
		code = run_wait(enclave_fd, tasks, options->tasks);
	}
	if (options->verbose)
		tell_first_instruction(enclave_fd, times.boot_tsc, start);
	tell_death(enclave_fd, options);
	free(tasks);
	return code;
}

int command_run(int argc, char **argv)
{
	struct run_options options;
	struct pisces_error error;
	sigset_t early, mask;
	uint64_t begin;
	int code, fd;

	code = run_parse(argc, argv, &options);
	if (code >= 0)
		return code;

	/* Who started us may have ignored it: then no child could be waited for. */
	signal(SIGCHLD, SIG_DFL);
	/* These are the program's, and wait for it. */
	sigemptyset(&early);
	sigaddset(&early, SIGUSR1);
	sigaddset(&early, SIGUSR2);
	sigprocmask(SIG_BLOCK, &early, &mask);
	fd = pisces_enclave_create(&options.request, 0, 0, options.uid, &error);
	if (fd < 0)
		return tool_failed(&error);
	code = run_in(fd, &options, &mask);
	begin = pisces_now_ns();
	close(fd);
	if (options.verbose)
		fprintf(stderr, "enclave: all given back in %.1f ms\n", ms(pisces_now_ns() - begin));
	return code;
}
