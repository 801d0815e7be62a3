/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readlink(2): of links, and of /proc/self/fd, whose names are the open files themselves. */
#include "fs/stage_name.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/local.h"

/* An entry of NODE, which is no directory: the first one that is met, of several. NULL: none. */
static const struct stage_entry *entry_of(const struct stage *stage, const struct stage_node *node)
{
	const struct stage_entry *entry;
	const struct list *pos;
	uint64_t steps = 0;
	unsigned int i;

	for (i = 0; i < STAGE_BUCKETS && node->links != 0; i++) {
		LIST_FOR_EACH(pos, &stage->buckets[i]) {
			mm_turn(++steps);
			entry = LIST_ENTRY(pos, struct stage_entry, hash_link);
			if (entry->node == node)
				return entry;
		}
	}
	return NULL;
}

/* Where NODE, which is open, is. 0 or -ENAMETOOLONG. */
static int name_of(const struct stage *stage, const struct stage_node *node, char *name)
{
	const struct stage_entry *entry = NULL;
	int64_t length = -ENOENT;
	int more;

	if (node->device == STAGE_OUTPUT) {
		format_text(name, STAGE_PATH_MOST, "pipe:[%llu]", (unsigned long long)node->inode);
		return 0;
	}
	if (stage_is_directory(node) || node->own)
		length = stage_path(node, name, STAGE_PATH_MOST);
	else if ((entry = entry_of(stage, node)) != NULL)
		length = stage_path(entry->directory, name, STAGE_PATH_MOST);
	if (length == -ENOENT) {
		strlcpy(name, "/ (deleted)", STAGE_PATH_MOST);
		return 0;
	}
	if (length < 0 || !entry)
		return length < 0 ? (int)length : 0;
	more = format_text(name + length, STAGE_PATH_MOST - (uint64_t)length, "%s%s",
			   length > 1 ? "/" : "", entry->name);
	return more < (int)(STAGE_PATH_MOST - (uint64_t)length) ? 0 : -ENAMETOOLONG;
}

int stage_read_link(struct stage_view *view, struct stage_node *from, const char *path,
		    char target[STAGE_PATH_MOST])
{
	struct stage_place place = { .node = from };
	int error = 0;

	stage_enter(view->stage);
	/* FROM may be a link that is open by O_PATH; else, as of any empty path: */
	if (*path == '\0')
		stage_node_get(from);
	else
		error = stage_walk(view, from, path, 0, &place);
	if (!error && (!place.node || (*path == '\0' && !stage_is_link(from))))
		error = -ENOENT;
	if (!error && stage_is_link(place.node) && place.node->target)
		strlcpy(target, place.node->target, STAGE_PATH_MOST);
	else if (!error && place.directory && stage_own_has_descriptors(place.directory))
		error = name_of(view->stage, place.node, target);
	else if (!error)
		error = -EINVAL;
	stage_place_put(&place);
	stage_leave(view->stage);
	return error;
}
