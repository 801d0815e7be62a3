/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A step on a node, in slurmstepd, as root: makes the enclave, gives each task its
 * part, and closes the enclave's descriptor, which gives everything back, when
 * the last task has ended. If slurmstepd is killed, the kernel closes it.
 *
 * Nothing that goes wrong here is returned: it is kept for the tasks to report.
 * Slurm calls these hooks one after the other, from one thread.
 */
#include "enclave.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TASK_LIMIT PISCES_MAX_TASKS

static struct {
	bool is_ours;
	uint32_t job, step;
	uid_t uid;
	gid_t gid;
	uint32_t tasks;	      /* on this node */
	uint32_t tasks_ended;
	struct pisces_error error; /* remembered; "" as long as all is well */
	struct handover *handover;
	int enclave;	      /* fd, or -1 */
	pid_t closed_by;      /* which process closed it */
	bool started;	      /* or tried to */
	struct pisces_plan plan;
} step = { .enclave = -1 };

struct handover *step_handover(void)
{
	return step.handover;
}

bool step_is_ours(void)
{
	return step.is_ours;
}

const char *step_error(void)
{
	return step.error.text;
}

static void remember(const char *why)
{
	if (step.error.text[0] != '\0')
		return;
	snprintf(step.error.text, sizeof(step.error.text), "%s", why);
	slurm_info("enclave: step %u.%u will fail: %s", step.job, step.step, why);
}

/*
 * Gives all back to Linux; may take some seconds. The number is kept: where
 * task_exit runs with descriptors of its own (contain_spank of 24.05), closing it
 * there leaves slurmstepd's open, which is then closed in slurmstepd.
 */
static void close_enclave(void)
{
	if (step.enclave < 0 || step.closed_by == getpid())
		return;
	close(step.enclave);
	step.closed_by = getpid();
}

int step_init(spank_t spank)
{
	/* What fails here would drain the node: the option is then missing, and said so. */
	options_register(spank);
	return 0;
}

/* The job's scripts and Slurm's helpers stay on Linux. */
static bool is_for_people(uint32_t step_id)
{
	return step_id <= SLURM_MAX_NORMAL_STEP_ID;
}

int step_post_opt(spank_t spank)
{
	struct pisces_error error;

	if (spank_get_item(spank, S_JOB_STEPID, &step.step) != ESPANK_SUCCESS ||
	    !is_for_people(step.step) || !options_wanted())
		return 0;
	step.is_ours = true;
	if (spank_get_item(spank, S_JOB_ID, &step.job) != ESPANK_SUCCESS ||
	    spank_get_item(spank, S_JOB_UID, &step.uid) != ESPANK_SUCCESS ||
	    spank_get_item(spank, S_JOB_GID, &step.gid) != ESPANK_SUCCESS ||
	    spank_get_item(spank, S_JOB_LOCAL_TASK_COUNT, &step.tasks) != ESPANK_SUCCESS) {
		remember("Slurm does not say whose step this is");
		return 0;
	}
	if (plugin_args.error.text[0] != '\0') {
		remember(plugin_args.error.text);
		return 0;
	}
	if (options_error()[0] != '\0') {
		remember(options_error());
		return 0;
	}
	if (step.tasks > TASK_LIMIT) {
		remember("more tasks on a node than an enclave can have");
		return 0;
	}
	step.enclave = pisces_enclave_create(options_request(), step.job, step.step, step.uid,
					     &error);
	if (step.enclave < 0) {
		remember(error.text);
		return 0;
	}
	step.handover = handover_make(step.tasks, &error);
	if (!step.handover)
		remember(error.text);
	return 0;
}

/* Plans and boots, on behalf of the first task, whose process shows the step's cpuset. */
static void start(spank_t spank, pid_t task_pid)
{
	struct pisces_allocation allocation = { 0 };
	struct pisces_start_times times;
	struct pisces_error error;
	char list[1024];

	step.started = true;
	if (step.error.text[0] != '\0')
		return;
	if (allocation_of_step(spank, task_pid, &allocation, &error) != 0 ||
	    pisces_plan_here(options_request(), &allocation, &step.plan, &error) != 0 ||
	    pisces_enclave_start(step.enclave, options_request(), &step.plan, &times,
				 &error) != 0) {
		remember(error.text);
		/* At once, not at the step's end: others may wait for these CPUs. */
		close_enclave();
		return;
	}
	slurm_info("enclave: step %u.%u has %u CPUs away from Linux, which keeps its proxies on "
		   "%s; took %llu ms for CPUs, %llu ms for memory, %llu ms for the co-kernel",
		   step.job, step.step, step.plan.cpu_count,
		   pisces_cpuset_format(&step.plan.linux_cpus, list, sizeof(list)),
		   (unsigned long long)times.cpus / 1000000,
		   (unsigned long long)times.memory / 1000000,
		   (unsigned long long)times.boot / 1000000);
}

static int make_task(unsigned int task, struct handover_news *news)
{
	struct pisces_error error;
	unsigned int first, count;
	int fd = -1;

	if (step.error.text[0] == '\0') {
		pisces_task_share(step.plan.cpu_count, step.tasks, task, &first, &count);
		fd = pisces_enclave_task(step.enclave, first, count, step.uid, step.gid, &error);
		if (fd < 0)
			snprintf(news->text, sizeof(news->text), "%s", error.text);
	} else {
		snprintf(news->text, sizeof(news->text), "%s", step.error.text);
	}
	news->good = fd >= 0;
	pisces_cpuset_format(&step.plan.linux_cpus, news->cpus, sizeof(news->cpus));
	if (task == 0)
		snprintf(news->note, sizeof(news->note), "%s", step.plan.note);
	return fd;
}

int step_task_forked(spank_t spank)
{
	struct handover_news news = { 0 };
	pid_t pid = 0;
	int task = -1;
	int fd;

	if (!step.is_ours || !step.handover)
		return 0;
	if (spank_get_item(spank, S_TASK_ID, &task) != ESPANK_SUCCESS || task < 0 ||
	    spank_get_item(spank, S_TASK_PID, &pid) != ESPANK_SUCCESS)
		return 0;
	if (!step.started)
		start(spank, pid);
	fd = make_task((unsigned int)task, &news);
	handover_send(step.handover, (unsigned int)task, &news, fd);
	if (fd >= 0)
		close(fd);
	return 0;
}

int step_task_ended(spank_t spank)
{
	(void)spank;
	if (step.is_ours && ++step.tasks_ended >= step.tasks)
		close_enclave();
	return 0;
}

int step_ended(spank_t spank)
{
	(void)spank;
	close_enclave();
	return 0;
}
