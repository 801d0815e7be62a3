/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The enclave's own /proc and /sys in a stage (fs/tree.h). Nothing of Linux is seen
 * there, so all directories above our files are ours, too. Nodes are made when they are
 * looked up and hold the directory that they were found in; /proc/self has links and
 * descriptors besides.
 */
#include "arch/time.h"
#include "fs/file_table.h"
#include "fs/files.h"
#include "fs/memory_file.h"
#include "fs/stage.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/object.h"
#include "task/process.h"
#include "task/thread.h"

#define SELF "/proc/self"
#define DESCRIPTORS SELF "/fd"

/* FNV-1a: the same path has the same number, far from those of the tree. */
static uint64_t inode_of(const char *path)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (; *path; path++)
		hash = (hash ^ (uint8_t)*path) * 0x100000001b3ull;
	return hash | 1ull << 63;
}

static struct stage_node *make(const struct stage_view *view, const struct stage_node *directory,
			       const char *path, uint32_t mode)
{
	struct stage_node *node = heap_alloc_zero(sizeof(*node));

	if (!node)
		return NULL;
	node->references = 1;
	node->mode = mode;
	node->uid = view->uid;
	node->gid = view->gid;
	node->inode = inode_of(path);
	node->links = 1;
	node->accessed = node->modified = node->changed = time_realtime();
	list_init(&node->entries);
	if (!stage_own_set(node, path)) {
		heap_free(node);
		return NULL;
	}
	node->parent = (struct stage_node *)directory;
	stage_node_get(node->parent);
	return node;
}

static struct stage_node *make_link(const struct stage_view *view,
				    const struct stage_node *directory, const char *path,
				    const char *target)
{
	struct stage_node *node = target ? make(view, directory, path, MODE_LINK | 0777) : NULL;

	if (node && !stage_link_set(node, target)) {
		stage_node_put(node);
		return NULL;
	}
	return node;
}

static struct stage_node *working_directory(const struct stage_view *view,
					    const struct stage_node *directory, const char *path)
{
	char *target = heap_alloc(STAGE_PATH_MOST);
	struct stage_node *node = NULL;

	if (target && stage_path(view->directory, target, STAGE_PATH_MOST) > 0)
		node = make_link(view, directory, path, target);
	heap_free(target);
	return node;
}

/* What descriptor NAME is: the node itself, so that it can be opened again. */
static struct stage_node *descriptor(const char *name)
{
	struct stage_node *node = NULL;
	struct open_file *open;
	const char *at;
	int fd = 0;

	for (at = name; *at; at++) {
		if (*at < '0' || *at > '9' || fd > 100000)
			return NULL;
		fd = fd * 10 + (*at - '0');
	}
	open = at != name ? file_table_get(fd) : NULL;
	if (!open)
		return NULL;
	if (open->node) {
		node = open->node;
		stage_node_get(node);
	}
	open_file_put(open);
	return node;
}

bool stage_own_has_descriptors(const struct stage_node *directory)
{
	return directory->own && strcmp(directory->own, DESCRIPTORS) == 0;
}

struct stage_node *stage_own_find(const struct stage_view *view,
				  const struct stage_node *directory, const char *name)
{
	char path[OWN_PATH_MOST];
	struct tree_node node;

	if (stage_own_has_descriptors(directory))
		return descriptor(name);
	if (format_text(path, sizeof(path), "%s/%s", directory->own, name) >= (int)sizeof(path))
		return NULL;
	tree_find_alone(path, &node);
	/* A name may have been written otherwise: as /proc/ and our number. */
	if (node.found == TREE_FILE)
		return make(view, directory, node.path, MODE_REGULAR | 0444);
	if (node.found == TREE_DIRECTORY)
		return make(view, directory, node.path, MODE_DIRECTORY | 0555);
	if (strcmp(node.path, SELF "/exe") == 0)
		return make_link(view, directory, node.path, process_current()->executable);
	if (strcmp(node.path, SELF "/cwd") == 0)
		return working_directory(view, directory, node.path);
	if (strcmp(node.path, SELF "/root") == 0)
		return make_link(view, directory, node.path, "/");
	if (strcmp(node.path, DESCRIPTORS) == 0)
		return make(view, directory, node.path, MODE_DIRECTORY | 0500);
	return NULL;
}

/* ---- listing: a directory's name comes once, whatever is below it ---- */

struct names {
	void (*fn)(const char *name, bool is_directory, void *argument);
	void *argument;
	struct text seen; /* each with its NUL */
};

static void give_once(const char *name, bool is_directory, void *argument)
{
	struct names *names = argument;
	size_t at;

	for (at = 0; at < names->seen.used; at += strlen(names->seen.bytes + at) + 1) {
		if (strcmp(names->seen.bytes + at, name) == 0)
			return;
	}
	text_add_bytes(&names->seen, name, strlen(name) + 1);
	names->fn(name, is_directory, names->argument);
}

static void list_descriptors(void (*fn)(const char *name, bool is_directory, void *argument),
			     void *argument)
{
	const struct file_table *table = &process_current()->file_table;
	struct open_file *open;
	unsigned int fd;
	char name[16];

	for (fd = 0; fd < table->room; fd++) {
		open = file_table_get((int)fd);
		if (!open)
			continue;
		open_file_put(open);
		format_text(name, sizeof(name), "%u", fd);
		fn(name, false, argument);
	}
}

void stage_own_list(const struct stage_node *directory,
		    void (*fn)(const char *name, bool is_directory, void *argument),
		    void *argument)
{
	struct names names = { .fn = fn, .argument = argument };
	struct tree_node node;

	if (strcmp(directory->own, DESCRIPTORS) == 0) {
		list_descriptors(fn, argument);
		return;
	}
	text_init(&names.seen);
	tree_find_alone(directory->own, &node);
	tree_for_each(&node, give_once, &names);
	if (strcmp(directory->own, SELF) == 0) {
		give_once("exe", false, &names);
		give_once("cwd", false, &names);
		give_once("root", false, &names);
		give_once("fd", true, &names);
	}
	text_free(&names.seen);
}

struct memory_file *stage_own_read(const struct stage_node *node)
{
	struct memory_file *file = memory_file_create(0444);
	struct tree_node found;
	struct text text;
	bool good;

	if (!file)
		return NULL;
	tree_find_alone(node->own, &found);
	text_init(&text);
	/* What was there may have gone since: a thread. Then it is empty. */
	if (found.found == TREE_FILE)
		found.entry->write(&text, found.number);
	good = text_is_whole(&text);
	if (good)
		object_resize(file->object, text.used);
	good = good && object_write(file->object, 0, text.bytes, text.used) == 0;
	text_free(&text);
	if (good)
		return file;
	memory_file_put(file);
	return NULL;
}
