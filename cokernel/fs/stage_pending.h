/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside stage_in*.c: what is still to be done. */
#ifndef CK_FS_STAGE_PENDING_H
#define CK_FS_STAGE_PENDING_H

#include "fs/stage.h"

struct stage_in;

/* An error that the user has been told of. */
#define STAGE_SAID (-ECANCELED)

/* A node, with a reference, and its path on Linux. */
struct stage_pending {
	struct list link;
	struct stage_node *node;
	char path[];
};

/* 0 or -ENOMEM. */
int stage_pending_add(struct list *list, struct stage_node *node, const char *path);
/* The first one, taken out; NULL: there is none. */
struct stage_pending *stage_pending_next(struct list *list);
void stage_pending_free(struct stage_pending *pending);
void stage_pending_drop(struct list *list);

/* Says why PATH cannot be copied in. Returns STAGE_SAID. */
int stage_in_refuse(struct stage_in *in, const char *path, int64_t error);

/* Is it a file, a directory or a link? */
bool stage_in_can(const struct user_stat *status);

/*
 * PATH, which is NAME in DIRECTORY, comes into the tree as STATUS says. *NODE with a
 * reference, or NULL: a task has removed it there. 0 or -errno.
 */
int stage_in_bring(struct stage_in *in, struct stage_node *directory, const char *name,
		   const char *path, const struct user_stat *status, struct stage_node **node);

/* Lists all directories that are to be listed; 0, -errno or STAGE_SAID. */
int stage_in_directories(struct stage_in *in);

/* NAME, which Linux has listed in DIRECTORY, and that is PATH there. 0 or STAGE_SAID. */
int stage_in_name(struct stage_in *in, struct stage_node *directory, const char *name,
		  const char *path);

#endif
