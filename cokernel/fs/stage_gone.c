/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was removed in a stage and is still on Linux: in the order of removals, and by path. */
#include "fs/stage.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/local.h"

static uint32_t hash_of(const char *path)
{
	return stage_hash(0x811c9dc5u, path);
}

int stage_note(const struct stage_entry *entry, struct stage_gone **note)
{
	uint64_t name = strlen(entry->name) + 1, size = 2;
	const struct stage_node *node;
	struct stage_gone *new;
	int64_t length;

	*note = NULL;
	if (!entry->on_linux)
		return 0;
	for (node = entry->directory; node->parent && node->entry; node = node->parent)
		size += strlen(node->entry->name) + 1;
	new = heap_alloc(sizeof(*new) + size + name);
	if (!new)
		return -ENOMEM;
	length = stage_path(entry->directory, new->path, size);
	if (length < 0) {
		heap_free(new);
		return (int)length;
	}
	list_init(&new->link);
	list_init(&new->hash_link);
	new->is_directory = stage_is_directory(entry->node);
	if (length > 1)
		new->path[length++] = '/';
	memcpy(new->path + length, entry->name, name);
	new->hash = hash_of(new->path);
	*note = new;
	return 0;
}

void stage_gone_add(struct stage *stage, struct stage_gone *note)
{
	list_append(&stage->gone, &note->link);
	list_append(&stage->gone_buckets[note->hash % STAGE_BUCKETS], &note->hash_link);
}

void stage_gone_take(struct stage_gone *note)
{
	list_remove(&note->link);
	list_remove(&note->hash_link);
}

struct stage_gone *stage_gone_find(struct stage *stage, const char *path, bool is_directory)
{
	uint32_t hash = hash_of(path);
	struct stage_gone *note;
	struct list *pos;
	uint64_t i = 0;

	LIST_FOR_EACH(pos, &stage->gone_buckets[hash % STAGE_BUCKETS]) {
		mm_turn(++i);
		note = LIST_ENTRY(pos, struct stage_gone, hash_link);
		if (note->hash == hash && note->is_directory == is_directory &&
		    strcmp(note->path, path) == 0)
			return note;
	}
	return NULL;
}

bool stage_is_gone(struct stage *stage, const char *path)
{
	return stage_gone_find(stage, path, false) || stage_gone_find(stage, path, true);
}
