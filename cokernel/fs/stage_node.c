/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/time.h"
#include "fs/memory_file.h"
#include "fs/stage.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/object.h"

/* Of /dev/null and its kin, as st_rdev has them: major 1. */
static const uint64_t device_numbers[] = {
	[STAGE_NULL] = 0x103, [STAGE_ZERO] = 0x105,   [STAGE_FULL] = 0x107,
	[STAGE_RANDOM] = 0x109, [STAGE_OUTPUT] = 0,   [STAGE_PIPE] = 0,
};

struct stage_node *stage_node_create(struct stage *stage, uint32_t mode, uint32_t uid,
				     uint32_t gid)
{
	struct stage_node *node = heap_alloc_zero(sizeof(*node));

	if (!node)
		return NULL;
	if ((mode & MODE_TYPE) == MODE_REGULAR) {
		node->file = memory_file_create(mode);
		if (!node->file) {
			heap_free(node);
			return NULL;
		}
	}
	node->references = 1;
	node->mode = mode;
	node->uid = uid;
	node->gid = gid;
	node->inode = __atomic_add_fetch(&stage->last_inode, 1, __ATOMIC_RELAXED);
	node->accessed = node->modified = node->changed = time_realtime();
	list_init(&node->entries);
	return node;
}

void stage_node_get(struct stage_node *node)
{
	__atomic_fetch_add(&node->references, 1, __ATOMIC_RELAXED);
}

static void free_node(struct stage_node *node)
{
	if (node->file)
		memory_file_put(node->file);
	heap_free(node->target);
	heap_free(node->own);
	heap_free(node);
}

void stage_node_put(struct stage_node *node)
{
	struct stage_node *parent;

	/* A directory holds its parent, so this can go on up: not by recursion. */
	while (node && __atomic_fetch_sub(&node->references, 1, __ATOMIC_ACQ_REL) == 1) {
		parent = node->parent;
		free_node(node);
		node = parent;
	}
}

/* A copy of TEXT at *WHERE. False: out of memory. */
static bool set_text(char **where, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = heap_alloc(size);

	if (!copy)
		return false;
	memcpy(copy, text, size);
	heap_free(*where);
	*where = copy;
	return true;
}

bool stage_link_set(struct stage_node *node, const char *target)
{
	return set_text(&node->target, target);
}

bool stage_own_set(struct stage_node *node, const char *path)
{
	return set_text(&node->own, path);
}

void stage_node_status(const struct stage_node *node, struct user_stat *status)
{
	nsec_t modified = node->file ? node->file->modified : node->modified;
	nsec_t changed = max_u64(node->changed, modified);

	memset(status, 0, sizeof(*status));
	if (node->file)
		memory_file_status(node->file, status);
	else if (stage_is_link(node) && node->target)
		status->size = (int64_t)strlen(node->target);
	else if (stage_is_directory(node))
		status->size = (int64_t)PAGE_SIZE;
	status->device = STAGE_DEVICE_NUMBER;
	status->inode = node->inode;
	status->links = node->links + (stage_is_directory(node) ? 1 : 0);
	status->mode = node->mode;
	status->uid = node->uid;
	status->gid = node->gid;
	status->device_of_node = device_numbers[node->device];
	status->block_size = PAGE_SIZE;
	status->accessed = node->accessed / NSEC_PER_SEC;
	status->accessed_nsec = node->accessed % NSEC_PER_SEC;
	status->modified = modified / NSEC_PER_SEC;
	status->modified_nsec = modified % NSEC_PER_SEC;
	status->changed = changed / NSEC_PER_SEC;
	status->changed_nsec = changed % NSEC_PER_SEC;
}

bool stage_has_group(const struct stage_view *view, uint32_t gid)
{
	uint32_t i;

	if (view->gid == gid)
		return true;
	for (i = 0; i < view->group_count; i++) {
		if (view->groups[i] == gid)
			return true;
	}
	return false;
}

bool stage_allows(const struct stage_view *view, const struct stage_node *node, uint32_t wanted)
{
	uint32_t bits = node->mode;

	/* As root on Linux: but nobody executes what is nobody's to execute. */
	if (view->uid == 0)
		return !(wanted & 1) || stage_is_directory(node) || (node->mode & 0111);
	if (view->uid == node->uid)
		bits >>= 6;
	else if (stage_has_group(view, node->gid))
		bits >>= 3;
	return (bits & wanted) == wanted;
}
