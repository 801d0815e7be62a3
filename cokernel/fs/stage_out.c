/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying out. What is to be done is found in one turn, as a list of steps with the paths
 * of that moment, and then done without one, since it waits for Linux while other tasks
 * go on. A file that is being copied out is claimed, so that it is copied once.
 *
 * What was removed is removed on Linux last, and only if all else is there: a file that
 * was renamed is never in neither place.
 */
#include <asm/unistd_64.h>

#include "fs/linux.h"
#include "fs/memory_file.h"
#include "fs/stage_steps.h"
#include "fs/staged.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/local.h"
#include "mm/object.h"
#include "task/process.h"

#define REMOVE_DIR 0x200u

/* So many failures are said one by one. */
#define SAID_MOST 8u

#define ROUNDS_MOST 8u

struct stage_out {
	struct process *process;
	struct stage_view *view;
	char *path; /* STAGE_PATH_MOST */
	struct list steps;
	struct list gone;
	struct list late; /* attributes of directories, when what is in them is there */
	unsigned int failures;
	/* Of planning, which is in the turn, where nobody can be told. */
	unsigned int unplanned;
	int error;
	char name[STAGE_NAME_MOST + 1];
	bool again; /* another task has changed what this one was copying out */
};

static void failed(struct stage_out *out, const char *path, int64_t error)
{
	char text[24];

	if (++out->failures <= SAID_MOST)
		process_report(out->process, "cannot copy %s out of the enclave: %s", path,
			       staged_reason(error, text));
}

/* ---- what is to be done; in the turn ---- */

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

/* Is it to be copied out, and by this task? */
static bool is_wanted(const struct stage_entry *entry, tid_t pid)
{
	struct stage_node *node = entry->node;

	/* With two names, this task may have claimed it by the other one. */
	if (entry->on_linux && !node->dirty && node->claimed != pid)
		return false;
	if (node->private || (node->file && !node->filled))
		return false;
	/* Who is at it now looks again when it is done. */
	if (node->claimed && node->claimed != pid) {
		node->dirty = true;
		return false;
	}
	/* Another task that has it open for writing, or mapped, is not done with it. */
	if (node->file && ( __atomic_load_n(&node->writers, __ATOMIC_ACQUIRE) != 0 ||
			   object_mapped(node->file->object) != 0))
		return false;
	return !node->own && !node->device;
}

/* Also its attributes, once what is in it is there. */
static int plan_directory(struct stage_out *out, struct stage_entry *entry)
{
	int error = 0;

	if (!entry->on_linux)
		error = add_step(&out->steps, entry->node, out->path);
	if (!error)
		error = add_step(&out->late, entry->node, out->path);
	if (!error) {
		entry->on_linux = true;
		entry->node->on_linux = true;
		entry->node->dirty = false;
	}
	return error;
}

static int plan_entry(struct stage_out *out, struct stage_entry *entry)
{
	struct stage_node *node = entry->node;
	int64_t length;
	int error;

	if (!is_wanted(entry, out->process->pid) || (entry->directory->private && !entry->on_linux))
		return 0;
	length = stage_path(entry->directory, out->path, STAGE_PATH_MOST);
	if (length < 0)
		return (int)length;
	if ((uint64_t)length + 1 + strlen(entry->name) >= STAGE_PATH_MOST)
		return -ENAMETOOLONG;
	format_text(out->path + length, STAGE_PATH_MOST - (uint64_t)length, "%s%s",
		    length > 1 ? "/" : "", entry->name);
	if (stage_is_directory(node))
		return plan_directory(out, entry);
	error = add_step(&out->steps, node, out->path);
	if (!error) {
		entry->on_linux = true;
		node->dirty = false;
		node->claimed = out->process->pid;
	}
	return error;
}

/* The entry behind ENTRY in the order of the whole tree; NULL: that was the last. */
static struct stage_entry *next_entry(struct stage_entry *entry)
{
	struct stage_node *node = entry->node;

