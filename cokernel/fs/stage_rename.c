/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/time.h"
#include "fs/stage_name.h"
#include "lib/errno.h"
#include "mm/heap.h"
#include "mm/local.h"

static bool is_below(const struct stage_node *node, const struct stage_node *ancestor)
{
	uint64_t i = 0;

	for (; node; node = node->parent) {
		mm_turn(++i);
		if (node == ancestor)
			return true;
	}
	return false;
}

/* All that can stand against it but memory. */
static int check_rename(struct stage_view *view, const struct stage_place *from,
			const struct stage_place *to, bool replace)
{
	bool directory;
	int error;

	if (!from->node)
		return -ENOENT;
	if (from->name[0] == '\0' || to->name[0] == '\0')
		return -EBUSY;
	directory = stage_is_directory(from->node);
	if (!directory && (from->slash || to->slash))
		return -ENOTDIR;
	if (to->node && !replace)
		return -EEXIST;
	if (from->directory->own || to->directory->own)
		return from->directory->own == to->directory->own ? -EACCES : -EXDEV;
	error = stage_may_remove(view, from->directory, from->node);
	if (!error)
		error = to->node ? stage_may_remove(view, to->directory, to->node) :
				   stage_may_add(view, to->directory);
	if (error)
		return error;
	if (directory && is_below(to->directory, from->node))
		return -EINVAL;
	if (to->node && is_below(from->directory, to->node))
		return -ENOTEMPTY;
	if (to->node && directory != stage_is_directory(to->node))
		return directory ? -ENOTDIR : -EISDIR;
	if (directory && (from->node->on_linux || from->node->private))
		return from->node->partial || from->node->private ? -EBUSY : -EXDEV;
	if (directory && to->node && (error = stage_check_rmdir(to->node)) != 0)
		return error;
	return stage_check_depth(to->directory, to->name);
}

static int rename_at(struct stage_view *view, const struct stage_place *from,
		     const struct stage_place *to)
{
	struct stage_entry *old = stage_find(view->stage, from->directory, from->name), *target;
	struct stage_gone *old_note, *note = NULL;
	struct stage_node *node = from->node;
	int error;

	/* What goes where nothing comes out of stays on Linux as it was. */
	target = to->node ? stage_find(view->stage, to->directory, to->name) : NULL;
	error = stage_note(old, &old_note);
	if (!error && target)
		error = stage_note(target, &note);
	if (error) {
		heap_free(old_note);
		return error;
	}
	if (to->directory->private) {
		heap_free(old_note);
		old_note = NULL;
	}
	/* With the old one gone there is room: what can fail now is only memory. */
	error = stage_add(view->stage, to->directory, to->name, node, false);
	if (error) {
		heap_free(old_note);
		heap_free(note);
		return error;
	}
	if (target)
		stage_remove(view->stage, target, note);
	if (stage_is_directory(node)) {
		/* Adding has made the new name its own, and its parent's reference one too many. */
		struct stage_entry *own = node->entry;

		stage_remove(view->stage, old, old_note);
		node->entry = own;
		stage_node_put(from->directory);
	} else {
		stage_remove(view->stage, old, old_note);
	}
	node->changed = time_realtime();
	stage_touch(from->directory);
	stage_touch(to->directory);
	return 0;
}

static int rename_once(struct stage_view *view, struct stage_node *old_from, const char *old,
		       struct stage_node *new_from, const char *new, bool replace)
{
	struct stage_place from, to = { 0 };
	struct stage_node *being = NULL;
	int error;

	stage_enter(view->stage);
	error = stage_walk(view, old_from, old, 0, &from);
	/* It is by its path that one that could not be filled is found again. */
	if (!error)
		error = stage_check_filled(from.node, &being);
	if (!error)
		error = stage_walk(view, new_from, new, 0, &to);
	if (!error)
		error = check_rename(view, &from, &to, replace);
	/* Two names of one file: nothing happens, as POSIX says. */
	if (!error && from.node != to.node)
		error = rename_at(view, &from, &to);
	stage_place_put(&from);
	stage_place_put(&to);
	stage_leave(view->stage);
	return stage_wait_filled(view->stage, being, error);
}

int stage_rename(struct stage_view *view, struct stage_node *old_from, const char *old,
		 struct stage_node *new_from, const char *new, bool replace)
{
	int error;

	do {
		error = rename_once(view, old_from, old, new_from, new, replace);
	} while (error == -EAGAIN);
	return error;
}
