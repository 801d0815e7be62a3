/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying in, in two steps: first the tree is made of what Linux says of each name, so
 * that it is known how much there is; then files are filled. What another task has
 * filled already is known again by its device, inode, size and time.
 */
#include <asm/unistd_64.h>

#include "channel/channel.h"
#include "fs/linux.h"
#include "fs/memory_file.h"
#include "fs/stage_pending.h"
#include "fs/staged.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/local.h"
#include "mm/object.h"
#include "task/process.h"
#include "task/thread.h"

int stage_in_begin(struct stage_in *in, struct process *process, struct stage_view *view)
{
	*in = (struct stage_in){ .process = process, .view = view };
	list_init(&in->files);
	list_init(&in->directories);
	if (turn_take(&view->stage->copying) != 0)
		return -EINTR;
	view->stage->last_round++;
	return 0;
}

void stage_in_end(struct stage_in *in)
{
	stage_pending_drop(&in->files);
	stage_pending_drop(&in->directories);
	turn_end(&in->view->stage->copying);
}

static int refuse(struct stage_in *in, const char *path, const char *reason, int error)
{
	if (!thread_current()->dying)
		process_report(in->process, "cannot stage %s: %s", path, reason);
	return error;
}

static int refuse_error(struct stage_in *in, const char *path, int64_t error)
{
	char text[24];

	return refuse(in, path, staged_reason(error, text), (int)error);
}

static struct stage_origin origin_of(const struct user_stat *status)
{
	return (struct stage_origin){
		.device = status->device,
		.inode = status->inode,
		.size = (uint64_t)status->size,
		.modified = status->modified,
		.modified_nsec = status->modified_nsec,
	};
}

static bool is_same(const struct stage_origin *a, const struct stage_origin *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified == b->modified && a->modified_nsec == b->modified_nsec;
}

static nsec_t time_of(uint64_t seconds, uint64_t nsec)
{
	/* Before 1970, or what no clock says: the beginning. */
	if (seconds > INT32_MAX * 4ull || nsec >= NSEC_PER_SEC)
		return 0;
	return seconds * NSEC_PER_SEC + nsec;
}

/* A node for what Linux has under PATH, as STATUS says. NULL: out of memory. */
static struct stage_node *node_for(struct stage_in *in, const struct user_stat *status,
				   const char *target)
{
	struct stage_node *node = stage_node_create(in->view->stage,
						    status->mode & (MODE_TYPE | MODE_BITS),
						    status->uid, status->gid);

	if (!node)
		return NULL;
	node->origin = origin_of(status);
	node->accessed = time_of(status->accessed, status->accessed_nsec);
	node->modified = time_of(status->modified, status->modified_nsec);
	node->changed = time_of(status->changed, status->changed_nsec);
	if (node->file)
		node->file->modified = node->modified;
	if (stage_is_directory(node))
		node->on_linux = node->partial = true;
	if (target && !stage_link_set(node, target)) {
		stage_node_put(node);
		return NULL;
	}
	return node;
}

static bool is_changed_here(const struct stage_node *node)
{
	return node->dirty || node->claimed || node->writers != 0;
}

/*
 * NAME in DIRECTORY, in the turn: what there is already, if that is what Linux has or
 * what a task has made of it, else NEW. With a reference; NULL: a task has removed it.
 */
static int reconcile(struct stage_in *in, struct stage_node *directory, const char *name,
		     const char *path, struct stage_node *new, struct stage_node **node)
{
	struct stage *stage = in->view->stage;
	struct stage_entry *entry = stage_find(stage, directory, name);
	int error;

	*node = NULL;
	if (!entry && stage_is_gone(stage, path))
		return 0;
	if (entry && (!new->file || !entry->node->file || is_changed_here(entry->node) ||
		      !entry->on_linux || is_same(&entry->node->origin, &new->origin)))
		*node = entry->node;
	if (!*node) {
		error = stage_add(stage, directory, name, new, true);
		if (error)
			return error;
		if (entry)
			stage_remove(stage, entry, NULL);
		*node = new;
	}
	stage_node_get(*node);
	return 0;
}

