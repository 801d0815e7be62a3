/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libpisces: from a request to an enclave, for all skins (pisces(1), the SPANK
 * plugin, the proxy) alike. No header of Slurm, hwloc or Linux's kernel is
 * needed to use it.
 *
 * Functions that can fail return -1 (or NULL) and fill *error with one line that
 * a user can act on: what was asked, what stands against it, what would work.
 * It has no prefix and no final newline. Nothing here writes to stdout or stderr.
 */
#ifndef LIBPISCES_H
#define LIBPISCES_H

#include <sys/types.h>
#include <time.h>

#include <pisces/abi.h>
#include <pisces/channel.h>
#include <pisces/ioctl.h>
#include <pisces/status.h>
#include <pisces/types.h>

struct pisces_error {
	char text[512];
};

/* Bytes of what the user should know though nothing failed, with NUL. */
#define PISCES_NOTE_LEN 256

/* The name of this node, for messages. Static storage. */
const char *pisces_node_name(void);

/* ---- sets of CPUs, by Linux CPU number ---- */

struct pisces_cpuset {
	uint64_t word[PISCES_CPU_WORDS];
};

void pisces_cpuset_add(struct pisces_cpuset *set, unsigned int cpu);
bool pisces_cpuset_has(const struct pisces_cpuset *set, unsigned int cpu);
unsigned int pisces_cpuset_count(const struct pisces_cpuset *set);

/* Have A and B a CPU in common? */
bool pisces_cpuset_intersects(const struct pisces_cpuset *a, const struct pisces_cpuset *b);

/* Reads a list as Linux writes it ("0-2,7"). Returns 0; -1 if it is not one. */
int pisces_cpuset_parse(const char *list, struct pisces_cpuset *set);

/* Writes such a list to TEXT; always terminates it. Returns TEXT. */
char *pisces_cpuset_format(const struct pisces_cpuset *set, char *text, size_t size);

/* ---- the request (what a user writes) ---- */

enum pisces_kind {
	PISCES_KIND_NONE = 0, /* run on Linux, also against an inherited option */
	PISCES_KIND_LWK = 1,
};

/* How memory is taken from Linux: that of <pisces/ioctl.h>, or */
#define PISCES_WAY_DEFAULT (-1) /* the module's parameter memory_way, the site's default */

/* Longest list of paths to stage, with NUL. */
#define PISCES_STAGE_LEN 4096u

struct pisces_request {
	enum pisces_kind kind;
	unsigned int cpus;		  /* 0: all of the allocation */
	bool split_cores;		  /* leave SMT siblings to others */
	uint64_t memory;		  /* bytes; 0: that of the allocation */
	int way;			  /* enum pisces_memory_way or PISCES_WAY_DEFAULT */
	char name[PISCES_NAME_LEN];	  /* "": the enclave's number */
	char cmdline[PISCES_CMDLINE_LEN]; /* of the co-kernel; for its developers */
	enum pisces_io io;
	char stage[PISCES_STAGE_LEN];	  /* paths to copy in, with commas between; "": none */
	const char *image; /* file of the co-kernel, the caller's; NULL: pisces_image_path() */
};

void pisces_request_init(struct pisces_request *request);

/*
 * Sets one option of the request by its name without dashes or prefix: "kind",
 * "cpus", "smt" (keep, split), "mem", "mem-way" (contig, block, remove), "name",
 * "cmdline", "io" (forward, staged), "stage" (a path or several, with commas between), and
 * those that the design knows but this
 * release does not have ("device", "image", kind "vm"), which
 * fail and say so. The same grammar for srun and pisces(1).
 */
int pisces_request_set(struct pisces_request *request, const char *option, const char *value,
		       struct pisces_error *error);

/* Do its options go together? 0, or -1: one is set that does nothing without another. */
int pisces_request_check(const struct pisces_request *request, struct pisces_error *error);

/* Reads "512M", "2G", "1.5g", "4096K", "1T"; a bare number is MiB, as in Slurm. */
int pisces_size_parse(const char *text, uint64_t *bytes, struct pisces_error *error);

/* Writes bytes for people: "512 MiB", "1.5 GiB". Returns TEXT. */
char *pisces_size_format(uint64_t bytes, char *text, size_t size);

