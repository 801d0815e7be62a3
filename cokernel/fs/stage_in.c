/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying in, in two steps: first the tree is made of what Linux says of each name, so
 * that it is known how much there is; then files are filled. What another task has
 * filled already is known again by its device, inode, size and time.
 */
#include "fs/linux.h"
#include "fs/memory_file.h"
#include "fs/stage_pending.h"
#include "fs/staged.h"
#include "lib/errno.h"
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

/*
 * What could not be filled is not there either: a name with nothing behind it would be
 * copied out over the file that it stands for.
 */
static void drop_unfilled(struct stage_in *in)
{
	struct stage_view all = *in->view;
	struct stage_pending *file;
	struct stage_entry *entry;
	struct stage_place place;
	struct list *pos;

	all.uid = 0;
	stage_enter(all.stage);
	LIST_FOR_EACH(pos, &in->files) {
		file = LIST_ENTRY(pos, struct stage_pending, link);
		if (file->node->filled)
			continue;
		if (stage_walk(&all, all.stage->root, file->path, 0, &place) == 0 &&
		    place.node == file->node) {
			entry = stage_find(all.stage, place.directory, place.name);
			if (entry)
				stage_remove(all.stage, entry, NULL);
		}
		stage_place_put(&place);
	}
	stage_leave(all.stage);
}

void stage_in_end(struct stage_in *in)
{
	drop_unfilled(in);
	stage_pending_drop(&in->files);
	stage_pending_drop(&in->directories);
	turn_end(&in->view->stage->copying);
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

int stage_in_bring(struct stage_in *in, struct stage_node *directory, const char *name,
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
	error = stage_reconcile(in->view->stage, directory, name, path, new, node);
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

bool stage_in_can(const struct user_stat *status)
{
	uint32_t type = status->mode & MODE_TYPE;

	return status->size >= 0 && (uint64_t)status->size <= OBJECT_MOST &&
	       (type == MODE_REGULAR || type == MODE_DIRECTORY || type == MODE_LINK);
}

int stage_in_name(struct stage_in *in, struct stage_node *directory, const char *name,
		  const char *path)
{
	struct stage_node *node = NULL;
	struct user_stat status;
	int64_t error = linux_status(path, false, &status);

	/* It has gone since it was listed. */
	if (error == -ENOENT)
		return 0;
	if (!error && !stage_in_can(&status))
		return 0;
	if (!error)
		error = stage_in_bring(in, directory, name, path, &status, &node);
	/* A directory that is a file here, or the other way round, is not looked into. */
	if (!error && node && stage_is_directory(node) && !node->own && !node->private &&
	    (status.mode & MODE_TYPE) == MODE_DIRECTORY)
		error = stage_pending_add(&in->directories, node, path);
	stage_node_put(node);
	if (error)
		stage_in_refuse(in, path, error);
	return error ? STAGE_SAID : 0;
}