/*
 * PATH, which is NAME in DIRECTORY, comes into the tree as STATUS says. *NODE with a
 * reference, or NULL: it was removed there. 0 or -errno.
 */
static int bring(struct stage_in *in, struct stage_node *directory, const char *name,
		 const char *path, const struct user_stat *status, struct stage_node **node)
{
	char *target = NULL;
	struct stage_node *new;
	int64_t error = 0;

	if ((status->mode & MODE_TYPE) == MODE_LINK) {
		target = heap_alloc(STAGE_PATH_MOST);
		error = target ? linux_read_link(path, target, STAGE_PATH_MOST) : -ENOMEM;
	}
	new = error < 0 ? NULL : node_for(in, status, target);
	heap_free(target);
	if (!new)
		return error < 0 ? (int)error : -ENOMEM;
	stage_enter(in->view->stage);
	error = reconcile(in, directory, name, path, new, node);
	stage_leave(in->view->stage);
	stage_node_put(new);
	if (error || !*node)
		return (int)error;
	if ((*node)->file && !(*node)->filled && (*node)->round != in->view->stage->last_round) {
		(*node)->round = in->view->stage->last_round;
		in->bytes += align_up((*node)->origin.size, PAGE_SIZE);
		return stage_pending_add(&in->files, *node, path);
	}
	return 0;
}

static bool can_be_staged(const struct user_stat *status)
{
	uint32_t type = status->mode & MODE_TYPE;

	return status->size >= 0 && (uint64_t)status->size <= OBJECT_MOST &&
	       (type == MODE_REGULAR || type == MODE_DIRECTORY || type == MODE_LINK);
}

/* ---- a path ---- */

/* What is left of a path, spliced where links are met; and where it has come to. */
struct way {
	char *rest;  /* 2 * STAGE_PATH_MOST bytes */
	char *path;  /* STAGE_PATH_MOST: of NODE, as Linux has it */
	struct stage_node *node;
	unsigned int links;
};

/* The next name of WAY to NAME, "" at its end. */
static int next_name(struct way *way, char *name)
{
	char *at = way->rest;
	size_t length = 0;

	while (*at == '/')
		at++;
	while (at[length] && at[length] != '/')
		length++;
	if (length > STAGE_NAME_MOST)
		return -ENAMETOOLONG;
	memcpy(name, at, length);
	name[length] = '\0';
	memmove(way->rest, at + length, strlen(at + length) + 1);
	return 0;
}

static int follow(struct way *way, const struct stage_node *link)
{
	size_t target = strlen(link->target), rest = strlen(way->rest) + 1;

	if (++way->links > STAGE_LINKS_MOST)
		return -ELOOP;
	if (target + rest > 2 * STAGE_PATH_MOST)
		return -ENAMETOOLONG;
	memmove(way->rest + target, way->rest, rest);
	memcpy(way->rest, link->target, target);
	return link->target[0] == '/' ? 1 : 0;
}

static void go_to(struct way *way, struct stage_node *node)
{
	stage_node_get(node);
	stage_node_put(way->node);
	way->node = node;
}

