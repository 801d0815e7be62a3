/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree of a stage: paths, links, rights, renames, what is removed while it is open,
 * what is noted for Linux, and what happens when memory is out at each allocation. The
 * sanitizer looks for what is lost or used too late.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "tap.h"

#include "arch/time.h"
#include "fs/memory_file.h"
#include "fs/stage_name.h"
#include "fs/stage_open.h"
#include "fs/stage_steps.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/local.h"
#include "mm/object.h"

/* ---- what it needs of the rest ---- */

static long allocations_left = -1; /* < 0: no limit */
static long allocated;

void *heap_alloc(size_t size)
{
	if (allocations_left == 0)
		return NULL;
	if (allocations_left > 0)
		allocations_left--;
	allocated++;
	return malloc(size);
}

void *heap_alloc_zero(size_t size)
{
	void *memory = heap_alloc(size);

	return memory ? memset(memory, 0, size) : NULL;
}

void heap_free(void *memory)
{
	if (memory)
		allocated--;
	free(memory);
}

void mm_heartbeat(void)
{
}

static nsec_t now = 1000 * NSEC_PER_SEC;

nsec_t time_realtime(void)
{
	return ++now;
}

void turn_init(struct turn *turn)
{
	turn->taken = false;
}

void turn_take_certain(struct turn *turn)
{
	if (turn->taken)
		abort();
	turn->taken = true;
}

/* While a test waits for the turn of copying in, who has it fills this one, or fails to. */
static struct stage_node *being_filled;
static bool filling_succeeds;
static int waiting_ends; /* by the end of the process, if not 0 */

int turn_take(struct turn *turn)
{
	if (waiting_ends)
		return waiting_ends;
	turn_take_certain(turn);
	if (being_filled)
		being_filled->filled = filling_succeeds;
	return 0;
}

void turn_end(struct turn *turn)
{
	turn->taken = false;
}

struct memory_file *memory_file_create(uint32_t mode)
{
	struct memory_file *file = heap_alloc_zero(sizeof(*file));

	if (file) {
		file->references = 1;
		file->mode = mode;
	}
	return file;
}

void memory_file_put(struct memory_file *file)
{
	if (--file->references == 0)
		heap_free(file);
}

void memory_file_status(const struct memory_file *file, struct user_stat *status)
{
	memset(status, 0, sizeof(*status));
	status->modified = file->modified / NSEC_PER_SEC;
}

static unsigned int mapped;

unsigned int object_mapped(const struct object *object)
{
	(void)object;
	return mapped;
}

size_t strlcpy(char *to, const char *from, size_t size)
{
	return (size_t)snprintf(to, size, "%s", from);
}

struct stage_node *stage_own_find(const struct stage_view *view,
				  const struct stage_node *directory, const char *name)
{
	(void)view;
	(void)directory;
	(void)name;
	return NULL;
}

/* Here "fd" is taken for it. */
bool stage_own_has_descriptors(const struct stage_node *directory)
{
	return directory->entry && strcmp(directory->entry->name, "fd") == 0;
}

int format_text(char *buffer, size_t size, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(buffer, size, format, arguments);
	va_end(arguments);
	return length;
}

/* ---- */

static struct stage_view view;
static struct stage_view other;

static void begin(void)
{
	view = (struct stage_view){ .stage = stage_get(1000), .uid = 1000, .gid = 100, .mask = 022 };
	view.directory = view.stage->root;
	stage_node_get(view.directory);
	/* As if it were the user's home. */
	view.stage->root->uid = 1000;
	other = view;
	other.uid = 2000;
	other.gid = 200;
}

static void end(void)
{
	stage_node_put(view.directory);
	stage_put(view.stage);
}

static int mkdir_at(const char *path)
{
	return stage_mkdir(&view, view.directory, path, 0777);
}

static int create_at(const char *path)
{
	struct stage_node *node;
	int error = stage_open_node(&view, view.directory, path,
				    OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_WRITE_ONLY, 0666, &node);

	if (!error)
		stage_node_put(node);
	return error;
}

