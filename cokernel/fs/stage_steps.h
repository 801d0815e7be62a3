/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside stage_out*.c: one thing that is brought to Linux. */
#ifndef CK_FS_STAGE_STEPS_H
#define CK_FS_STAGE_STEPS_H

#include "fs/stage.h"

struct stage_step {
	struct list link;
	struct stage_node *node; /* with a reference */
	char path[];
};

/*
 * Makes Linux's PATH what NODE is. A file or link gets a name of its own in the same
 * directory first, with PID in it, and then replaces what is there: so that what is under
 * the path is always whole. 0, STAGE_WAS_THERE of a directory that Linux has, or -errno.
 */
#define STAGE_WAS_THERE 1
int64_t stage_step_do(struct stage_step *step, tid_t pid);

/* Mode and times of a directory. */
int64_t stage_step_attributes(const struct stage_step *step);

void stage_step_free(struct stage_step *step);

#endif
