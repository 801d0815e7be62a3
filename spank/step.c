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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TASK_LIMIT PISCES_MAX_TASKS

static struct {
	bool is_ours;
	uint32_t job, step;
	uid_t uid;
	gid_t gid;
	uint32_t tasks;	      /* on this node */
	uint32_t tasks_forked;
	pid_t pids[TASK_LIMIT];
	uint32_t tasks_ended;
	struct pisces_error error; /* remembered; "" as long as all is well */
	struct handover *handover;
	int enclave;	      /* fd, or -1 */
	pid_t closed_by;      /* which process closed it */
	struct pisces_plan plan;
	struct pisces_start_times times;
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
	return step_id <= STEP_ID_MAX;
}

/*
 * What mpirun starts by srun inherits the job's --enclave, and is no program of the user's:
 * it starts those, by fork(2), on Linux.
 */
static bool is_launcher(spank_t spank)
{
	static const char *const names[] = { "orted", "prted", "hydra_pmi_proxy",
					     "hydra_bstrap_proxy" };
	const char *name, *slash;
	char **argv = NULL;
	int argc = 0;
	size_t i;

	if (spank_get_item(spank, S_JOB_ARGV, &argc, &argv) != ESPANK_SUCCESS || argc < 1 || !argv ||
	    !argv[0])
		return false;
	slash = strrchr(argv[0], '/');
	name = slash ? slash + 1 : argv[0];
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

int step_post_opt(spank_t spank)
{
	struct pisces_error error;

	if (spank_get_item(spank, S_JOB_STEPID, &step.step) != ESPANK_SUCCESS ||
	    !is_for_people(step.step) || !options_wanted() || is_launcher(spank))
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

/*
 * Any step, as soon as what it says reaches the user: Slurm cannot start a task all
 * of whose CPUs are away, and what it says of that helps nobody.
 */
int step_warn(spank_t spank)
{
	struct pisces_cpuset cpus;
	struct pisces_error error;
	struct pisces_info info;
	uint32_t *list = NULL, id, job;
	int count, i;

	if (spank_get_item(spank, S_JOB_STEPID, &id) != ESPANK_SUCCESS || !is_for_people(id) ||
	    spank_get_item(spank, S_JOB_ID, &job) != ESPANK_SUCCESS ||
	    !allocation_cpus_of_slurm(spank, &cpus))
		return 0;
	count = pisces_list(&list, &error);
	for (i = 0; i < count; i++) {
		unsigned int word, shared = 0;

		if (pisces_info(list[i], &info, &error) != 0 || info.job != job)
			continue;
		for (word = 0; word < PISCES_CPU_WORDS; word++)
			shared |= (info.cpus[word] & cpus.word[word]) != 0;
		if (shared)
			slurm_spank_log("enclave: CPUs of this step are away from Linux, in the "
					"enclave of step %u.%u: give steps beside each other CPUs "
					"of their own (srun --exact)", info.job, info.step);
	}
	free(list);
	return 0;
}

/* Plans and boots. The process of a task, TASK_PID, shows the step's cpuset. */
static void start(spank_t spank, pid_t task_pid)
{
	struct pisces_allocation allocation = { 0 };
	struct pisces_start_times *times = &step.times;
	struct pisces_error error;
	char list[1024];
	int lock, failed;

	if (step.error.text[0] != '\0')
		return;
	lock = pisces_node_lock(&error);
	if (lock < 0)
		slurm_info("enclave: %s; steps that start at once may get too much", error.text);
	failed = allocation_of_step(spank, task_pid, &allocation, &error) != 0 ||
		 pisces_plan_here(options_request(), &allocation, &step.plan, &error) != 0 ||
		 pisces_enclave_start(step.enclave, options_request(), &step.plan, times,
				      &error) != 0;
	if (failed) {
		remember(error.text);
		/* At once, not at the step's end: others may wait for these CPUs. */
		close_enclave();
	}
	if (lock >= 0)
		close(lock);
	if (failed)
		return;
	slurm_info("enclave: step %u.%u has %u CPUs away from Linux, which keeps its proxies on "
		   "%s; took %llu ms for CPUs, %llu ms for memory, %llu ms for the co-kernel",
		   step.job, step.step, step.plan.cpu_count,
		   pisces_cpuset_format(&step.plan.linux_cpus, list, sizeof(list)),
		   (unsigned long long)times->cpus / 1000000,
		   (unsigned long long)times->memory / 1000000,
		   (unsigned long long)times->boot / 1000000);
}

/* Tells task TASK what it has, or why it has nothing. */
static void tell(unsigned int task)
{
	struct handover_news news = { 0 };
	struct pisces_error error;
	unsigned int first, count;
	int fd = -1;

	if (step.error.text[0] == '\0') {
		pisces_task_share(step.plan.cpu_count, step.tasks, task, &first, &count);
		fd = pisces_enclave_task(step.enclave, first, count, step.uid, step.gid, &error);
		if (fd < 0) {
			snprintf(news.text, sizeof(news.text), "%s", error.text);
			slurm_info("enclave: step %u.%u, task %u: %s", step.job, step.step, task,
				   error.text);
		}
	} else {
		snprintf(news.text, sizeof(news.text), "%s", step.error.text);
		news.said = task != 0;
	}
	news.good = fd >= 0;
	pisces_cpuset_format(&step.plan.linux_cpus, news.cpus, sizeof(news.cpus));
	if (task == 0)
		snprintf(news.note, sizeof(news.note), "%s%s%s", step.plan.note,
			 step.plan.note[0] && step.times.note[0] ? "; " : "", step.times.note);
	handover_send(step.handover, task, &news, fd);
	if (fd >= 0)
		close(fd);
}

/*
 * Slurm binds a task to its CPUs just before this hook, one task after the other,
 * and gives the step up if one of them is gone: so CPUs are taken when the last
 * task has been bound. All tasks wait until then.
 */
int step_task_forked(spank_t spank)
{
	pid_t pid = 0;
	uint32_t task;

	if (!step.is_ours || !step.handover || step.tasks_forked >= step.tasks)
		return 0;
	if (spank_get_item(spank, S_TASK_PID, &pid) != ESPANK_SUCCESS)
		remember("Slurm does not say which process a task is");
	step.pids[step.tasks_forked] = pid;
	if (++step.tasks_forked < step.tasks)
		return 0;
	start(spank, pid);
	for (task = 0; task < step.tasks; task++) {
		if (step.error.text[0] == '\0' && step.pids[task] > 0)
			pisces_oom_balance(step.pids[task], &step.plan);
		tell(task);
	}
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
	handover_free(step.handover);
	step.handover = NULL;
	return 0;
}