static int open_at_path(const char *path, uint32_t flags)
{
	struct stage_node *node;
	int error = stage_open_node(&view, view.directory, path, flags, 0, &node);

	if (!error)
		stage_node_put(node);
	return error;
}

static int link_at(const char *target, const char *path)
{
	return stage_symlink(&view, target, view.directory, path);
}

static int move(const char *old, const char *new)
{
	return stage_rename(&view, view.directory, old, view.directory, new, true);
}

static int remove_at(const char *path, bool directory)
{
	return stage_unlink(&view, view.directory, path, directory);
}

static struct stage_node *look(const char *path)
{
	struct stage_node *node = NULL;

	stage_look(&view, view.directory, path, STAGE_FOLLOW, false, &node);
	if (node)
		stage_node_put(node); /* the tree has it */
	return node;
}

static bool exists(const char *path)
{
	return look(path) != NULL;
}

/* As if it had been copied in. */
static void came_from_linux(const char *path)
{
	struct stage_place place;

	stage_enter(view.stage);
	stage_walk(&view, view.directory, path, 0, &place);
	stage_find(view.stage, place.directory, place.name)->on_linux = true;
	place.node->on_linux = stage_is_directory(place.node);
	place.node->dirty = false;
	stage_place_put(&place);
	stage_leave(view.stage);
}

static void test_paths(void)
{
	char path[STAGE_PATH_MOST], name[STAGE_NAME_MOST + 2];

	begin();
	is_number(mkdir_at("a"), 0, "a directory");
	is_number(mkdir_at("a"), -EEXIST, "is there");
	is_number(mkdir_at("/"), -EEXIST, "as is the root");
	is_number(mkdir_at("a/b/c"), -ENOENT, "not without its parent");
	is_number(mkdir_at("a//b/"), 0, "slashes do not matter");
	is_number(create_at("a/b/f"), 0, "a file");
	is_number(create_at("a/b/f"), -EEXIST, "made once");
	is_number(create_at("a/b/g/"), -EISDIR, "no file's name ends in a slash");
	ok(look("/a/./b/../b/f") == look("a/b/f") && look("a/b/f"), "dots");
	ok(look("../../a") == look("a"), "above the root is the root");
	is_number(open_at_path("a/b/f/x", 0), -ENOTDIR, "a file is no directory");
	is_number(open_at_path("a/b/f/", 0), -ENOTDIR, "nor by a slash");
	is_number(open_at_path("", 0), -ENOENT, "an empty path");
	is_number(open_at_path("a", OPEN_WRITE_ONLY), -EISDIR, "a directory is not written");
	is_number(open_at_path("a/b/f", OPEN_DIRECTORY), -ENOTDIR, "O_DIRECTORY");
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	is_number(mkdir_at(name), -ENAMETOOLONG, "a name of 256 characters");
	ok(mkdir_at(name + 1) == 0, "one of 255");
	stage_path(look("a/b"), path, sizeof(path));
	is_text(path, "/a/b", "the path of a directory");
	is_number(stage_path(view.stage->root, path, sizeof(path)), 1, "of the root");
	is_number(stage_path(look("a/b"), path, 4), -ENAMETOOLONG, "in too little room");
	ok(exists("/dev/null") && exists("/tmp") && exists("/dev/shm"), "what a stage begins with");
	is_number(remove_at("/tmp", true), -EBUSY, "that stays");
	end();
}

