/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside stage_out*.c and stage_plan.c: what is brought to Linux, and how. */
#ifndef CK_FS_STAGE_STEPS_H
#define CK_FS_STAGE_STEPS_H

#include "fs/stage.h"

struct stage_step {
	struct list link;
	struct stage_node *node; /* with a reference */
	char path[];
};

/* ---- stage_plan.c: what is to be done; all of it in the turn ---- */

struct stage_plan {
	struct stage *stage;
	tid_t pid;  /* of the process that copies out */
	char *path; /* STAGE_PATH_MOST, to make paths in */
	struct list first; /* struct stage_gone: to be removed before the steps */
	struct list steps; /* struct stage_step, in their order */
	struct list late;  /* attributes of directories, when what is in them is there */
	/* What cannot be planned: nobody can be told in the turn. */
	unsigned int failures;
	int64_t error;			/* of the first one, */
	char name[STAGE_NAME_MOST + 1]; /* which is this */
};

void stage_plan_begin(struct stage_plan *plan, struct stage *stage, tid_t pid, char *path);

/* Adds what there is to do now. What it adds is claimed by PID, which then does it all. */
void stage_plan_find(struct stage_plan *plan);

/*
 * If all of the stage is on Linux, for nobody has a file open, mapped or claimed that is
 * not, *GONE gets what is to be removed there. Else it stays for who is last: he that has
 * removed the old name of a file may not be he that has the new one.
 */
void stage_plan_settle(struct stage *stage, struct list *gone);

void stage_step_free(struct stage_step *step);

/* ---- stage_out_data.c: doing it; not in the turn ---- */

/*
 * Makes Linux's PATH what NODE is. A file or link gets a name of its own in the same
 * directory first, with PID in it, and then replaces what is there: so that what is under
 * the path is always whole. 0, STAGE_WAS_THERE of a directory that Linux has, or -errno.
 */
#define STAGE_WAS_THERE 1
int64_t stage_step_do(const struct stage_step *step, tid_t pid);

/* Mode and times of a directory. */
int64_t stage_step_attributes(const struct stage_step *step);

#endif
