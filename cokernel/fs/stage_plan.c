/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copying out: what there is to do, as a list of steps with the paths of this moment. */
#include "fs/memory_file.h"
#include "fs/stage_steps.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/local.h"
#include "mm/object.h"

void stage_step_free(struct stage_step *step)
{
	stage_node_put(step->node);
	heap_free(step);
}

void stage_plan_begin(struct stage_plan *plan, struct stage *stage, tid_t pid, char *path)
{
	*plan = (struct stage_plan){ .stage = stage, .pid = pid, .path = path };
	list_init(&plan->first);
	list_init(&plan->steps);
	list_init(&plan->late);
}

static int add_step(struct list *list, struct stage_node *node, const char *path)
{
	size_t size = strlen(path) + 1;
	struct stage_step *step = heap_alloc(sizeof(*step) + size);

	if (!step)
		return -ENOMEM;
	step->node = node;
	stage_node_get(node);
	memcpy(step->path, path, size);
	list_append(list, &step->link);
	return 0;
}

/* Is it one of those that go to Linux, and not there as it is here, or not yet? */
static bool is_to_come(const struct stage_entry *entry)
{
	const struct stage_node *node = entry->node;

	if (entry->on_linux && !node->dirty && !node->claimed)
		return false;
	if (entry->directory->private && !entry->on_linux)
		return false;
	return !node->private && !node->own && !node->device && (!node->file || node->filled);
}

/* Is it for this task to copy it out, and now? */
static bool is_wanted(const struct stage_entry *entry, tid_t pid)
{
	struct stage_node *node = entry->node;

	/* Of two names both are wanted: it is this task that has claimed it by the other one. */
	if (!is_to_come(entry))
		return false;
	/* Who is at it now looks again when it is done. */
	if (node->claimed && node->claimed != pid) {
		node->dirty |= !entry->on_linux;
		return false;
	}
	/* Another task that has it open for writing, or mapped, is not done with it. */
	return !node->file || (__atomic_load_n(&node->writers, __ATOMIC_ACQUIRE) == 0 &&
			       object_mapped(node->file->object) == 0);
}

static bool is_in(const char *path, const char *directory)
{
	size_t size = strlen(directory);

	return strncmp(path, directory, size) == 0 && path[size] == '/';
}

/* A file comes to where a directory was: what was in it goes first, and then itself. */
static void directory_goes_first(struct stage_plan *plan)
{
	struct stage_gone *note;
	struct list *pos, *next;
	uint64_t i = 0;

	LIST_FOR_EACH_SAFE(pos, next, &plan->stage->gone) {
		mm_turn(++i);
		note = LIST_ENTRY(pos, struct stage_gone, link);
		if (!is_in(note->path, plan->path) && strcmp(note->path, plan->path) != 0)
			continue;
		stage_gone_take(note);
		list_append(&plan->first, &note->link);
	}
}

/* What NODE cannot replace at the plan's path, for it is of the other kind, goes first. */
static void old_kind_goes_first(struct stage_plan *plan, const struct stage_node *node)
{
	bool kind = !stage_is_directory(node);
	struct stage_gone *note;

	if (kind && stage_gone_find(plan->stage, plan->path, true)) {
		directory_goes_first(plan);
		return;
	}
	while (!kind && (note = stage_gone_find(plan->stage, plan->path, false)) != NULL) {
		stage_gone_take(note);
		list_append(&plan->first, &note->link);
	}
}

/* Also its attributes, once what is in it is there. */
static int plan_directory(struct stage_plan *plan, struct stage_entry *entry)
{
	struct stage_node *node = entry->node;
	int error = 0;

	if (!entry->on_linux)
		error = add_step(&plan->steps, node, plan->path);
	if (!error)
		error = add_step(&plan->late, node, plan->path);
	if (error)
		return error;
	if (!entry->on_linux) {
		old_kind_goes_first(plan, node);
		node->claimed = plan->pid;
	}
	entry->on_linux = true;
	node->on_linux = true;
	node->dirty = false;
	return 0;
}

static int plan_entry(struct stage_plan *plan, struct stage_entry *entry)
{
	struct stage_node *node = entry->node;
	int64_t length;
	int error;

	if (!is_wanted(entry, plan->pid))
		return 0;
	length = stage_path(entry->directory, plan->path, STAGE_PATH_MOST);
	if (length < 0)
		return (int)length;
	if ((uint64_t)length + 1 + strlen(entry->name) >= STAGE_PATH_MOST)
		return -ENAMETOOLONG;
	if (length > 1)
		plan->path[length++] = '/';
	memcpy(plan->path + length, entry->name, strlen(entry->name) + 1);
	if (stage_is_directory(node))
		return plan_directory(plan, entry);
	error = add_step(&plan->steps, node, plan->path);
	if (!error) {
		old_kind_goes_first(plan, node);
		entry->on_linux = true;
		node->dirty = false;
		node->claimed = plan->pid;
	}
	return error;
}

/* ---- the whole tree ---- */

static struct stage_entry *first_entry(const struct stage_node *directory)
{
	return list_empty(&directory->entries) ? NULL :
		LIST_ENTRY(directory->entries.next, struct stage_entry, link);
}

/* Can what is in NODE be copied out by PID now? */
static bool is_passed(struct stage_node *node, tid_t pid)
{
	if (!stage_is_directory(node) || node->own || !(node->on_linux || node->private))
		return false;
	if (!node->claimed || node->claimed == pid)
		return true;
	/* Another task is just making it there, and then looks again. */
	node->dirty = true;
	return false;
}

/* The entry behind ENTRY in the order of the whole tree; NULL: that was the last. */
static struct stage_entry *next_entry(struct stage_entry *entry, tid_t pid)
{
	struct stage_entry *first = is_passed(entry->node, pid) ? first_entry(entry->node) : NULL;

	if (first)
		return first;
	while (entry->link.next == &entry->directory->entries) {
		entry = entry->directory->entry;
		if (!entry)
			return NULL;
	}
	return LIST_ENTRY(entry->link.next, struct stage_entry, link);
}

void stage_plan_find(struct stage_plan *plan)
{
	struct stage_entry *entry;
	uint64_t i = 0;
	int error;

	for (entry = first_entry(plan->stage->root); entry; entry = next_entry(entry, plan->pid)) {
		mm_turn(++i);
		error = plan_entry(plan, entry);
		if (error && plan->failures++ == 0) {
			plan->error = error;
			strlcpy(plan->name, entry->name, sizeof(plan->name));
		}
	}
}

void stage_plan_settle(struct stage *stage, struct list *gone)
{
	struct stage_gone *note;
	struct stage_entry *entry;
	uint64_t i = 0;

	if (list_empty(&stage->gone))
		return;
	for (entry = first_entry(stage->root); entry; entry = next_entry(entry, 0)) {
		mm_turn(++i);
		if (is_to_come(entry))
			return;
	}
	while (!list_empty(&stage->gone)) {
		note = LIST_ENTRY(stage->gone.next, struct stage_gone, link);
		stage_gone_take(note);
		list_append(gone, &note->link);
	}
}