static void test_links(void)
{
	char target[32], path[32];
	unsigned int i;

	begin();
	mkdir_at("d");
	create_at("d/f");
	is_number(link_at("d/f", "l"), 0, "a link");
	ok(look("l") == look("d/f"), "leads there");
	link_at("d", "ld");
	ok(look("ld/f") == look("d/f") && look("ld/../l") == look("d/f"), "also within a path");
	link_at("/d", "d/abs");
	ok(look("d/abs/f") == look("d/f"), "from the root");
	link_at("nowhere", "dangling");
	is_number(open_at_path("dangling", 0), -ENOENT, "to nowhere");
	is_number(open_at_path("dangling", OPEN_CREATE), 0, "where a file can be made");
	ok(exists("nowhere"), "in its target's place");
	is_number(create_at("dangling"), -EEXIST, "but not with O_EXCL");
	link_at("loop", "loop");
	is_number(open_at_path("loop", 0), -ELOOP, "a link to itself");
	is_number(open_at_path("l", OPEN_NO_FOLLOW), -ELOOP, "O_NOFOLLOW");
	link_at("two", "one");
	link_at("one", "two");
	is_number(open_at_path("one/x", 0), -ELOOP, "two that lead to each other");
	for (i = 0; i < 45; i++) {
		snprintf(target, sizeof(target), i ? "c%u" : "d/f", i - 1);
		snprintf(path, sizeof(path), "c%u", i);
		link_at(target, path);
	}
	is_number(open_at_path("c39", 0), 0, "40 links");
	is_number(open_at_path("c40", 0), -ELOOP, "41 are too many");
	is_number(link_at("", "e"), -ENOENT, "a link to an empty path");
	is_number(stage_link(&view, view.directory, "d/f", view.directory, "hard", true), 0,
		  "a hard link");
	ok(look("hard") == look("d/f") && look("hard")->links == 2, "is the same file");
	is_number(stage_link(&view, view.directory, "d", view.directory, "x", true), -EPERM,
		  "none to a directory");
	end();
}

static const char *target_of(const char *path)
{
	static char target[STAGE_PATH_MOST];
	int error = stage_read_link(&view, view.directory, path, target);

	if (error)
		snprintf(target, sizeof(target), "error %d", -error);
	return target;
}

static void test_targets(void)
{
	struct stage_node *out;

	begin();
	mkdir_at("fd");
	mkdir_at("d");
	mkdir_at("d/sub");
	create_at("d/f");
	link_at("../f", "d/sub/l");
	is_text(target_of("d/sub/l"), "../f", "what a link has");
	is_number(stage_read_link(&view, view.directory, "", (char[STAGE_PATH_MOST]){ 0 }), -ENOENT,
		  "an empty path has nothing");
	is_number(stage_read_link(&view, view.directory, "d/f", (char[STAGE_PATH_MOST]){ 0 }), -EINVAL,
		  "nor a file");
	stage_link(&view, view.directory, "d/f", view.directory, "fd/3", true);
	remove_at("d/f", false);
	is_text(target_of("fd/3"), "/fd/3", "but a descriptor its name");
	mkdir_at("fd/5");
	is_text(target_of("fd/5"), "/fd/5", "or that of its directory");
	create_at("fd/4");
	out = look("fd/4");
	out->device = STAGE_OUTPUT;
	out->inode = 99;
	is_text(target_of("fd/4"), "pipe:[99]", "or that it is a stream");
	end();
}

static void test_rename(void)
{
	struct stage_node *file, *sub;

	begin();
	mkdir_at("a");
	mkdir_at("a/b");
	mkdir_at("a/b/c");
	create_at("a/f");
	create_at("g");
	file = look("a/f");
	is_number(move("a", "a/b/c/d"), -EINVAL, "no directory goes below itself");
	is_number(move("a/b", "a"), -ENOTEMPTY, "nor in the place of one that it is in");
	is_number(move("a/f", "a/b"), -EISDIR, "a file for a directory");
	is_number(move("a/b", "a/f"), -ENOTDIR, "a directory for a file");
	is_number(move("none", "x"), -ENOENT, "what is not there");
	is_number(move("a/.", "x"), -EBUSY, "a dot");
	is_number(move("a/f", "g"), 0, "a file for a file");
	ok(look("g") == file && !exists("a/f") && file->links == 1, "is there and not here");
	is_number(stage_rename(&view, view.directory, "g", view.directory, "a", false), -EEXIST,
		  "RENAME_NOREPLACE");
	sub = look("a/b");
	is_number(move("a/b", "moved"), 0, "a directory");
	ok(look("moved") == sub && look("moved/c/..") == sub && look("moved/..") == view.stage->root,
	   "with what is in it, and its ..");
	ok(look("a")->links == 1 && look("moved")->links == 2, "links are counted");
	mkdir_at("empty");
	is_number(move("moved", "empty"), 0, "for an empty one");
	is_number(move("empty", "a"), 0, "twice");
	ok(exists("a/c") && !exists("empty") && !exists("moved"), "is where it should be");
	stage_link(&view, view.directory, "g", view.directory, "h", true);
	is_number(move("g", "h"), 0, "two names of one file");
	ok(exists("g") && exists("h"), "stay");
	end();
}

