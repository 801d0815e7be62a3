/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in the stage already, and what Linux has under the same path when it is copied in. */
#include "fs/stage.h"
#include "lib/errno.h"

static bool is_same(const struct stage_origin *a, const struct stage_origin *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified == b->modified && a->modified_nsec == b->modified_nsec;
}

static bool is_changed_here(const struct stage_node *node)
{
	return node->dirty || node->claimed || node->writers != 0;
}

/* Does what is under ENTRY stay, although Linux has NEW there? */
static bool stays(const struct stage_entry *entry, const struct stage_node *new)
{
	const struct stage_node *node = entry->node;

	/* What was made or changed here goes to Linux in its turn. */
	if (!entry->on_linux || is_changed_here(node))
		return true;
	if (stage_is_directory(node))
		return stage_is_directory(new) || !list_empty(&node->entries);
	return ((node->mode ^ new->mode) & MODE_TYPE) == 0 && is_same(&node->origin, &new->origin);
}

/* ENTRY was made here, and so it was on Linux: it is Linux's now, and does not move any more. */
static void adopt(struct stage_entry *entry)
{
	if (entry->on_linux)
		return;
	entry->on_linux = true;
	entry->node->on_linux = true;
	entry->node->partial = true;
	entry->node->dirty = false;
}

int stage_reconcile(struct stage *stage, struct stage_node *directory, const char *name,
		    const char *path, struct stage_node *new, struct stage_node **node)
{
	struct stage_entry *entry = stage_find(stage, directory, name);
	bool gone = stage_is_gone(stage, path);
	int error;

	*node = NULL;
	if (!entry && gone)
		return 0;
	if (entry && stays(entry, new)) {
		if (!gone && !entry->node->private && stage_is_directory(entry->node) &&
		    stage_is_directory(new))
			adopt(entry);
		*node = entry->node;
	} else {
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
