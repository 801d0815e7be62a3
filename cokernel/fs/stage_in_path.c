/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copying in one path, name by name, with the links on its way. */
#include "fs/linux.h"
#include "fs/stage_pending.h"
#include "fs/staged.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "task/process.h"
#include "task/thread.h"

static int refuse(struct stage_in *in, const char *path, const char *reason)
{
	/* Who is killed meanwhile, or gets a signal, need not hear what that has broken off. */
	if (!thread_has_work(thread_current()))
		process_report(in->process, "cannot stage %s: %s", path, reason);
	return STAGE_SAID;
}

int stage_in_refuse(struct stage_in *in, const char *path, int64_t error)
{
	char text[24];

	return refuse(in, path, staged_reason(error, text));
}

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

/* Another task may move directories meanwhile, but for those that came from Linux. */
static void go_up(struct stage_in *in, struct way *way)
{
	stage_enter(in->view->stage);
	if (way->node->parent)
		go_to(way, way->node->parent);
	stage_leave(in->view->stage);
}

/* The path of NAME where WAY is. 0 or -errno. */
static int make_path(struct stage_in *in, struct way *way, const char *name)
{
	int64_t length;

	stage_enter(in->view->stage);
	length = stage_path(way->node, way->path, STAGE_PATH_MOST);
	stage_leave(in->view->stage);
	if (length < 0)
		return (int)length;
	if ((uint64_t)length + 1 + strlen(name) >= STAGE_PATH_MOST)
		return -ENAMETOOLONG;
	format_text(way->path + length, STAGE_PATH_MOST - (uint64_t)length, "%s%s",
		    length > 1 && *name ? "/" : "", name);
	return 0;
}

/* What NAME in the root is if it is the enclave's own, with a reference; NULL: it is Linux's. */
static struct stage_node *own_node(struct stage_in *in, struct way *way, const char *name)
{
	struct stage *stage = in->view->stage;
	struct stage_entry *entry = NULL;
	struct stage_node *node = NULL;

	stage_enter(stage);
	if (way->node == stage->root)
		entry = stage_find(stage, way->node, name);
	if (entry && (entry->node->own || entry->node->private)) {
		node = entry->node;
		stage_node_get(node);
	}
	stage_leave(stage);
	return node;
}

/* One name further. 0: go on; 1: it is the last one; 2: a task has removed it; -errno. */
static int step(struct stage_in *in, struct way *way, unsigned int how)
{
	char name[STAGE_NAME_MOST + 1];
	struct stage_node *node;
	struct user_stat status;
	int64_t error = next_name(way, name);

	if (error)
		return (int)error;
	if (name[0] == '\0')
		return 1;
	if (!stage_is_directory(way->node))
		return -ENOTDIR;
	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0) {
		go_up(in, way);
		return 0;
	}
	/* What is ours all the time: nothing of Linux goes there. */
	if (way->node->own)
		return -EPERM;
	error = make_path(in, way, name);
	if (error)
		return (int)error;
	node = own_node(in, way, name);
	if (!node) {
		error = linux_status(way->path, false, &status);
		if (!error && !stage_in_can(&status))
			error = how & STAGE_IN_NAMED ? -EOPNOTSUPP : -ENOENT;
		if (!error)
			error = stage_in_bring(in, way->node, name, way->path, &status, &node);
		if (error) {
			if (node)
				stage_node_put(node);
			return (int)error;
		}
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
		result = make_path(in, way, "");
		if (result == 0)
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
		return refuse(in, path, "it is neither a file nor a directory nor a link");
	if (error == -EPERM)
		return refuse(in, path, "that is the enclave's own, and not Linux's");
	return error == 0 || error == STAGE_SAID ? error : stage_in_refuse(in, path, error);
}