/* ---- the plan (what will be taken) ---- */

/* What the caller may take from. */
struct pisces_allocation {
	struct pisces_cpuset cpus; /* empty: every online CPU of the node */
	uint64_t memory;	   /* bytes; 0: unknown, the plan takes its default */
	/*
	 * CPUs of it that share a core with one of another enclave: the last to be taken.
	 * pisces_plan_here() finds out itself.
	 */
	struct pisces_cpuset shared;
	/* CPUs for the system's own programs: proxies run there. Empty: none are known. */
	struct pisces_cpuset system;
	/* What is in neither may be other people's: no proxy may run there. */
	bool others;
};

struct pisces_plan_cpu {
	uint32_t linux_cpu;
	uint32_t node;
	uint32_t core; /* SMT siblings have the same */
};

struct pisces_plan_memory {
	uint32_t node;
	uint64_t size; /* a multiple of PISCES_MEMORY_ALIGN */
};

struct pisces_plan {
	unsigned int cpu_count;
	struct pisces_plan_cpu cpus[PISCES_MAX_CPUS]; /* in the enclave's order */
	unsigned int memory_count;
	struct pisces_plan_memory memory[PISCES_MAX_NODES];
	struct pisces_cpuset linux_cpus; /* where the proxy may run: never one of cpus */
	char note[PISCES_NOTE_LEN];	 /* what the user should know; "" if nothing */
};

/*
 * Waits until nobody else plans and takes on this machine; root only. Returns an fd
 * (close-on-exec), to be closed when what was planned is taken.
 */
int pisces_node_lock(struct pisces_error *error);

/*
 * Plans on the topology of this machine as it is now. Who takes what it says holds the lock of
 * the node, so that it is still so.
 */
int pisces_plan_here(const struct pisces_request *request,
		     const struct pisces_allocation *allocation, struct pisces_plan *plan,
		     struct pisces_error *error);

/* Plans on a topology in hwloc's synthetic syntax ("node:2 core:4 pu:2") or an XML file. */
int pisces_plan_for(const char *topology, const struct pisces_request *request,
		    const struct pisces_allocation *allocation, struct pisces_plan *plan,
		    struct pisces_error *error);

/* ---- time ---- */

#define PISCES_MS UINT64_C(1000000) /* in ns */

/* Of CLOCK_MONOTONIC, in ns. */
static inline uint64_t pisces_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 * PISCES_MS + (uint64_t)now.tv_nsec;
}

/* ---- progress ---- */

/*
 * From now on whoever locks the node, takes and boots says what it is at, as "taking 4 GiB of
 * memory of NUMA node 1", by SAY, with the ms since this call: each part if ALWAYS, else what
 * begins, or is noticed to go on, 2 s after it. SAY of NULL: nobody waits any more.
 */
void pisces_progress(void (*say)(const char *what, uint64_t ms), bool always);

/* ---- the enclave ---- */

/*
 * Opens the device and makes an empty enclave: step one, that takes nothing from
 * Linux yet. Returns its fd (close-on-exec), whose closing destroys the enclave.
 */
int pisces_enclave_create(const struct pisces_request *request, uint32_t job, uint32_t step,
			  uint32_t uid, struct pisces_error *error);

/* What the start of an enclave cost, in ns, and what there is to say of it. */
struct pisces_start_times {
	uint64_t cpus;
	uint64_t memory;
	uint64_t boot;
	uint64_t launch;
	uint64_t boot_tsc; /* TSC when the boot was asked for; beside status.user_tsc */
	char note[PISCES_NOTE_LEN]; /* what the user should know, as of another way of memory; "" if nothing */
};

/*
 * Takes what PLAN says, memory first, with the help of the CPUs that go next, and boots the
 * co-kernel: step two. On failure the caller closes the fd, which gives all back. TIMES may
 * be NULL.
 */
int pisces_enclave_start(int enclave_fd, const struct pisces_request *request,
			 const struct pisces_plan *plan, struct pisces_start_times *times,
			 struct pisces_error *error);

/*
 * Begins to give all back, and does not wait for it: the last close does, and so do
 * pisces_await_endings() and whoever plans.
 */
void pisces_enclave_end(int enclave_fd);