	/* Into a directory, unless nothing of it goes to Linux. */
	if (stage_is_directory(node) && !node->own && !list_empty(&node->entries) &&
	    (node->on_linux || node->private))
		return LIST_ENTRY(node->entries.next, struct stage_entry, link);
	while (entry->link.next == &entry->directory->entries) {
		entry = entry->directory->entry;
		if (!entry)
			return NULL;
	}
	return LIST_ENTRY(entry->link.next, struct stage_entry, link);
}

static void plan(struct stage_out *out)
{
	struct stage *stage = out->view->stage;
	struct stage_entry *entry;
	uint64_t i = 0;
	int error;

	stage_enter(stage);
	while (!list_empty(&stage->gone)) {
		struct list *first = stage->gone.next;

		list_remove(first);
		list_append(&out->gone, first);
	}
	entry = list_empty(&stage->root->entries) ? NULL :
		LIST_ENTRY(stage->root->entries.next, struct stage_entry, link);
	for (; entry; entry = next_entry(entry)) {
		mm_turn(++i);
		error = plan_entry(out, entry);
		if (error && out->unplanned++ == 0) {
			out->error = error;
			strlcpy(out->name, entry->name, sizeof(out->name));
		}
	}
	stage_leave(stage);
	if (out->unplanned) {
		failed(out, out->name, out->error);
		out->failures += out->unplanned - 1;
		out->unplanned = 0;
	}
}

/* ---- doing it ---- */

/* Does the stage still have, or have again, something of the kind there? */
static bool is_replaced(struct stage_out *out, const struct stage_gone *gone)
{
	struct stage_view all = *out->view;
	struct stage_place place;
	bool replaced;

	/* Whatever rights the program has left itself. */
	all.uid = 0;
	stage_enter(out->view->stage);
	replaced = stage_walk(&all, all.stage->root, gone->path, 0, &place) == 0 && place.node &&
		   stage_is_directory(place.node) == gone->is_directory;
	stage_place_put(&place);
	stage_leave(out->view->stage);
	return replaced;
}

static void remove_one(struct stage_out *out, const struct stage_gone *gone)
{
	int64_t error = linux_name_call(__NR_unlinkat, gone->path,
					gone->is_directory ? REMOVE_DIR : 0, 0);

	if (error && error != -ENOENT)
		failed(out, gone->path, error);
}

/* A directory where a file was, or the other way round: the old one goes first. */
static bool must_go_first(const struct stage_out *out, const struct stage_gone *gone)
{
	struct stage_step *step;
	struct list *pos;
	uint64_t i = 0;
	size_t size;

	LIST_FOR_EACH(pos, &out->steps) {
		mm_turn(++i);
		step = LIST_ENTRY(pos, struct stage_step, link);
		if (strcmp(step->path, gone->path) == 0)
			return stage_is_directory(step->node) != gone->is_directory;
		/* And what was in the directory that a file replaces. */
		size = strlen(step->path);
		if (!stage_is_directory(step->node) &&
		    strncmp(step->path, gone->path, size) == 0 && gone->path[size] == '/')
			return true;
	}
	return false;
}

static void remove_all(struct stage_out *out, bool first)
{
	struct stage_gone *gone;
	struct list *pos, *next;

	LIST_FOR_EACH_SAFE(pos, next, &out->gone) {
		gone = LIST_ENTRY(pos, struct stage_gone, link);
		if (first && !must_go_first(out, gone))
			continue;
		list_remove(&gone->link);
		/* It stays if what replaces it, by its name, is there or still comes. */
		if (first || (out->failures == 0 && !is_replaced(out, gone)))
			remove_one(out, gone);
		heap_free(gone);
	}
}

/* It could not be made there. In the turn. */
static void not_on_linux(struct stage_node *node)
{
	if (!stage_is_directory(node))
		return;
	node->on_linux = false;
	if (node->entry)
		node->entry->on_linux = false;
}

