/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process with staged I/O: what it has besides its view of a stage, its beginning (all
 * is copied in) and its end (all is copied out). Between the two its channel is sealed.
 */
#ifndef CK_FS_STAGED_H
#define CK_FS_STAGED_H

#include "fs/stage.h"
#include "lib/lock.h"

struct pisces_exec;
struct process;
struct stage_log;

struct staged {
	struct stage_view view;
	struct stage_log *log;
	struct stage_node *program; /* with a reference, until it is loaded */
	uint32_t descriptor_limit, descriptor_most; /* RLIMIT_NOFILE, soft and hard */
	char *cpuinfo; /* what /proc/cpuinfo is made of; NULL: nothing */
	int64_t group, session; /* of the proxy, getpgid(2) and getsid(2) */
	struct lock random_lock;
	uint32_t random_key[8]; /* for CPUs without a generator of their own */
	uint64_t random_blocks; /* made so far */
	bool started;		/* its first instruction is next, or was */
	bool failed;		/* something could not be copied out */
};

/* That of the running process; NULL: its I/O is forwarded. */
struct staged *staged_current(void);

/*
 * From the first thread of PROCESS, before anything is loaded: copies in what EXEC says,
 * and takes that out of EXEC. 0; or the exit code, after it has said why.
 */
int staged_begin(struct process *process, struct pisces_exec *exec);

/*
 * The regular file at PATH, with a reference, for the loader; WANTED as stage_allows(). 0 or
 * -errno.
 */
int staged_find_file(const char *path, uint32_t wanted, struct memory_file **file);

/* Nothing is forwarded from now on. */
void staged_start(struct process *process);

/*
 * By the last thread to leave PROCESS, which is still one of its: closes all, writes out
 * the standard streams, copies out. What fails is said.
 */
void staged_end(struct process *process);

/* Nobody runs in PROCESS any more. */
void staged_free(struct process *process);

/* What ERROR (negative) is to people; TEXT has room for those that have no words. */
const char *staged_reason(int64_t error, char text[24]);

/* ---- stage_in.c ---- */

struct stage_in {
	struct process *process;
	struct stage_view *view;
	struct list files;	 /* to be filled */
	struct list directories; /* to be listed */
	uint64_t bytes;		 /* that the files will take */
};

/* How a path is copied in. */
#define STAGE_IN_ALL 1u	   /* a directory with what is below it */
#define STAGE_IN_NEEDED 2u /* that it is not there is no error */
#define STAGE_IN_NAMED 4u  /* the user named it: what is no file, directory or link is refused */

/*
 * Between begin and end, which is 0 or -errno after it has said why: one task at a time.
 * PATH is absolute, or seen from the working directory CWD.
 */
int stage_in_begin(struct stage_in *in, struct process *process, struct stage_view *view);
int stage_in_path(struct stage_in *in, const char *cwd, const char *path, unsigned int how);
int stage_in_fill(struct stage_in *in);
void stage_in_end(struct stage_in *in);

/* ---- stage_out.c ---- */

/* Copies out what has changed and nobody else has open. False: something failed, and was said. */
bool stage_out(struct process *process, struct stage_view *view);

#endif