static void test_removal(void)
{
	struct stage_node *file, *directory;
	char path[64];

	begin();
	mkdir_at("d");
	create_at("d/f");
	is_number(remove_at("d", true), -ENOTEMPTY, "a directory that is not empty");
	is_number(remove_at("d", false), -EISDIR, "unlink is not for it");
	is_number(remove_at("d/f", true), -ENOTDIR, "nor rmdir for a file");
	is_number(remove_at("d/.", true), -EINVAL, "a directory by its dot");
	is_number(remove_at("d/..", true), -ENOTEMPTY, "and by two");
	is_number(remove_at("//", true), -EBUSY, "the root");
	is_number(remove_at("d/..", false), -EISDIR, "no file either");
	file = look("d/f");
	stage_node_get(file);
	is_number(remove_at("d/f", false), 0, "a file that is open");
	ok(!exists("d/f") && file->links == 0 && file->file, "is there without a name");
	stage_node_put(file);
	directory = look("d");
	stage_chdir(&view, directory);
	is_number(stage_unlink(&view, view.stage->root, "/d", true), 0, "the working directory");
	is_number(stage_path(view.directory, path, sizeof(path)), -ENOENT, "has no path then");
	is_number(create_at("x"), -ENOENT, "and takes no names");
	ok(look("..") == view.stage->root, "but knows where it was");
	is_number(stage_chdir(&view, view.stage->root), 0, "it can be left");
	end();
}

static void test_rights(void)
{
	struct stage_node *node;

	begin();
	mkdir_at("d");
	create_at("d/f");
	is_number(look("d")->mode, MODE_DIRECTORY | 0755, "the umask");
	is_number(stage_open_node(&other, other.directory, "d/f", OPEN_WRITE_ONLY, 0, &node), -EACCES,
		  "another user does not write");
	is_number(stage_unlink(&other, other.directory, "d/f", false), -EACCES, "nor remove");
	is_number(stage_mkdir(&other, other.directory, "d/x", 0777), -EACCES, "nor make");
	is_number(stage_chmod(&other, look("d/f"), 0777), -EPERM, "nor change the mode");
	is_number(stage_chown(&other, look("d/f"), 2000, UINT32_MAX), -EPERM, "nor take it");
	is_number(stage_chown(&view, look("d/f"), 1000, 100), 0, "to oneself is allowed");
	is_number(stage_chown(&view, look("d/f"), 1000, 7), -EPERM, "to a group of others not");
	is_number(stage_chmod(&view, look("d"), 0600), 0, "a directory that nobody passes");
	is_number(open_at_path("d/f", 0), -EACCES, "is not passed");
	is_number(stage_chdir(&view, look("d")), -EACCES, "nor gone to");
	stage_chmod(&view, look("d"), 0777);
	is_number(stage_open_node(&other, other.directory, "d/f", OPEN_READ_ONLY, 0, &node), 0,
		  "another user reads");
	stage_node_put(node);
	is_number(stage_unlink(&other, other.directory, "d/f", false), 0, "and removes");
	is_number(stage_open_node(&view, view.directory, "/tmp/mine", OPEN_CREATE, 0666, &node), 0,
		  "a file in /tmp");
	stage_node_put(node);
	is_number(stage_unlink(&other, other.directory, "/tmp/mine", false), -EPERM,
		  "is its owner's to remove");
	end();
}

static bool is_noted(const char *path)
{
	return stage_is_gone(view.stage, path);
}

