/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying out. What is to be done is found in one turn (stage_plan.c), and then done
 * without one, since it waits for Linux while other tasks go on. What is being copied out
 * is claimed, so that it is copied once.
 *
 * What was removed is removed on Linux last, and only if all else is there: a file that
 * was renamed is never in neither place.
 */
#include <asm/unistd_64.h>

#include "fs/linux.h"
#include "fs/stage_steps.h"
#include "fs/staged.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "task/process.h"

#define REMOVE_DIR 0x200u

/* So many failures are said one by one. */
#define SAID_MOST 8u

#define ROUNDS_MOST 8u

struct stage_out {
	struct process *process;
	struct stage_view *view;
	struct stage_plan plan;
	unsigned int failures;
	bool again; /* another task has changed what this one was copying out */
};

static void failed(struct stage_out *out, const char *path, int64_t error)
{
	char text[24];

	if (++out->failures <= SAID_MOST)
		process_report(out->process, "cannot copy %s out of the enclave: %s", path,
			       staged_reason(error, text));
}

static void plan(struct stage_out *out)
{
	stage_enter(out->view->stage);
	stage_plan_find(&out->plan);
	stage_leave(out->view->stage);
	if (!out->plan.failures)
		return;
	failed(out, out->plan.name, out->plan.error);
	out->failures += out->plan.failures - 1;
	out->plan.failures = 0;
}

/* ---- directories that the user has closed to himself ---- */

/*
 * What was made in one before it was closed has still to come there: an earlier task that
 * ended has given it its mode already. As long as it takes, it is open.
 */
#define OPENED_MOST 8u

#define OWNER_PASSES 0300u

struct opened {
	size_t length; /* of its path, the beginning of another one */
	uint32_t mode;
};

static void set_mode(struct stage_out *out, const char *path, const struct opened *opened,
		     uint32_t more)
{
	memcpy(out->plan.path, path, opened->length);
	out->plan.path[opened->length] = '\0';
	linux_name_call(__NR_fchmodat, out->plan.path, opened->mode | more, 0);
}

/* Opens the highest one on the way to PATH that is closed. False: that is not what is wrong. */
static bool open_one(struct stage_out *out, const char *path, struct opened *opened)
{
	struct user_stat status;
	size_t length = strlen(path);
	int64_t error;

	memcpy(out->plan.path, path, length + 1);
	do {
		while (length > 1 && out->plan.path[length] != '/')
			length--;
		out->plan.path[length] = '\0';
		error = linux_status(out->plan.path, true, &status);
	} while (error == -EACCES && length > 1);
	if (error || status.uid != out->process->uid)
		return false;
	*opened = (struct opened){ .length = length, .mode = status.mode & MODE_BITS };
	set_mode(out, path, opened, OWNER_PASSES);
	return true;
}

/* Does FN about PATH, through directories that are opened for it if need be. Its result. */
static int64_t insist(struct stage_out *out, const char *path,
		      int64_t (*fn)(struct stage_out *out, const void *argument),
		      const void *argument)
{
	struct opened opened[OPENED_MOST];
	unsigned int count = 0;
	int64_t result = fn(out, argument);

	while (result == -EACCES && count < OPENED_MOST && open_one(out, path, &opened[count])) {
		count++;
		result = fn(out, argument);
	}
	while (count-- > 0)
		set_mode(out, path, &opened[count], 0);
	return result;
}

/* ---- removing ---- */

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

static int64_t unlink(struct stage_out *out, const void *argument)
{
	const struct stage_gone *gone = argument;

	(void)out;
	return linux_name_call(__NR_unlinkat, gone->path, gone->is_directory ? REMOVE_DIR : 0, 0);
}

static void remove_one(struct stage_out *out, const struct stage_gone *gone)
{
	int64_t error = insist(out, gone->path, unlink, gone);

	if (error && error != -ENOENT)
		failed(out, gone->path, error);
}

/* GONE, and frees it. EVEN what the stage has again: that is of another kind, or comes. */
static void remove_all(struct stage_out *out, struct list *gone, bool even)
{
	struct stage_gone *note;

	while (!list_empty(gone)) {
		note = LIST_ENTRY(gone->next, struct stage_gone, link);
		list_remove(&note->link);
		if (even || !is_replaced(out, note))
			remove_one(out, note);
		heap_free(note);
	}
}

/* What was removed, if nothing that was to come here or by another task is missing there. */
static void remove_rest(struct stage_out *out)
{
	struct list gone;

	list_init(&gone);
	stage_enter(out->view->stage);
	if (out->failures == 0)
		stage_plan_settle(out->view->stage, &gone);
	stage_leave(out->view->stage);
	remove_all(out, &gone, false);
}

/* ---- making ---- */

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

	LIST_FOR_EACH_SAFE(pos, next, &out->plan.late) {
		step = LIST_ENTRY(pos, struct stage_step, link);
		if (strcmp(step->path, path) != 0)
			continue;
		list_remove(&step->link);
		stage_step_free(step);
	}
}

/* What became of the directory STEP: RESULT of stage_step_do(). In the turn. */
static void after_directory(struct stage_out *out, const struct stage_step *step, int64_t result)
{
	if (result < 0) {
		not_on_linux(step->node);
		drop_steps(&out->plan.steps, step->path);
		drop_steps(&out->plan.late, step->path);
	} else if (result == STAGE_WAS_THERE && !stage_is_gone(out->view->stage, step->path)) {
		/* It is Linux's, with whatever else is in it. */
		step->node->partial = true;
		step->node->dirty = false;
		leave_attributes(out, step->path);
	}
}

static int64_t make(struct stage_out *out, const void *argument)
{
	return stage_step_do(argument, out->process->pid);
}

static int64_t set_attributes(struct stage_out *out, const void *argument)
{
	(void)out;
	return stage_step_attributes(argument);
}

static void do_steps(struct stage_out *out)
{
	struct stage_step *step;
	struct stage_node *node;
	int64_t error;

	while (!list_empty(&out->plan.steps)) {
		step = LIST_ENTRY(out->plan.steps.next, struct stage_step, link);
		node = step->node;
		list_remove(&step->link);
		error = insist(out, step->path, make, step);
		if (error < 0)
			failed(out, step->path, error);
		stage_enter(out->view->stage);
		node->claimed = 0;
		out->again |= error >= 0 && node->dirty;
		if (stage_is_directory(node))
			after_directory(out, step, error);
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

	while (!list_empty(&out->plan.late)) {
		step = LIST_ENTRY(out->plan.late.prev, struct stage_step, link);
		list_remove(&step->link);
		error = insist(out, step->path, set_attributes, step);
		if (error && out->failures == 0)
			failed(out, step->path, error);
		stage_step_free(step);
	}
}

bool stage_out(struct process *process, struct stage_view *view)
{
	struct stage_out out = { .process = process, .view = view };
	char *path = heap_alloc(STAGE_PATH_MOST);
	unsigned int rounds = 0;

	if (!path) {
		process_report(process, "cannot copy files out of the enclave: it has no memory left");
		return false;
	}
	stage_plan_begin(&out.plan, view->stage, process->pid, path);
	/* Who changes a file again and again is there, and copies it out at its own end. */
	do {
		out.again = false;
		plan(&out);
		remove_all(&out, &out.plan.first, true);
		do_steps(&out);
	} while (out.again && ++rounds < ROUNDS_MOST);
	remove_rest(&out);
	do_late(&out);
	heap_free(path);
	if (out.failures > SAID_MOST)
		process_report(process, "%u more files could not be copied out of the enclave",
			       out.failures - SAID_MOST);
	return out.failures == 0;
}