/*
 * Waits until no enclave that is on its way out has one of CPUS (none: any CPU), for some
 * seconds at most: one whose CPUs do not come back is no reason to wait for ever.
 */
void pisces_await_endings(const struct pisces_cpuset *cpus);

/*
 * Makes the right to run one program, on the enclave's CPUs FIRST to FIRST +
 * COUNT - 1 in the plan's order. Returns a task fd (close-on-exec).
 */
int pisces_enclave_task(int enclave_fd, unsigned int first, unsigned int count, uint32_t uid,
			uint32_t gid, struct pisces_error *error);

/*
 * Divides CPUS CPUs among TASKS tasks: task TASK gets COUNT from FIRST on. Tasks
 * that are more than the CPUs share them.
 */
void pisces_task_share(unsigned int cpus, unsigned int tasks, unsigned int task,
		       unsigned int *first, unsigned int *count);

/* ---- changing a running enclave ---- */

/* What to add and what to give back; both may be wanted. */
struct pisces_change {
	struct pisces_cpuset add_cpus;	  /* by Linux CPU number */
	struct pisces_cpuset remove_cpus;
	int64_t memory; /* bytes to add, or less than 0: to give back */
	int node;	/* of NUMA, for memory; -1: where its CPUs are */
	int way;	/* of added memory, as in the request */
};

/*
 * A handle fd (close-on-exec) of an enclave, by which its holder can do all that its
 * owner can, but does not own it.
 */
int pisces_enclave_open(uint32_t enclave, struct pisces_error *error);

/*
 * Carries CHANGE out on an enclave or handle fd: CPUs that come, memory, CPUs that go.
 * What fails leaves that part as it was, or *error says how it is now; what was done before
 * it stays, and *error says what that is. NOTE: PISCES_NOTE_LEN bytes, as in struct
 * pisces_start_times.
 */
int pisces_enclave_change(int enclave_fd, const struct pisces_change *change, char *note,
			  struct pisces_error *error);

/*
 * Adds to *CPUS the COUNT online CPUs that an enclave of *INFO should get if it wants as
 * many more: first the siblings of those it has, then by the rules of the plan, on the NUMA
 * node of its memory if that has enough. More than COUNT, where that keeps cores whole.
 * NOTE: PISCES_NOTE_LEN bytes, what the user should know of them.
 */
int pisces_change_choose(const struct pisces_info *info, unsigned int count,
			 struct pisces_cpuset *cpus, char *note, struct pisces_error *error);

/* Takes SIZE bytes of NUMA node NODE by WAY, for an enclave that is new or runs. NOTE:
 * PISCES_NOTE_LEN bytes, as in struct pisces_start_times. */
int pisces_memory_take(int enclave_fd, uint64_t size, uint32_t node, int way, char *note,
		       struct pisces_error *error);

/*
 * Gives Linux what no enclave has any more and only user space can give back: memory
 * blocks go online, cpusets of cgroup v1 get their CPUs. Safe at any time, by several at
 * once. Needs root. -1: something is left.
 */
int pisces_reclaim(struct pisces_error *error);

/* ---- the proxy's call interface: how a skin starts it ---- */

/*
 * The skin runs PISCES_PROXY_PATH (a configure-time constant, overridable by
 * the environment variable PISCES_PROXY for a program that is not set-uid)
 * with the user's arguments unchanged behind argv[0], and these variables,
 * which the proxy removes from the program's environment:
 */
#define PISCES_ENV_FD	   "PISCES_PROXY_FD"	  /* number of the inherited task fd */
#define PISCES_ENV_PROGRAM "PISCES_PROXY_PROGRAM" /* argv[0] of the user */
#define PISCES_ENV_CPUS	   "PISCES_PROXY_CPUS"	  /* list: where the proxy may run */
#define PISCES_ENV_IO	   "PISCES_PROXY_IO"	  /* "staged"; without it, forward */
#define PISCES_ENV_STAGE   "PISCES_PROXY_STAGE"	  /* paths to copy in, with commas between */

/*
 * The memory of PLAN, which may count as that of proxy PID, does not make it the first that
 * Linux's OOM killer takes. By root, before the proxy is another user's; if it fails, the
 * proxy runs all the same.
 */