/* Is PATH in directory DIRECTORY, at any depth, or the same? */
static bool is_below(const char *path, const char *directory)
{
	size_t size = strlen(directory);

	return strncmp(path, directory, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

/* Steps of LIST at or below PATH are not done: the next task that ends tries again. */
static void drop_steps(struct list *list, const char *path)
{
	struct stage_step *step;
	struct list *pos, *next;

	LIST_FOR_EACH_SAFE(pos, next, list) {
		step = LIST_ENTRY(pos, struct stage_step, link);
		if (!is_below(step->path, path))
			continue;
		list_remove(&step->link);
		step->node->dirty = true;
		step->node->claimed = 0;
		not_on_linux(step->node);
		stage_step_free(step);
	}
}

/* The attributes of the directory PATH stay as they are on Linux. */
static void leave_attributes(struct stage_out *out, const char *path)
{
	struct stage_step *step;
	struct list *pos, *next;

	LIST_FOR_EACH_SAFE(pos, next, &out->late) {
		step = LIST_ENTRY(pos, struct stage_step, link);
		if (strcmp(step->path, path) != 0)
			continue;
		list_remove(&step->link);
		stage_step_free(step);
	}
}

static bool was_removed(const struct stage_out *out, const char *path)
{
	struct list *pos;

	LIST_FOR_EACH(pos, &out->gone) {
		if (strcmp(LIST_ENTRY(pos, struct stage_gone, link)->path, path) == 0)
			return true;
	}
	return false;
}

/* What became of the directory STEP: RESULT of stage_step_do(). In the turn. */
static void after_directory(struct stage_out *out, const struct stage_step *step, int64_t result)
{
	if (result < 0) {
		not_on_linux(step->node);
		drop_steps(&out->steps, step->path);
		drop_steps(&out->late, step->path);
	} else if (result == STAGE_WAS_THERE && !was_removed(out, step->path)) {
		/* It is Linux's, with whatever else is in it. */
		step->node->partial = true;
		leave_attributes(out, step->path);
	}
}

static void do_steps(struct stage_out *out)
{
	struct stage_step *step;
	struct stage_node *node;
	int64_t error;

	while (!list_empty(&out->steps)) {
		step = LIST_ENTRY(out->steps.next, struct stage_step, link);
		node = step->node;
		list_remove(&step->link);
		error = stage_step_do(step, out->process->pid);
		if (error < 0)
			failed(out, step->path, error);
		stage_enter(out->view->stage);
		node->claimed = 0;
		if (stage_is_directory(node))
			after_directory(out, step, error);
		else if (error >= 0 && node->dirty)
			out->again = true;
		node->dirty |= error < 0;
		stage_leave(out->view->stage);
		stage_step_free(step);
	}
}

/* From the deepest up: making something in a directory changes its time. */
static void do_late(struct stage_out *out)
{
	struct stage_step *step;
	int64_t error;

	while (!list_empty(&out->late)) {
		step = LIST_ENTRY(out->late.prev, struct stage_step, link);
		list_remove(&step->link);
		error = stage_step_attributes(step);
		if (error && out->failures == 0)
			failed(out, step->path, error);
		stage_step_free(step);
	}
}

bool stage_out(struct process *process, struct stage_view *view)
{
	struct stage_out out = { .process = process, .view = view };
	unsigned int rounds = 0;

	list_init(&out.steps);
	list_init(&out.gone);
	list_init(&out.late);
	out.path = heap_alloc(STAGE_PATH_MOST);
	if (!out.path) {
		process_report(process, "cannot copy files out of the enclave: it has no memory left");
		return false;
	}
	/* Who changes a file again and again is there, and copies it out at its own end. */
	do {
		out.again = false;
		plan(&out);
		remove_all(&out, true);
		do_steps(&out);
	} while (out.again && ++rounds < ROUNDS_MOST);
	remove_all(&out, false);
	do_late(&out);
	heap_free(out.path);
	if (out.failures > SAID_MOST)
		process_report(process, "%u more files could not be copied out of the enclave",
			       out.failures - SAID_MOST);
	return out.failures == 0;
}