static void test_notes(void)
{
	begin();
	mkdir_at("d");
	mkdir_at("d/sub");
	create_at("d/f");
	create_at("d/sub/g");
	create_at("d/new");
	came_from_linux("d");
	came_from_linux("d/sub");
	came_from_linux("d/f");
	came_from_linux("d/sub/g");
	is_number(move("d", "e"), -EXDEV, "a directory of Linux's is not renamed");
	is_number(remove_at("d/new", false), 0, "what was made here");
	ok(!is_noted("/d/new"), "is not removed there");
	is_number(move("d/f", "d/h"), 0, "a file of Linux's is");
	ok(is_noted("/d/f") && !is_noted("/d/h"), "and its old name removed there");
	remove_at("d/sub/g", false);
	is_number(remove_at("d/sub", true), 0, "a directory of Linux's is removed");
	ok(is_noted("/d/sub") && is_noted("/d/sub/g"), "there too");
	look("d")->partial = true;
	remove_at("d/h", false);
	is_number(remove_at("d", true), -EBUSY, "but not one that has more there");
	end();
}

/* NODE is being filled by another task from now on, with that result. */
static void begin_filling(struct stage_node *node, bool succeeds)
{
	node->filled = false;
	being_filled = node;
	filling_succeeds = succeeds;
}

/* Nobody sees a file half copied in. */
static void test_filling(void)
{
	struct stage_node *file;

	begin();
	create_at("f");
	file = look("f");
	begin_filling(file, true);
	is_number(open_at_path("f", 0), 0, "who opens a file that another task is copying in");
	ok(file->filled, "waits until it is there");
	begin_filling(file, true);
	ok(look("f") == file && file->filled, "as who looks at it");
	begin_filling(file, true);
	ok(move("f", "g") == 0 && file->filled, "and who renames it");
	begin_filling(file, true);
	is_number(stage_link(&view, view.directory, "g", view.directory, "h", true), 0, "or links it");
	ok(file->filled, "  too");
	begin_filling(file, false);
	is_number(open_at_path("g", 0), -ENOENT, "one that could not be copied in is not there");
	is_number(move("g", "i"), -ENOENT, "  for whoever asks");
	waiting_ends = -EINTR;
	is_number(open_at_path("g", 0), -EINTR, "the end of a process ends its waiting");
	waiting_ends = 0;
	is_number(file->references, 2, "and no reference is kept: it has two names");
	being_filled = NULL;
	end();
}

/* Linux has NAME in the root, of that kind; INODE tells it from others. What is here then. */
static struct stage_node *bring(const char *name, uint32_t mode, uint64_t inode)
{
	struct stage_node *new = stage_node_create(view.stage, mode, 1000, 100), *node = NULL;
	char path[64];

	new->origin.inode = inode;
	new->on_linux = stage_is_directory(new);
	new->filled = true;
	if (stage_is_link(new))
		stage_link_set(new, "target");
	snprintf(path, sizeof(path), "/%s", name);
	stage_enter(view.stage);
	stage_reconcile(view.stage, view.stage->root, name, path, new, &node);
	stage_leave(view.stage);
	stage_node_put(new);
	if (node)
		stage_node_put(node); /* the tree has it */
	return node;
}

#define A_FILE (MODE_REGULAR | 0644)
#define A_LINK (MODE_LINK | 0777)
#define A_DIRECTORY (MODE_DIRECTORY | 0755)

static void test_reconcile(void)
{
	struct stage_node *file, *link, *directory;

	begin();
	file = bring("f", A_FILE, 1);
	link = bring("l", A_LINK, 2);
	directory = bring("d", A_DIRECTORY, 3);
	ok(bring("f", A_FILE, 1) == file && bring("l", A_LINK, 2) == link &&
		   bring("d", A_DIRECTORY, 4) == directory, "what is here already is not brought again");
	ok(bring("f", A_FILE, 5) != file, "a file that has changed on Linux is");
	ok(bring("l", A_LINK, 6) != link, "and a link");
	ok(stage_is_link(bring("f", A_LINK, 7)) && bring("l", A_FILE, 8)->file,
	   "a link where a file was, and a file where a link was");
	ok(stage_is_directory(bring("f", A_DIRECTORY, 9)) && bring("d", A_FILE, 10)->file,
	   "a directory where a file was, and a file where one was");
	create_at("f/mine");
	ok(stage_is_directory(bring("f", A_FILE, 11)), "but not where something is in it");
	file = look("d");
	file->dirty = true;
	ok(bring("d", A_FILE, 12) == file && bring("d", A_LINK, 13) == file,
	   "what was changed here stays");
	remove_at("l", false);
	ok(!bring("l", A_FILE, 14), "and what was removed here stays so");
	mkdir_at("made");
	directory = look("made");
	ok(bring("made", A_DIRECTORY, 15) == directory, "a directory that was made in both places");
	is_number(move("made", "x"), -EBUSY, "is Linux's then, and does not move");
	bring("again", A_DIRECTORY, 16);
	remove_at("again", true);
	mkdir_at("again");
	bring("again", A_DIRECTORY, 16);
	is_number(move("again", "x"), 0, "one that was removed and made again is not");
	end();
	is_number(allocated, 0, "nothing is lost");
}