void pisces_oom_balance(pid_t pid, const struct pisces_plan *plan);

/* What to execute as the proxy; PISCES_PROXY is heeded as said above. */
const char *pisces_proxy_path(void);

/*
 * Which image is booted: that of the request (may be NULL), else, for root, that
 * of the environment variable PISCES_IMAGE, else the installed one.
 */
const char *pisces_image_path(const struct pisces_request *request);

/* ---- looking at enclaves ---- */

/* All enclaves in *LIST (free(3) it; NULL if it fails). Returns how many. */
int pisces_list(struct pisces_info **list, struct pisces_error *error);

/* The same, with the last ones that died and are gone (state GONE). */
int pisces_list_all(struct pisces_info **list, struct pisces_error *error);

/* Also of one that is gone. */
int pisces_info(uint32_t enclave, struct pisces_info *info, struct pisces_error *error);

/* The CPUs of an enclave. */
struct pisces_cpuset pisces_info_cpus(const struct pisces_info *info);

/* A copy of the status area (free(3) it), with *CPUS entries in cpu[]. */
struct pisces_status *pisces_status(uint32_t enclave, unsigned int *cpus,
				    struct pisces_error *error);

/* Finds an enclave by its number or its name. Returns 0; errno is ENOENT if there is none. */
int pisces_find(const char *name, uint32_t *enclave, struct pisces_error *error);

/* The same; if there is none, the last one of that name that died and is gone. */
int pisces_find_any(const char *name, uint32_t *enclave, struct pisces_error *error);

/*
 * Where the CPUs of an enclave are, in its own order, or, of enclave 0, all CPUs of
 * this machine, online or not. At most CAPACITY in PLACES. Returns how many.
 */
int pisces_places(uint32_t enclave, struct pisces_place *places, unsigned int capacity,
		  struct pisces_error *error);

/* A console fd of the enclave, also of one that is gone. */
int pisces_console(uint32_t enclave, struct pisces_error *error);

/*
 * Copies the last whole lines of what the enclave has said so far to TEXT, as many
 * as there is room for; always terminates it. Does not wait. Returns 0.
 */
int pisces_console_tail(uint32_t enclave, char *text, size_t size, struct pisces_error *error);

/* ---- drawing ---- */

/* An enclave on a drawing. */
struct pisces_drawn {
	char name[PISCES_NAME_LEN];
	char job[32]; /* "12.0"; "" if there is none */
	struct pisces_cpuset cpus;
	uint64_t memory[PISCES_MAX_NODES]; /* bytes, by Linux's number of the node */
	uint64_t gone[PISCES_MAX_NODES];   /* of these, such as Linux does not count any more */
};

/* An enclave that PLAN would make. */
void pisces_drawn_plan(const struct pisces_plan *plan, const char *name,
		       struct pisces_drawn *drawn);

/*
 * The enclaves of this node in *DRAWN, with room for one more behind them (free(3)
 * it). Returns how many; 0 as well if there is no module, which then has none.
 */
int pisces_drawn_here(struct pisces_drawn **drawn, struct pisces_error *error);

/*
 * Has lstopo draw a machine with COUNT enclaves, each in a colour and with a letter,
 * and a legend. TOPOLOGY: as in pisces_plan_for(); NULL: this machine, with the CPUs
 * that Linux gave away where they are, without caches and devices. FILE: ends in
 * .txt, .svg or .png, which says what is written; NULL: text to stdout.
 */
int pisces_draw(const char *topology, const struct pisces_drawn *drawn, unsigned int count,
		const char *file, struct pisces_error *error);

/* ---- is this node ready? ---- */

enum pisces_verdict {
	PISCES_CHECK_OK = 0,
	PISCES_CHECK_ADVICE = 1, /* works; could work better */
	PISCES_CHECK_BAD = 2,	 /* does not work */
};

struct pisces_check {
	enum pisces_verdict verdict;
	const char *what;  /* "kernel module" */
	char finding[256]; /* "pisces.ko 0.1.0 is loaded" */
	char remedy[256];  /* one command line or configuration line; "" if all is well */
};

/* Runs all checks; returns how many it stored at CHECKS (at most CAPACITY). */
unsigned int pisces_doctor(struct pisces_check *checks, unsigned int capacity);

#endif
