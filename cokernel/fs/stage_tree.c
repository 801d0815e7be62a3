/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of a stage's directories: found by one table of hashes, listed in their order. */
#include "arch/time.h"
#include "fs/stage.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/local.h"

/* Over the name, begun with the directory's number. */
static uint32_t hash_of(const struct stage_node *directory, const char *name)
{
	return stage_hash(0x811c9dc5u ^ (uint32_t)(directory->inode * 0x9e3779b1u), name);
}

struct stage_entry *stage_find(struct stage *stage, const struct stage_node *directory,
			       const char *name)
{
	uint32_t hash = hash_of(directory, name);
	struct stage_entry *entry;
	struct list *pos;
	uint64_t i = 0;

	LIST_FOR_EACH(pos, &stage->buckets[hash % STAGE_BUCKETS]) {
		mm_turn(++i);
		entry = LIST_ENTRY(pos, struct stage_entry, hash_link);
		if (entry->hash == hash && entry->directory == directory &&
		    strcmp(entry->name, name) == 0)
			return entry;
	}
	return NULL;
}

int stage_add(struct stage *stage, struct stage_node *directory, const char *name,
	      struct stage_node *node, bool on_linux)
{
	size_t size = strlen(name) + 1;
	struct stage_entry *entry;

	if (directory->count >= STAGE_ENTRIES_MOST)
		return -ENOSPC;
	entry = heap_alloc(sizeof(*entry) + size);
	if (!entry)
		return -ENOMEM;
	entry->directory = directory;
	entry->node = node;
	entry->cookie = ++directory->last_cookie;
	entry->hash = hash_of(directory, name);
	entry->on_linux = on_linux;
	memcpy(entry->name, name, size);
	list_append(&directory->entries, &entry->link);
	list_append(&stage->buckets[entry->hash % STAGE_BUCKETS], &entry->hash_link);
	directory->count++;
	stage_node_get(node);
	node->links++;
	if (stage_is_directory(node)) {
		node->entry = entry;
		node->parent = directory;
		stage_node_get(directory);
		directory->links++;
	}
	return 0;
}

void stage_remove(struct stage *stage, struct stage_entry *entry, struct stage_gone *note)
{
	struct stage_node *directory = entry->directory, *node = entry->node;

	list_remove(&entry->link);
	list_remove(&entry->hash_link);
	directory->count--;
	node->links--;
	if (stage_is_directory(node)) {
		directory->links--;
		/* It keeps its parent: that is its "..". */
		node->entry = NULL;
	}
	if (note)
		stage_gone_add(stage, note);
	heap_free(entry);
	stage_node_put(node);
}

int64_t stage_path(const struct stage_node *directory, char *path, uint64_t size)
{
	const struct stage_node *node;
	uint64_t length = 0, part, at;

	if (directory->own) {
		length = strlcpy(path, directory->own, size);
		return length < size ? (int64_t)length : -ENAMETOOLONG;
	}
	for (node = directory; node->parent; node = node->parent) {
		if (!node->entry)
			return -ENOENT;
		length += strlen(node->entry->name) + 1;
	}
	if (max_u64(length, 1) >= size)
		return -ENAMETOOLONG;
	path[0] = '/';
	path[max_u64(length, 1)] = '\0';
	at = length;
	for (node = directory; node->parent; node = node->parent) {
		part = strlen(node->entry->name);
		at -= part + 1;
		path[at] = '/';
		memcpy(path + at + 1, node->entry->name, part);
	}
	return (int64_t)max_u64(length, 1);
}

/* From the leaves up, without recursion: a tree is as deep as its user makes it. */
void stage_clear(struct stage *stage)
{
	struct stage_node *at = stage->root;
	struct stage_entry *entry;
	struct stage_gone *note;
	uint64_t i = 0;

	while (!list_empty(&stage->gone)) {
		note = LIST_ENTRY(stage->gone.next, struct stage_gone, link);
		stage_gone_take(note);
		heap_free(note);
	}
	for (;;) {
		mm_turn(++i);
		if (list_empty(&at->entries)) {
			if (!at->parent)
				return;
			entry = at->entry;
			at = at->parent;
		} else {
			entry = LIST_ENTRY(at->entries.next, struct stage_entry, link);
			if (stage_is_directory(entry->node) &&
			    !list_empty(&entry->node->entries)) {
				at = entry->node;
				continue;
			}
		}
		stage_remove(stage, entry, NULL);
	}
}