/* ---- copying out ---- */

#define PID 7
#define OTHER_PID 8

static struct stage_plan plans[2];
static char plan_path[STAGE_PATH_MOST];

/* The paths of LIST, whose links are the first members, each behind MARK. */
static void add_paths(char text[512], const struct list *list, char mark, size_t path_at)
{
	const struct list *pos;

	LIST_FOR_EACH(pos, list)
		snprintf(text + strlen(text), 512 - strlen(text), "%c%s ", mark,
			 (const char *)pos + path_at);
}

#define STEP_PATH offsetof(struct stage_step, path)
#define NOTE_PATH offsetof(struct stage_gone, path)

/* What process PID has to do: removes (-), makes (+), and then sets attributes of (=). */
static const char *planned(tid_t pid)
{
	struct stage_plan *plan = &plans[pid - PID];
	static char text[512];

	stage_plan_begin(plan, view.stage, pid, plan_path);
	stage_enter(view.stage);
	stage_plan_find(plan);
	stage_leave(view.stage);
	text[0] = '\0';
	add_paths(text, &plan->first, '-', NOTE_PATH);
	add_paths(text, &plan->steps, '+', STEP_PATH);
	add_paths(text, &plan->late, '=', STEP_PATH);
	return text;
}

static void drop_notes(struct list *list)
{
	while (!list_empty(list)) {
		struct list *first = list->next;

		list_remove(first);
		heap_free(LIST_ENTRY(first, struct stage_gone, link));
	}
}

/* As if it had done all of it; the number of steps. */
static unsigned int do_all(tid_t pid)
{
	struct stage_plan *plan = &plans[pid - PID];
	struct list *lists[] = { &plan->steps, &plan->late };
	unsigned int count = 0;

	for (unsigned int i = 0; i < 2; i++) {
		while (!list_empty(lists[i])) {
			struct stage_step *step =
				LIST_ENTRY(lists[i]->next, struct stage_step, link);

			list_remove(&step->link);
			step->node->claimed = 0;
			stage_step_free(step);
			count++;
		}
	}
	drop_notes(&plan->first);
	return count;
}

/* What may be removed on Linux now. */
static const char *settled(void)
{
	static char text[512];
	struct list gone;

	list_init(&gone);
	stage_enter(view.stage);
	stage_plan_settle(view.stage, &gone);
	stage_leave(view.stage);
	text[0] = '\0';
	add_paths(text, &gone, '-', NOTE_PATH);
	drop_notes(&gone);
	return text;
}

static void test_plan(void)
{
	begin();
	mkdir_at("d");
	create_at("d/f");
	link_at("f", "d/l");
	create_at("/tmp/private");
	is_text(planned(PID), "+/d +/d/f +/d/l =/d ", "what was made is copied out, directories first");
	is_text(planned(OTHER_PID), "", "by one task");
	ok(look("d")->dirty, "who makes a directory looks again at what has come into it");
	do_all(PID);
	end();
	begin();
	mkdir_at("d");
	create_at("d/f");
	look("d/f")->writers = 1;
	is_text(planned(PID), "+/d =/d ", "what another task has open for writing is not");
	do_all(PID);
	look("d/f")->writers = 0;
	mapped = 1;
	is_text(planned(PID), "", "nor what it has mapped");
	mapped = 0;
	is_text(planned(PID), "+/d/f ", "until then");
	is_number(do_all(PID), 1, "that is one step");
	is_text(planned(PID), "", "and all");
	end();
}

