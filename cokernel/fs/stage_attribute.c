/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding and opening nodes of a stage, and their attributes. */
#include "arch/time.h"
#include "fs/memory_file.h"
#include "fs/stage_name.h"
#include "fs/stage_open.h"
#include "lib/errno.h"
#include "lib/string.h"

#define SET_USER 04000u
#define SET_GROUP 02000u

/* ---- files that another task is just copying in ---- */

int stage_check_filled(struct stage_node *node, struct stage_node **being)
{
	if (!node || !node->file || __atomic_load_n(&node->filled, __ATOMIC_ACQUIRE))
		return 0;
	stage_node_get(node);
	*being = node;
	return -EAGAIN;
}

int stage_wait_filled(struct stage *stage, struct stage_node *node, int error)
{
	int waited;

	if (error != -EAGAIN)
		return error;
	waited = turn_take(&stage->copying);
	if (waited == 0) {
		/* Nobody fills it any more: it has been, or its name goes. */
		error = node->filled ? -EAGAIN : -ENOENT;
		turn_end(&stage->copying);
	}
	stage_node_put(node);
	return waited ? waited : error;
}

static int look(struct stage_view *view, struct stage_node *from, const char *path,
		unsigned int flags, struct stage_node **node)
{
	struct stage_node *being = NULL;
	struct stage_place place;
	int error;

	stage_enter(view->stage);
	error = stage_walk(view, from, path, flags, &place);
	if (!error && !place.node)
		error = -ENOENT;
	if (!error)
		error = stage_check_filled(place.node, &being);
	if (!error) {
		*node = place.node;
		place.node = NULL;
	}
	stage_place_put(&place);
	stage_leave(view->stage);
	return stage_wait_filled(view->stage, being, error);
}

int stage_look(struct stage_view *view, struct stage_node *from, const char *path,
	       unsigned int flags, bool empty, struct stage_node **node)
{
	int error;

	if (empty && *path == '\0') {
		stage_node_get(from);
		*node = from;
		return 0;
	}
	do {
		error = look(view, from, path, flags, node);
	} while (error == -EAGAIN);
	return error;
}

/* ---- open(2) ---- */

static uint32_t wanted_by(uint32_t flags)
{
	uint32_t wanted = 0, access = flags & OPEN_ACCESS;

	if (access != OPEN_WRITE_ONLY)
		wanted |= 4;
	if (access != OPEN_READ_ONLY || (flags & OPEN_TRUNCATE))
		wanted |= 2;
	return wanted;
}

/* May the node of PLACE, which is there, be opened so? */
static int check_open(const struct stage_view *view, const struct stage_node *node,
		      uint32_t flags)
{
	if (flags & OPEN_PATH)
		return (flags & OPEN_DIRECTORY) && !stage_is_directory(node) ? -ENOTDIR : 0;
	if (stage_is_link(node))
		return -ELOOP;
	if (stage_is_directory(node)) {
		if (flags & OPEN_CREATE)
			return -EISDIR;
		if ((flags & OPEN_ACCESS) != OPEN_READ_ONLY || (flags & OPEN_TRUNCATE))
			return -EISDIR;
	} else if (flags & OPEN_DIRECTORY) {
		return -ENOTDIR;
	}
	return stage_allows(view, node, wanted_by(flags)) ? 0 : -EACCES;
}

static int create(struct stage_view *view, const struct stage_place *place, uint32_t mode,
		  struct stage_node **node)
{
	if (place->slash)
		return -EISDIR;
	return stage_make(view, place, MODE_REGULAR | (mode & MODE_BITS & ~view->mask), node);
}

/* A file without a name in the directory that PLACE is. */
static int create_nameless(struct stage_view *view, const struct stage_place *place,
			   uint32_t flags, uint32_t mode, struct stage_node **node)
{
	if (!place->node)
		return -ENOENT;
	if (!stage_is_directory(place->node))
		return -ENOTDIR;
	if ((flags & OPEN_ACCESS) == OPEN_READ_ONLY)
		return -EINVAL;
	if (place->node->own || !stage_allows(view, place->node, 3))
		return -EACCES;
	*node = stage_node_create(view->stage, MODE_REGULAR | (mode & MODE_BITS & ~view->mask),
				  view->uid, view->gid);
	if (!*node)
		return -ENOMEM;
	(*node)->filled = true;
	return 0;
}

