/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program does with names in a stage, and the attributes of what it finds there.
 * All take their turn themselves; PATHs are the co-kernel's own, seen from directory
 * FROM. All return 0 or the -errno that Linux would give. Who asks for a file that is just
 * being copied in waits until it is there.
 */
#ifndef CK_FS_STAGE_NAME_H
#define CK_FS_STAGE_NAME_H

#include "fs/stage.h"

/*
 * After the turn, with the error found in it: if that was for NODE, a reference to which is
 * given back here, is still being filled (-EAGAIN), waits until it is, and then says -EAGAIN:
 * once more. Else ERROR; -ENOENT: it could not be filled, and is not there any more.
 */
int stage_wait_filled(struct stage *stage, struct stage_node *node, int error);
/* In the turn: -EAGAIN if NODE is being filled, with *BEING it and a reference; else 0. */
int stage_check_filled(struct stage_node *node, struct stage_node **being);

/* In the turn: a new node named as PLACE says, which has none; with a reference. */
int stage_make(struct stage_view *view, const struct stage_place *place, uint32_t mode,
	       struct stage_node **made);

int stage_mkdir(struct stage_view *view, struct stage_node *from, const char *path,
		uint32_t mode);
int stage_symlink(struct stage_view *view, const char *target, struct stage_node *from,
		  const char *path);
/* unlink(2), or with DIRECTORY rmdir(2). */
int stage_unlink(struct stage_view *view, struct stage_node *from, const char *path,
		 bool directory);
/* FOLLOW: a link at the end of OLD. */
int stage_link(struct stage_view *view, struct stage_node *old_from, const char *old,
	       struct stage_node *new_from, const char *new, bool follow);
/*
 * rename(2); REPLACE: what is there already. A directory that came from Linux cannot be
 * renamed: -EXDEV, as in a layered file system, upon which programs copy it.
 */
int stage_rename(struct stage_view *view, struct stage_node *old_from, const char *old,
		 struct stage_node *new_from, const char *new, bool replace);

/* The node of PATH with a reference; an empty path is FROM if EMPTY. FLAGS of stage_walk(). */
int stage_look(struct stage_view *view, struct stage_node *from, const char *path,
	       unsigned int flags, bool empty, struct stage_node **node);

/* readlink(2), with NUL. An empty path is FROM, if that is a link. */
int stage_read_link(struct stage_view *view, struct stage_node *from, const char *path,
		    char target[STAGE_PATH_MOST]);

/* What open(2) opens, with a reference; FLAGS and MODE are its. It is made if need be. */
int stage_open_node(struct stage_view *view, struct stage_node *from, const char *path,
		    uint32_t flags, uint32_t mode, struct stage_node **node);

int stage_chmod(struct stage_view *view, struct stage_node *node, uint32_t mode);
/* UINT32_MAX: that stays. Only to what it is, for a plain user; the group to one of his. */
int stage_chown(struct stage_view *view, struct stage_node *node, uint32_t uid, uint32_t gid);
/* NSEC_FOREVER: that stays. NOW: both are the time that it is, which who may write may set. */
int stage_set_times(struct stage_view *view, struct stage_node *node, nsec_t accessed,
		    nsec_t modified, bool now);
int stage_chdir(struct stage_view *view, struct stage_node *node);

/* ---- what stands against a change; in the turn. 0 or -errno ---- */

/* May VIEW's owner make a name in DIRECTORY? */
int stage_may_add(const struct stage_view *view, const struct stage_node *directory);
/* May he take NODE away from there? */
int stage_may_remove(const struct stage_view *view, const struct stage_node *directory,
		     const struct stage_node *node);
/* Is the path of NAME in DIRECTORY short enough to be one? */
int stage_check_depth(const struct stage_node *directory, const char *name);
/* Can directory NODE go: is it empty, and all of it here? */
int stage_check_rmdir(const struct stage_node *node);
/* DIRECTORY has changed now. */
void stage_touch(struct stage_node *directory);

#endif
