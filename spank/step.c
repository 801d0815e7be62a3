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
 * Which component of a heterogeneous job this is, counted from 0; -1 if the job is none.
 * Each has a job id of its own, that the environment tells.
 */
static int component_of(spank_t spank)
{
	static const char *const names[] = { "SLURM_JOB_ID_HET_GROUP_%d",
					     "SLURM_JOB_ID_PACK_GROUP_%d" };
	char name[64], value[32];
	int component;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (component = 0;; component++) {
			snprintf(name, sizeof(name), names[i], component);
			if (spank_getenv(spank, name, value, sizeof(value)) != ESPANK_SUCCESS)
				break;
			if (strtoul(value, NULL, 10) == step.job)
				return component;
		}
	}
	return -1;
}

/* Shall this step be in an enclave? If it cannot be, *WHY says why, else it is "". */
static bool is_wanted(spank_t spank, struct pisces_error *why)
{
	bool guarded = false, multi_prog = false, launcher = false;
	char **argv = NULL;
	int argc = 0;

	why->text[0] = '\0';
	if (spank_get_item(spank, S_JOB_ARGV, &argc, &argv) == ESPANK_SUCCESS && argc > 0 && argv &&
	    argv[0]) {
		/* First of all: it must not be executed so. */
		guarded = program_unguard(argv);
		multi_prog = program_is_multi_prog(argc, argv);
		launcher = program_is_launcher(argv[0]);
	}
	if (launcher)
		return false;
	if (!options_wanted()) {
		if (guarded)
			snprintf(why->text, sizeof(why->text),
				 "srun asks for an enclave, and node %s does not get to hear of it: the "
				 "plugins of both must be of one release", pisces_node_name());
		return guarded;
	}
	if (options_error()[0] != '\0') {
		snprintf(why->text, sizeof(why->text), "%s", options_error());
		return true;
	}
	if (options_are_by_component() && options_choose(component_of(spank), why) != 0)
		return true;
	if (options_request()->kind == PISCES_KIND_NONE)
		return false;
	if (multi_prog && !COMPAT_HAS_PREPEND)
		snprintf(why->text, sizeof(why->text),
			 "--enclave and --multi-prog do not go together before Slurm 23.11: start "
			 "each program with an srun of its own");
	return true;
}

/*
 * Any step, on Linux too: Slurm binds its tasks to CPUs of which some may be on their way back
 * from the step before, and gives up if one is not there.
 */
static void await_step_before(spank_t spank)
{
	struct pisces_cpuset cpus;

	if (allocation_cpus_of_slurm(spank, &cpus))
		pisces_await_endings(&cpus);
}

int step_post_opt(spank_t spank)
{
	struct pisces_error error;

	await_step_before(spank);
	if (spank_get_item(spank, S_JOB_STEPID, &step.step) != ESPANK_SUCCESS ||
	    !is_for_people(step.step))
		return 0;
	spank_get_item(spank, S_JOB_ID, &step.job);
	if (!is_wanted(spank, &error))
		return 0;
	step.is_ours = true;
	if (step.job == 0 ||
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
	if (error.text[0] != '\0') {
		remember(error.text);
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
	struct pisces_cpuset cpus, left;
	struct pisces_error error;
	struct pisces_info *list;
	uint32_t id, job, owner = 0;
	char had[128], has[128];
	bool shared = false;
	int count, i;

	if (spank_get_item(spank, S_JOB_STEPID, &id) != ESPANK_SUCCESS || !is_for_people(id) ||
	    spank_get_item(spank, S_JOB_ID, &job) != ESPANK_SUCCESS ||
	    !allocation_cpus_of_slurm(spank, &cpus))
		return 0;
	left = cpus;
	count = pisces_list(&list, &error);
	for (i = 0; i < count; i++) {
		unsigned int word;

		if (list[i].job != job)
			continue;
		for (word = 0; word < PISCES_CPU_WORDS; word++) {
			if ((list[i].cpus[word] & cpus.word[word]) == 0)
				continue;
			shared = true;
			owner = list[i].step;
			left.word[word] &= ~list[i].cpus[word];
		}
	}
	free(list);
	if (!shared)
		return 0;
	pisces_cpuset_format(&cpus, had, sizeof(had));
	if (pisces_cpuset_count(&left) == 0)
		slurm_spank_log("enclave: CPUs %s of this step are away from Linux, in the enclave of "
				"step %u.%u, and it has no other, so it cannot start: give steps beside "
				"each other CPUs of their own (srun --exact), or leave some to Linux "
				"(--enclave-cpus)", had, job, owner);
	else
		slurm_spank_log("enclave: of CPUs %s of this step, %s are with Linux, the others in "
				"the enclave of step %u.%u", had,
				pisces_cpuset_format(&left, has, sizeof(has)), job, owner);
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
	progress_begins(spank);
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
	progress_ends();
	if (failed)
		return;
	if (progress_is_wanted(spank))
		slurm_spank_log("enclave: %s: up with %u CPUs: %.1f s for CPUs, %.1f s for memory, "
				"%.1f s for the co-kernel", pisces_node_name(), step.plan.cpu_count,
				(double)times->cpus / 1e9, (double)times->memory / 1e9,
				(double)times->boot / 1e9);
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
	uint64_t began;

	if (!step.is_ours || ++step.tasks_ended < step.tasks || step.enclave < 0)
		return 0;
	/* srun returns meanwhile; step_ended() waits for the end, and the next step does. */
	if (!progress_is_wanted(spank)) {
		pisces_enclave_end(step.enclave);
		return 0;
	}
	began = pisces_now_ns();
	close_enclave();
	slurm_spank_log("enclave: %s: all was given back to Linux in %.1f s", pisces_node_name(),
			(double)(pisces_now_ns() - began) / 1e9);
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
