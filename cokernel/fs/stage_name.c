/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/stage_name.h"

#include "arch/time.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/local.h"

#define WRITE_AND_PASS 3u
#define STICKY 01000u
#define SET_GROUP 02000u

void stage_touch(struct stage_node *directory)
{
	directory->modified = directory->changed = time_realtime();
}

int stage_may_add(const struct stage_view *view, const struct stage_node *directory)
{
	if (directory->own)
		return -EACCES;
	if (directory->parent && !directory->entry)
		return -ENOENT;
	return stage_allows(view, directory, WRITE_AND_PASS) ? 0 : -EACCES;
}

int stage_may_remove(const struct stage_view *view, const struct stage_node *directory,
		     const struct stage_node *node)
{
	if (directory->own)
		return -EACCES;
	if (!stage_allows(view, directory, WRITE_AND_PASS))
		return -EACCES;
	if ((directory->mode & STICKY) && view->uid != 0 && view->uid != node->uid &&
	    view->uid != directory->uid)
		return -EPERM;
	return 0;
}

int stage_check_depth(const struct stage_node *directory, const char *name)
{
	uint64_t length = strlen(name) + 1;
	const struct stage_node *node;

	for (node = directory; node->parent && node->entry; node = node->parent)
		length += strlen(node->entry->name) + 1;
	return length < STAGE_PATH_MOST ? 0 : -ENAMETOOLONG;
}

int stage_make(struct stage_view *view, const struct stage_place *place, uint32_t mode,
	       struct stage_node **made)
{
	struct stage_node *directory = place->directory, *node;
	uint32_t gid = directory->mode & SET_GROUP ? directory->gid : view->gid;
	int error = stage_may_add(view, directory);

	if (!error)
		error = stage_check_depth(directory, place->name);
	if (error)
		return error;
	node = stage_node_create(view->stage, mode, view->uid, gid);
	if (!node)
		return -ENOMEM;
	error = stage_add(view->stage, directory, place->name, node, false);
	if (error) {
		stage_node_put(node);
		return error;
	}
	node->dirty = true;
	node->filled = true;
	stage_touch(directory);
	*made = node;
	return 0;
}

int stage_mkdir(struct stage_view *view, struct stage_node *from, const char *path, uint32_t mode)
{
	struct stage_place place;
	struct stage_node *node;
	int error;

	stage_enter(view->stage);
	error = stage_walk(view, from, path, 0, &place);
	if (!error && place.node)
		error = -EEXIST;
	if (!error)
		error = stage_make(view, &place, MODE_DIRECTORY | (mode & 01777 & ~view->mask), &node);
	if (!error) {
		node->mode |= place.directory->mode & SET_GROUP;
		stage_node_put(node);
	}
	stage_place_put(&place);
	stage_leave(view->stage);
	return error;
}

int stage_symlink(struct stage_view *view, const char *target, struct stage_node *from,
		  const char *path)
{
	struct stage_place place;
	struct stage_node *node;
	int error;

	if (*target == '\0')
		return -ENOENT;
	stage_enter(view->stage);
	error = stage_walk(view, from, path, 0, &place);
	if (!error && place.node)
		error = -EEXIST;
	else if (!error && place.slash)
		error = -ENOENT;
	if (!error)
		error = stage_make(view, &place, MODE_LINK | 0777, &node);
	if (!error) {
		if (!stage_link_set(node, target)) {
			stage_remove(view->stage,
				     stage_find(view->stage, place.directory, place.name), NULL);
			error = -ENOMEM;
		}
		stage_node_put(node);
	}
	stage_place_put(&place);
	stage_leave(view->stage);
	return error;
}

int stage_check_rmdir(const struct stage_node *node)
{
	if (!list_empty(&node->entries) || node->own)
		return node->own ? -EBUSY : -ENOTEMPTY;
	/* What else Linux has there is not known here; and what everybody has stays. */
	if (node->partial || node->private)
		return -EBUSY;
	return 0;
}

/* Why what has no name of its own is not removed. */
static int unlink_nameless(const struct stage_place *place, bool directory)
{
	if (!directory)
		return -EISDIR;
	if (place->dots == 0)
		return -EBUSY;
	return place->dots == 1 ? -EINVAL : -ENOTEMPTY;
}

static int unlink_at(struct stage_view *view, const struct stage_place *place, bool directory)
{
	struct stage_entry *entry;
	struct stage_gone *note;
	int error;

	if (!place->node)
		return -ENOENT;
	if (place->name[0] == '\0')
		return unlink_nameless(place, directory);
	error = stage_may_remove(view, place->directory, place->node);
	if (error)
		return error;
	if (directory && !stage_is_directory(place->node))
		return -ENOTDIR;
	if (!directory && stage_is_directory(place->node))
		return -EISDIR;
	error = directory ? stage_check_rmdir(place->node) : 0;
	entry = stage_find(view->stage, place->directory, place->name);
	if (!error)
		error = stage_note(entry, &note);
	if (error)
		return error;
	stage_remove(view->stage, entry, note);
	place->node->changed = time_realtime();
	stage_touch(place->directory);
	return 0;
}

int stage_unlink(struct stage_view *view, struct stage_node *from, const char *path,
		 bool directory)
{
	struct stage_place place;
	int error;

	stage_enter(view->stage);
	error = stage_walk(view, from, path, 0, &place);
	if (!error)
		error = unlink_at(view, &place, directory);
	stage_place_put(&place);
	stage_leave(view->stage);
	return error;
}

static int link_once(struct stage_view *view, struct stage_node *old_from, const char *old,
		     struct stage_node *new_from, const char *new, bool follow)
{
	struct stage_node *being = NULL;
	struct stage_place from, to = { 0 };
	int error;

	stage_enter(view->stage);
	error = stage_walk(view, old_from, old, follow ? STAGE_FOLLOW : 0, &from);
	if (!error && !from.node)
		error = -ENOENT;
	if (!error)
		error = stage_check_filled(from.node, &being);
	if (!error)
		error = stage_walk(view, new_from, new, 0, &to);
	if (!error && to.node)
		error = -EEXIST;
	/* A stream ends with its process, whatever names it had. */
	if (!error && (from.node->own || from.node->device == STAGE_OUTPUT || to.directory->own))
		error = -EXDEV;
	if (!error && stage_is_directory(from.node))
		error = -EPERM;
	if (!error && to.slash)
		error = -ENOENT;
	if (!error)
		error = stage_may_add(view, to.directory);
	if (!error)
		error = stage_check_depth(to.directory, to.name);
	if (!error)
		error = stage_add(view->stage, to.directory, to.name, from.node, false);
	if (!error) {
		from.node->changed = time_realtime();
		stage_touch(to.directory);
	}
	stage_place_put(&from);
	stage_place_put(&to);
	stage_leave(view->stage);
	return stage_wait_filled(view->stage, being, error);
}

int stage_link(struct stage_view *view, struct stage_node *old_from, const char *old,
	       struct stage_node *new_from, const char *new, bool follow)
{
	int error;

	do {
		error = link_once(view, old_from, old, new_from, new, follow);
	} while (error == -EAGAIN);
	return error;
}