/* Nothing goes on Linux before what has come of it is there, whoever ends first. */
static void test_settle(void)
{
	begin();
	mkdir_at("d");
	create_at("d/old");
	create_at("d/gone");
	came_from_linux("d");
	came_from_linux("d/old");
	came_from_linux("d/gone");
	remove_at("d/gone", false);
	look("d/old")->writers = 1;
	move("d/old", "d/new");
	is_text(planned(PID), "", "a task ends while another has a renamed file open");
	is_text(settled(), "", "its old name stays on Linux");
	ok(is_noted("/d/old") && is_noted("/d/gone"), "and is not forgotten");
	look("d/new")->writers = 0;
	is_text(planned(OTHER_PID), "+/d/new ", "the other one ends");
	is_text(settled(), "", "nothing is removed while it copies");
	do_all(OTHER_PID);
	is_text(settled(), "-/d/gone -/d/old ", "and then all is");
	ok(!is_noted("/d/old") && !is_noted("/d/gone"), "once");
	end();
}

/* A directory where a file was, and the other way round. */
static void test_kinds(void)
{
	begin();
	mkdir_at("d");
	create_at("d/f");
	create_at("x");
	came_from_linux("d");
	came_from_linux("d/f");
	came_from_linux("x");
	remove_at("d/f", false);
	remove_at("d", true);
	remove_at("x", false);
	create_at("d");
	mkdir_at("x");
	is_text(planned(PID), "-/d/f -/d -/x +/d +/x =/x ", "the old ones are removed first");
	do_all(PID);
	is_text(settled(), "", "and once");
	create_at("y");
	came_from_linux("y");
	remove_at("y", false);
	create_at("y");
	is_text(planned(PID), "+/y ", "a file where a file was is replaced by it");
	do_all(PID);
	end();
}

/* Each allocation in turn fails: an error that says so, or success, and nothing is lost. */
static void test_memory(void)
{
	unsigned int i, wrong = 0;
	int error;

	for (i = 0; i < 40; i++) {
		begin();
		mkdir_at("d");
		create_at("d/f");
		came_from_linux("d");
		came_from_linux("d/f");
		link_at("d/f", "l");
		allocations_left = i;
		error = mkdir_at("m");
		wrong += error != 0 && error != -ENOMEM;
		error = create_at("l2");
		wrong += error != 0 && error != -ENOMEM;
		error = open_at_path("l", 0);
		wrong += error != 0 && error != -ENOMEM;
		error = link_at("x", "y");
		wrong += error != 0 && error != -ENOMEM;
		error = move("d/f", "d/g");
		wrong += error != 0 && error != -ENOMEM;
		wrong += exists("d/f") == exists("d/g");
		error = remove_at("d/g", false);
		wrong += error != 0 && error != -ENOMEM && error != -ENOENT;
		allocations_left = -1;
		end();
	}
	is_number(wrong, 0, "without memory calls fail as a whole");
	for (i = 0; i < 60; i++) {
		struct stage *stage;

		allocations_left = i;
		stage = stage_get(7);
		allocations_left = -1;
		if (stage)
			stage_put(stage);
	}
	is_number(allocated, 0, "and all of it is given back");
}

/* A tree as deep as paths are long is made and freed, on a small stack. */
static void test_depth(void)
{
	unsigned int depth = 0;
	int error;

	begin();
	while ((error = mkdir_at("d")) == 0) {
		struct stage_node *node = look("d");

		if (stage_chdir(&view, node) != 0)
			break;
		depth++;
	}
	is_number(error, -ENAMETOOLONG, "a path ends at 4,096 characters");
	is_number(depth, STAGE_PATH_MOST / 2 - 1, "however short its names");
	end();
	is_number(allocated, 0, "all is freed");
}

int main(void)
{
	test_paths();
	test_links();
	test_targets();
	test_rename();
	test_removal();
	test_rights();
	test_notes();
	test_filling();
	test_reconcile();
	test_plan();
	test_settle();
	test_kinds();
	test_memory();
	test_depth();
	return done();
}
