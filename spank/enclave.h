/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SPANK plugin's parts. Each context of Slurm has a file; plugin.c has a
 * line per hook. Lines for people begin with "enclave: ".
 */
#ifndef SPANK_ENCLAVE_H
#define SPANK_ENCLAVE_H

#include <limits.h>
#include <stdbool.h>

#include "compat.h"
#include "hwloc-glue/libpisces.h"

/* ---- args.c: the words behind enclave.so in plugstack.conf ---- */

struct plugin_args {
	const char *proxy;	/* what stands for the program; an absolute path */
	const char *image;	/* of the co-kernel; NULL: the installed one */
	const char *append;	/* to the co-kernel's command line; NULL: nothing */
	uint64_t default_mem;	/* bytes, where neither user nor Slurm say; 0: the plan's */
	struct pisces_error error; /* what is wrong with them; "" if nothing */
};

extern struct plugin_args plugin_args;

void args_parse(int count, char *words[]);

/* ---- options.c: what the user may write ---- */

/* Registers the options. Returns 0 or HOOK_FAILED. */
int options_register(spank_t spank);

/*
 * Where the user types, before Slurm reads options: ENCLAVE_KIND=lwk in the environment and
 * the like are put where Slurm looks for what a job's steps inherit. So it comes before the
 * command line, and goes with the job or step as if it had been typed, also past
 * --export=NONE. What is inherited already counts more.
 */
void options_from_environment(void);

/* The name of the variable by which steps inherit OPTION ("enclave-mem"). Returns NAME. */
#define OPTION_VARIABLE_LEN 128
char *options_variable(const char *option, char name[OPTION_VARIABLE_LEN]);

/*
 * Does the user want an enclave? False for --enclave=none and for nothing. Of a list of
 * kinds, until one was chosen: for any component?
 */
bool options_wanted(void);

/* Was there --enclave=..., of whatever kind? --enclave-...? */
bool options_kind_given(void);
const char *options_other_given(void);

/*
 * Where the user types, when the options of one more component of a heterogeneous job have
 * been read: Slurm keeps one set for all, so do they say the same?
 */
bool options_agree(void);

/* Is there a list of kinds? Then the one for COMPONENT (-1: of no such job) is to be chosen. */
bool options_are_by_component(void);
int options_choose(int component, struct pisces_error *error);

const struct pisces_request *options_request(void);

/*
 * On a node: why the options, which were right where they were typed, are wrong
 * here; "" if they are not.
 */
const char *options_error(void);

/* ---- local.c: srun, sbatch, salloc ---- */

int local_init(spank_t spank);
int local_post_opt(spank_t spank);
int local_user_init(spank_t spank);

/* ---- step.c: slurmstepd, the parent of all tasks, as root ---- */

int step_init(spank_t spank);
int step_post_opt(spank_t spank);
int step_warn(spank_t spank);
int step_task_forked(spank_t spank);
int step_task_ended(spank_t spank);
int step_ended(spank_t spank);

/* ---- allocation.c: what Slurm gave to the step ---- */

/* The step's CPUs by Slurm's own account. False if it does not tell. */
bool allocation_cpus_of_slurm(spank_t spank, struct pisces_cpuset *cpus);

/*
 * In slurmd's environment, which slurmstepd gets: a list of the CPUs that are for the
 * system (CoreSpecCount, CpuSpecList). Unset: the node has none.
 */
#define SYSTEM_CPUS_VARIABLE "PISCES_SYSTEM_CPUS"

/*
 * Fills ALLOCATION for the step whose task is TASK_PID. Returns 0, or -1 and *error.
 */
int allocation_of_step(spank_t spank, pid_t task_pid,
		       struct pisces_allocation *allocation, struct pisces_error *error);

/* ---- program.c: what the step is to run ---- */

/* Is that what srun --multi-prog hands over? */
bool program_is_multi_prog(int argc, char *const argv[]);

/*
 * Is NAME what mpirun starts by srun? That inherits the job's --enclave, and is no program of
 * the user's: it starts those, by fork(2), on Linux.
 */
bool program_is_launcher(const char *name);

/* In srun: makes argv[0] a name that only a node with this plugin can execute. */
void program_guard(char *argv[]);

/* On the node: puts it right again. True if srun had done that, as it wants an enclave. */
bool program_unguard(char *argv[]);

/* ---- progress.c: what takes long, for the user ---- */

/* From now on the start of step STEP is told of, as is wanted, until progress_ends(). */
void progress_begins(spank_t spank);
void progress_ends(void);

/* Is all to be told of? */
bool progress_is_wanted(spank_t spank);

/* In srun: it is if srun was told so. */
void progress_of_srun(void);

/* ---- handover.c: from slurmstepd to a task it has forked ---- */

struct handover; /* one per task; made before the fork */

/* What a task is told. */
struct handover_news {
	bool good;	  /* there is a task fd; else `text` is the reason for the user, */
	bool said;	  /* who hears it from another task of the node */
	char cpus[2048];  /* list: where the proxy may run */
	char text[512];
	char note[516];	  /* for the user, with a task fd too */
};

/* COUNT of them, or NULL and *error. */
struct handover *handover_make(unsigned int count, struct pisces_error *error);

/* In slurmstepd: gives NEWS and TASK_FD (-1: none) to task TASK, once. */
void handover_send(struct handover *all, unsigned int task, const struct handover_news *news,
		   int task_fd);

/*
 * In the task: its NEWS and task fd, which is not close-on-exec. Returns the fd;
 * -1 with news->good false if there is none.
 */
int handover_receive(struct handover *all, unsigned int task, struct handover_news *news);

void handover_free(struct handover *all);

/* ---- task.c: the task, as the user, last before exec ---- */

/* Starts the program through the proxy, or fails with the reason. ALL may be NULL. */
int task_replace(spank_t spank, struct handover *all);

/* What slurmstepd has for its task. NULL: the step is none of ours. */
struct handover *step_handover(void);
bool step_is_ours(void);
const char *step_error(void);

/* ---- job.c: epilog; daemon.c: slurmd ---- */

int job_ended(spank_t spank);
int daemon_init(spank_t spank);

/* ---- tool.c: pisces(1) ---- */

/*
 * Runs it with WORDS, up to 8 and a NULL, and waits for it. SAY gets each line that it says;
 * with NULL that goes where ours does. Returns its wait status, or -1 and errno.
 */
int tool_run(const char *const words[], void (*say)(const char *line));

/* ---- node_conf.c: slurmd's node in slurm.conf ---- */

/* The path of file NAME in slurmd's spool directory. False if it is unknown. */
bool conf_spool_file(const char *name, char path[PATH_MAX]);

/* Does slurm.conf give the node no specialized cores? False if that cannot be asked. */
bool conf_knows_no_specialized_core(void);

/* ---- topology.c: what slurmd takes the node's CPUs for ---- */

/* In slurmd: where it saw fewer than there are, as enclaves had the others, it is told. */
void topology_put_right(void);

#endif
