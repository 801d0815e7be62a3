/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a path to a node: name by name, links spliced into what is left of the path. */
#include "fs/stage.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/local.h"

#define PASS 1u /* execute permission of a directory */

struct walk {
	const struct stage_view *view;
	struct stage_node *at; /* a directory, with a reference */
	const char *rest;      /* what is left of the path */
	char *spliced;	       /* the memory of REST once a link was met; on the heap */
	unsigned int links;
	unsigned int flags;
	struct stage_place *place;
};

static void go_to(struct walk *walk, struct stage_node *node)
{
	stage_node_get(node);
	stage_node_put(walk->at);
	walk->at = node;
}

/* The next name of the path, "" at its end. 0 or -ENAMETOOLONG. */
static int next_name(struct walk *walk, char *name)
{
	size_t length = 0;

	while (*walk->rest == '/')
		walk->rest++;
	for (; *walk->rest && *walk->rest != '/'; walk->rest++) {
		if (length == STAGE_NAME_MOST)
			return -ENAMETOOLONG;
		name[length++] = *walk->rest;
	}
	name[length] = '\0';
	return 0;
}

static bool is_last(const struct walk *walk)
{
	const char *rest = walk->rest;

	while (*rest == '/')
		rest++;
	return *rest == '\0';
}

/* What NAME in the directory is, with a reference; NULL: nothing. */
static struct stage_node *look_up(const struct walk *walk, const char *name)
{
	struct stage_entry *entry;

	if (walk->at->own)
		return stage_own_find(walk->view, walk->at, name);
	entry = stage_find(walk->view->stage, walk->at, name);
	if (!entry)
		return NULL;
	stage_node_get(entry->node);
	return entry->node;
}

/* The path goes on with TARGET, from where its link is. 0, -ELOOP, -ENAMETOOLONG, -ENOMEM. */
static int splice(struct walk *walk, const char *target)
{
	size_t size = strlen(target), rest = strlen(walk->rest) + 1;
	char *new;

	if (++walk->links > STAGE_LINKS_MOST)
		return -ELOOP;
	if (size == 0)
		return -ENOENT;
	/* A link's target and what follows it, each no longer than a path. */
	if (size + 1 + rest > 2 * STAGE_PATH_MOST)
		return -ENAMETOOLONG;
	new = heap_alloc(size + 1 + rest);
	if (!new)
		return -ENOMEM;
	memcpy(new, target, size);
	/* What is left begins with a / or is empty. */
	memcpy(new + size, walk->rest, rest);
	heap_free(walk->spliced);
	walk->spliced = new;
	walk->rest = new;
	if (*target == '/')
		go_to(walk, walk->view->stage->root);
	return 0;
}

/* Ends the walk: the last name is NAME, and NODE (its reference taken over) is there. */
static void arrive(struct walk *walk, const char *name, struct stage_node *node)
{
	struct stage_place *place = walk->place;

	place->directory = walk->at;
	walk->at = NULL;
	place->node = node;
	strlcpy(place->name, name, sizeof(place->name));
}

/* One name. 0: go on; 1: arrived; -errno. */
static int step(struct walk *walk, char *name)
{
	struct stage_node *node;
	bool last, follow;
	int error = next_name(walk, name);

	if (error)
		return error;
	if (!stage_is_directory(walk->at))
		return -ENOTDIR;
	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		if (name[0] && !stage_allows(walk->view, walk->at, PASS))
			return -EACCES;
		if (name[0] && name[1] && walk->at->parent)
			go_to(walk, walk->at->parent);
		if (!is_last(walk))
			return 0;
		stage_node_get(walk->at);
		walk->place->dots = (unsigned int)strlen(name);
		arrive(walk, "", walk->at);
		return 1;
	}
	if (!stage_allows(walk->view, walk->at, PASS))
		return -EACCES;
	last = is_last(walk);
	walk->place->slash = last && *walk->rest == '/';
	node = look_up(walk, name);
	follow = !last || walk->place->slash || (walk->flags & STAGE_FOLLOW);
	if (node && stage_is_link(node) && follow) {
		error = node->target ? splice(walk, node->target) : -ENOENT;
		stage_node_put(node);
		return error;
	}
	if (last) {
		if (node && walk->place->slash && !stage_is_directory(node)) {
			stage_node_put(node);
			return -ENOTDIR;
		}
		arrive(walk, name, node);
		return 1;
	}
	if (!node)
		return -ENOENT;
	go_to(walk, node);
	stage_node_put(node);
	return 0;
}

int stage_walk(const struct stage_view *view, struct stage_node *from, const char *path,
	       unsigned int flags, struct stage_place *place)
{
	struct walk walk = { .view = view, .rest = path, .flags = flags, .place = place };
	char name[STAGE_NAME_MOST + 1];
	uint64_t i = 0;
	int result;

	memset(place, 0, sizeof(*place));
	if (*path == '\0')
		return -ENOENT;
	walk.at = *path == '/' ? view->stage->root : from;
	stage_node_get(walk.at);
	do {
		mm_turn(++i);
		result = step(&walk, name);
	} while (result == 0);
	heap_free(walk.spliced);
	stage_node_put(walk.at);
	return result < 0 ? result : 0;
}

void stage_place_put(struct stage_place *place)
{
	stage_node_put(place->directory);
	stage_node_put(place->node);
	place->directory = NULL;
	place->node = NULL;
}
