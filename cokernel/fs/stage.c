/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stages of an enclave: one for each user who has a task with staged I/O. */
#include "fs/stage.h"

#include "lib/lock.h"
#include "mm/heap.h"

static struct list stages = LIST_INIT(stages);
static struct lock stages_lock = LOCK_INIT;

/* ---- what a tree begins with ---- */

static struct stage_node *add_node(struct stage *stage, struct stage_node *directory,
				   const char *name, uint32_t mode)
{
	struct stage_node *node = stage_node_create(stage, mode, 0, 0);

	if (!node || stage_add(stage, directory, name, node, false) != 0) {
		stage_node_put(node);
		return NULL;
	}
	/* The entry holds it. */
	stage_node_put(node);
	return node;
}

static bool add_device(struct stage *stage, struct stage_node *directory, const char *name,
		       enum stage_device device)
{
	struct stage_node *node = add_node(stage, directory, name, MODE_CHARACTER | 0666);

	if (node)
		node->device = device;
	return node != NULL;
}

static bool add_link(struct stage *stage, struct stage_node *directory, const char *name,
		     const char *target)
{
	struct stage_node *node = add_node(stage, directory, name, MODE_LINK | 0777);

	return node && stage_link_set(node, target);
}

static bool add_own(struct stage *stage, const char *name, const char *path)
{
	struct stage_node *node = add_node(stage, stage->root, name, MODE_DIRECTORY | 0555);

	return node && stage_own_set(node, path);
}

static struct stage_node *add_private(struct stage *stage, struct stage_node *directory,
				      const char *name)
{
	struct stage_node *node = add_node(stage, directory, name, MODE_DIRECTORY | 01777);

	if (node)
		node->private = true;
	return node;
}

static bool fill(struct stage *stage)
{
	struct stage_node *root = stage_node_create(stage, MODE_DIRECTORY | 0755, 0, 0), *dev;

	stage->root = root;
	if (!root)
		return false;
	root->on_linux = true;
	root->partial = true;
	dev = add_node(stage, root, "dev", MODE_DIRECTORY | 0755);
	if (!dev || !add_private(stage, root, "tmp") || !add_private(stage, dev, "shm"))
		return false;
	dev->private = true;
	return add_device(stage, dev, "null", STAGE_NULL) &&
	       add_device(stage, dev, "zero", STAGE_ZERO) &&
	       add_device(stage, dev, "full", STAGE_FULL) &&
	       add_device(stage, dev, "random", STAGE_RANDOM) &&
	       add_device(stage, dev, "urandom", STAGE_RANDOM) &&
	       add_link(stage, dev, "fd", "/proc/self/fd") &&
	       add_link(stage, dev, "stdin", "/proc/self/fd/0") &&
	       add_link(stage, dev, "stdout", "/proc/self/fd/1") &&
	       add_link(stage, dev, "stderr", "/proc/self/fd/2") &&
	       add_own(stage, "proc", "/proc") && add_own(stage, "sys", "/sys");
}

static void destroy(struct stage *stage)
{
	if (!stage)
		return;
	if (stage->root) {
		stage_clear(stage);
		stage_node_put(stage->root);
	}
	heap_free(stage);
}

static struct stage *create(uint32_t uid)
{
	struct stage *stage = heap_alloc_zero(sizeof(*stage));
	unsigned int i;

	if (!stage)
		return NULL;
	list_init(&stage->link);
	list_init(&stage->gone);
	for (i = 0; i < STAGE_BUCKETS; i++) {
		list_init(&stage->buckets[i]);
		list_init(&stage->gone_buckets[i]);
	}
	turn_init(&stage->turn);
	turn_init(&stage->copying);
	stage->references = 1;
	stage->uid = uid;
	if (fill(stage))
		return stage;
	destroy(stage);
	return NULL;
}

/* ---- */

/* With a reference more; stages_lock is held. */
static struct stage *find(uint32_t uid)
{
	struct stage *stage;
	struct list *pos;

	LIST_FOR_EACH(pos, &stages) {
		stage = LIST_ENTRY(pos, struct stage, link);
		if (stage->uid == uid) {
			stage->references++;
			return stage;
		}
	}
	return NULL;
}

struct stage *stage_get(uint32_t uid)
{
	struct stage *stage, *new;

	lock_take(&stages_lock);
	stage = find(uid);
	lock_drop(&stages_lock);
	if (stage)
		return stage;
	new = create(uid);
	if (!new)
		return NULL;
	lock_take(&stages_lock);
	stage = find(uid);
	if (!stage)
		list_append(&stages, &new->link);
	lock_drop(&stages_lock);
	if (!stage)
		return new;
	destroy(new);
	return stage;
}

void stage_keep(struct stage *stage)
{
	lock_take(&stages_lock);
	if (!stage->kept)
		stage->references++;
	stage->kept = true;
	lock_drop(&stages_lock);
}

void stage_put(struct stage *stage)
{
	bool last;

	lock_take(&stages_lock);
	last = --stage->references == 0;
	if (last)
		list_remove(&stage->link);
	lock_drop(&stages_lock);
	if (last)
		destroy(stage);
}

void stage_enter(struct stage *stage)
{
	/* Also for a thread that is to end: nobody is long in it. */
	turn_take_certain(&stage->turn);
}

void stage_leave(struct stage *stage)
{
	turn_end(&stage->turn);
}