/* One name further. 0: go on; 1: it is the last one; 2: a task has removed it; -errno. */
static int step(struct stage_in *in, struct way *way, unsigned int how)
{
	char name[STAGE_NAME_MOST + 1];
	struct stage_node *node = NULL;
	struct user_stat status;
	int64_t length, error = next_name(way, name);

	if (error)
		return (int)error;
	if (name[0] == '\0')
		return 1;
	if (!stage_is_directory(way->node))
		return -ENOTDIR;
	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0) {
		if (way->node->parent)
			go_to(way, way->node->parent);
		return 0;
	}
	/* What is ours all the time: nothing of Linux goes there. */
	if (way->node->own)
		return -EPERM;
	length = stage_path(way->node, way->path, STAGE_PATH_MOST);
	if (length < 0)
		return (int)length;
	if ((uint64_t)length + 1 + strlen(name) >= STAGE_PATH_MOST)
		return -ENAMETOOLONG;
	format_text(way->path + length, STAGE_PATH_MOST - (uint64_t)length, "%s%s",
		    length > 1 ? "/" : "", name);
	stage_enter(in->view->stage);
	if (way->node == in->view->stage->root && stage_find(in->view->stage, way->node, name))
		node = stage_find(in->view->stage, way->node, name)->node;
	if (node && (node->own || node->private))
		stage_node_get(node);
	else
		node = NULL;
	stage_leave(in->view->stage);
	if (!node) {
		error = linux_status(way->path, &status);
		if (!error && !can_be_staged(&status))
			error = how & STAGE_IN_NAMED ? -EOPNOTSUPP : -ENOENT;
		if (!error)
			error = bring(in, way->node, name, way->path, &status, &node);
		if (error)
			return (int)error;
	}
	if (!node)
		return 2;
	if (stage_is_link(node)) {
		error = follow(way, node);
		if (error == 1)
			go_to(way, in->view->stage->root);
	} else {
		go_to(way, node);
	}
	stage_node_put(node);
	return error < 0 ? (int)error : 0;
}

static int walk(struct stage_in *in, struct way *way, unsigned int how)
{
	int result;

	do {
		result = step(in, way, how);
	} while (result == 0);
	if (result == 1 && (how & STAGE_IN_ALL) && stage_is_directory(way->node)) {
		if (way->node->own)
			return -EPERM;
		result = (int)stage_path(way->node, way->path, STAGE_PATH_MOST);
		if (result > 0)
			result = stage_pending_add(&in->directories, way->node, way->path);
	}
	return result < 0 ? result : 0;
}

int stage_in_path(struct stage_in *in, const char *cwd, const char *path, unsigned int how)
{
	struct way way = { 0 };
	int error = -ENOMEM;

	way.rest = heap_alloc(2 * STAGE_PATH_MOST);
	way.path = heap_alloc(STAGE_PATH_MOST);
	if (way.rest && way.path) {
		error = format_text(way.rest, 2 * STAGE_PATH_MOST, "%s/%s",
				    path[0] == '/' ? "" : cwd, path) >=
					(int)(2 * STAGE_PATH_MOST) ? -ENAMETOOLONG : 0;
		way.node = in->view->stage->root;
		stage_node_get(way.node);
	}
	if (!error)
		error = walk(in, &way, how);
	if (!error)
		error = stage_in_directories(in);
	stage_node_put(way.node);
	heap_free(way.rest);
	heap_free(way.path);
	if ((how & STAGE_IN_NEEDED) && (error == -ENOENT || error == -ENOTDIR))
		return 0;
	if (error == -EOPNOTSUPP)
		return refuse(in, path, "it is neither a file nor a directory nor a link", error);
	if (error == -EPERM)
		return refuse(in, path, "that is the enclave's own, and not Linux's", error);
	return error == 0 || error == STAGE_SAID ? error : refuse_error(in, path, error);
}

/* ---- a directory ---- */

int stage_in_name(struct stage_in *in, struct stage_node *directory, const char *name,
		  const char *path)
{
	struct stage_node *node = NULL;
	struct user_stat status;
	int64_t error = linux_status(path, &status);

	/* It has gone since it was listed. */
	if (error == -ENOENT)
		return 0;
	if (!error && !can_be_staged(&status))
		return 0;
	if (!error)
		error = bring(in, directory, name, path, &status, &node);
	if (!error && node && stage_is_directory(node) && !node->own && !node->private)
		error = stage_pending_add(&in->directories, node, path);
	stage_node_put(node);
	if (error)
		refuse_error(in, path, error);
	return error ? STAGE_SAID : 0;
}