static int open_at(struct stage_view *view, struct stage_place *place, uint32_t flags,
		   uint32_t mode, struct stage_node **node)
{
	int error;

	if ((flags & OPEN_TEMPORARY) == OPEN_TEMPORARY)
		return create_nameless(view, place, flags, mode, node);
	if (!place->node)
		return flags & OPEN_CREATE ? create(view, place, mode, node) : -ENOENT;
	if ((flags & OPEN_CREATE) && (flags & OPEN_EXCLUSIVE))
		return -EEXIST;
	error = check_open(view, place->node, flags);
	if (error)
		return error;
	*node = place->node;
	place->node = NULL;
	return 0;
}

static int open_once(struct stage_view *view, struct stage_node *from, const char *path,
		     uint32_t flags, uint32_t mode, struct stage_node **node)
{
	bool follow = !(flags & OPEN_NO_FOLLOW) &&
		      (flags & (OPEN_CREATE | OPEN_EXCLUSIVE)) != (OPEN_CREATE | OPEN_EXCLUSIVE);
	struct stage_node *being = NULL;
	struct stage_place place;
	int error;

	stage_enter(view->stage);
	error = stage_walk(view, from, path, follow ? STAGE_FOLLOW : 0, &place);
	if (!error)
		error = stage_check_filled(place.node, &being);
	if (!error)
		error = open_at(view, &place, flags, mode, node);
	stage_place_put(&place);
	stage_leave(view->stage);
	return stage_wait_filled(view->stage, being, error);
}

int stage_open_node(struct stage_view *view, struct stage_node *from, const char *path,
		    uint32_t flags, uint32_t mode, struct stage_node **node)
{
	int error;

	if ((flags & OPEN_CREATE) && (flags & OPEN_DIRECTORY))
		return -EINVAL;
	do {
		error = open_once(view, from, path, flags, mode, node);
	} while (error == -EAGAIN);
	return error;
}

/* ---- attributes ---- */

/* What only its owner may do to NODE. */
static int check_owner(const struct stage_view *view, const struct stage_node *node)
{
	if (node->own)
		return -EPERM;
	return view->uid == 0 || view->uid == node->uid ? 0 : -EPERM;
}

static void attributes_changed(struct stage_node *node)
{
	node->changed = time_realtime();
	node->dirty = true;
}

int stage_chmod(struct stage_view *view, struct stage_node *node, uint32_t mode)
{
	int error;

	stage_enter(view->stage);
	error = check_owner(view, node);
	if (!error && stage_is_link(node))
		error = -EOPNOTSUPP;
	if (!error) {
		if (view->uid != 0 && !stage_has_group(view, node->gid))
			mode &= ~SET_GROUP;
		node->mode = (node->mode & MODE_TYPE) | (mode & MODE_BITS);
		attributes_changed(node);
	}
	stage_leave(view->stage);
	return error;
}

int stage_chown(struct stage_view *view, struct stage_node *node, uint32_t uid, uint32_t gid)
{
	int error = 0;

	stage_enter(view->stage);
	if (view->uid != 0 && uid != UINT32_MAX && uid != node->uid)
		error = -EPERM;
	if (!error && (uid != UINT32_MAX || gid != UINT32_MAX))
		error = check_owner(view, node);
	if (!error && gid != UINT32_MAX && gid != node->gid && view->uid != 0 &&
	    !stage_has_group(view, gid))
		error = -EPERM;
	if (!error) {
		if (uid != UINT32_MAX)
			node->uid = uid;
		if (gid != UINT32_MAX)
			node->gid = gid;
		if (!stage_is_directory(node))
			node->mode &= ~(SET_USER | SET_GROUP);
		attributes_changed(node);
	}
	stage_leave(view->stage);
	return error;
}

int stage_set_times(struct stage_view *view, struct stage_node *node, nsec_t accessed,
		    nsec_t modified, bool now)
{
	int error;

	stage_enter(view->stage);
	error = check_owner(view, node);
	if (error && !node->own && now)
		error = stage_allows(view, node, 2) ? 0 : -EACCES;
	if (!error) {
		if (accessed != NSEC_FOREVER)
			node->accessed = accessed;
		if (modified != NSEC_FOREVER)
			node->modified = modified;
		if (modified != NSEC_FOREVER && node->file)
			node->file->modified = modified;
		attributes_changed(node);
	}
	stage_leave(view->stage);
	return error;
}

int stage_chdir(struct stage_view *view, struct stage_node *node)
{
	struct stage_node *before = NULL;
	int error = 0;

	stage_enter(view->stage);
	if (!stage_is_directory(node))
		error = -ENOTDIR;
	else if (!stage_allows(view, node, 1))
		error = -EACCES;
	if (!error) {
		before = view->directory;
		view->directory = node;
		stage_node_get(node);
	}
	stage_leave(view->stage);
	stage_node_put(before);
	return error;
}
