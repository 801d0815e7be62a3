/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Staged I/O: names. */
#include "arch/time.h"
#include "fs/file_table.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "syscall/staged.h"
#include "task/process.h"
#include "task/thread.h"

#define AT_CWD (-100)
#define REMOVE_DIR 0x200u
#define SYMLINK_FOLLOW 0x400u
#define EMPTY_PATH 0x1000u
#define NO_REPLACE 1u

int staged_load_path(user_addr_t from, bool empty, char **path)
{
	char *copy = heap_alloc(STAGE_PATH_MOST);
	long length = 0;

	if (!copy)
		return -ENOMEM;
	copy[0] = '\0';
	if (from || !empty)
		length = string_from_user(copy, from, STAGE_PATH_MOST);
	if (length == 0 && !empty)
		length = -ENOENT;
	if (length < 0) {
		heap_free(copy);
		return (int)length;
	}
	*path = copy;
	return 0;
}

int staged_directory(int dir, const char *path, struct stage_node **directory)
{
	struct stage_view *view = &staged_current()->view;

	/* It is not looked at. */
	if (path[0] == '/')
		dir = AT_CWD;
	if (dir != AT_CWD)
		return staged_open_node(dir, directory);
	stage_enter(view->stage);
	*directory = view->directory;
	stage_node_get(*directory);
	stage_leave(view->stage);
	return 0;
}

int staged_node(int dir, user_addr_t from, unsigned int flags, bool empty,
		struct stage_node **node)
{
	struct stage_view *view = &staged_current()->view;
	struct stage_node *directory;
	char *path;
	int error = staged_load_path(from, empty, &path);

	if (error)
		return error;
	error = staged_directory(dir, path, &directory);
	if (!error) {
		error = stage_look(view, directory, path, flags, empty, node);
		stage_node_put(directory);
	}
	heap_free(path);
	return error;
}

int64_t staged_openat(const struct syscall_args *args)
{
	struct staged *staged = staged_current();
	uint32_t flags = (uint32_t)args->a[2];
	struct stage_node *directory, *node;
	struct open_file *open;
	char *path;
	int error = staged_load_path(args->a[1], false, &path);

	if (error)
		return error;
	/* What cannot be had is not made or truncated either. */
	error = file_table_has_room(staged->descriptor_limit) ? 0 : -EMFILE;
	if (!error)
		error = staged_directory((int)args->a[0], path, &directory);
	if (!error) {
		error = stage_open_node(&staged->view, directory, path, flags, (uint32_t)args->a[3],
					&node);
		stage_node_put(directory);
	}
	heap_free(path);
	if (!error)
		error = stage_open(node, flags, &open);
	if (error)
		return error;
	return file_table_add(open, 0, staged->descriptor_limit, flags & OPEN_CLOSE_ON_EXEC);
}

/* struct open_how of the ABI. */
struct open_how {
	uint64_t flags, mode, resolve;
};

int64_t staged_openat2(const struct syscall_args *args)
{
	struct open_how how;

	if (args->a[3] < sizeof(how))
		return -EINVAL;
	if (args->a[3] > sizeof(how))
		return -E2BIG;
	if (copy_from_user(&how, args->a[2], sizeof(how)) != 0)
		return -EFAULT;
	if (how.resolve != 0)
		return -EOPNOTSUPP;
	return staged_call(staged_openat, args->a[0], args->a[1], how.flags, how.mode, 0);
}

/* ---- one path ---- */

static int64_t with_path(int dir, user_addr_t from, uint64_t value,
			 int (*fn)(struct stage_view *view, struct stage_node *directory,
				   const char *path, uint64_t value))
{
	struct stage_node *directory;
	char *path;
	int error = staged_load_path(from, false, &path);

	if (error)
		return error;
	error = staged_directory(dir, path, &directory);
	if (!error) {
		error = fn(&staged_current()->view, directory, path, value);
		stage_node_put(directory);
	}
	heap_free(path);
	return error;
}

static int make_directory(struct stage_view *view, struct stage_node *from, const char *path,
			  uint64_t mode)
{
	return stage_mkdir(view, from, path, (uint32_t)mode);
}

int64_t staged_mkdirat(const struct syscall_args *args)
{
	return with_path((int)args->a[0], args->a[1], args->a[2], make_directory);
}

static int remove_name(struct stage_view *view, struct stage_node *from, const char *path,
		       uint64_t flags)
{
	return stage_unlink(view, from, path, flags != 0);
}

int64_t staged_unlinkat(const struct syscall_args *args)
{
	if (args->a[2] & ~(uint64_t)REMOVE_DIR)
		return -EINVAL;
	return with_path((int)args->a[0], args->a[1], args->a[2], remove_name);
}

int64_t staged_symlinkat(const struct syscall_args *args)
{
	struct stage_node *directory;
	char *target, *path;
	int error = staged_load_path(args->a[0], false, &target);

	if (error)
		return error;
	error = staged_load_path(args->a[2], false, &path);
	if (!error) {
		error = staged_directory((int)args->a[1], path, &directory);
		if (!error) {
			error = stage_symlink(&staged_current()->view, target, directory, path);
			stage_node_put(directory);
		}
		heap_free(path);
	}
	heap_free(target);
	return error;
}

/* ---- two paths ---- */

struct two_paths {
	char *path[2];
	struct stage_node *directory[2];
};

static void drop_two(struct two_paths *two)
{
	for (unsigned int i = 0; i < 2; i++) {
		stage_node_put(two->directory[i]);
		heap_free(two->path[i]);
	}
}

static int load_two(const struct syscall_args *args, bool empty, struct two_paths *two)
{
	int error = 0;

	*two = (struct two_paths){ 0 };
	for (unsigned int i = 0; i < 2 && !error; i++) {
		error = staged_load_path(args->a[2 * i + 1], empty && i == 0, &two->path[i]);
		if (!error)
			error = staged_directory((int)args->a[2 * i], two->path[i],
						 &two->directory[i]);
	}
	if (error)
		drop_two(two);
	return error;
}

int64_t staged_renameat2(const struct syscall_args *args)
{
	struct two_paths two;
	int error;

	if (args->a[4] & ~(uint64_t)NO_REPLACE)
		return -EINVAL;
	error = load_two(args, false, &two);
	if (error)
		return error;
	error = stage_rename(&staged_current()->view, two.directory[0], two.path[0],
			     two.directory[1], two.path[1], args->a[4] == 0);
	drop_two(&two);
	return error;
}

int64_t staged_linkat(const struct syscall_args *args)
{
	struct two_paths two;
	int error;

	if (args->a[4] & ~(uint64_t)(SYMLINK_FOLLOW | EMPTY_PATH))
		return -EINVAL;
	error = load_two(args, false, &two);
	if (error)
		return error;
	error = stage_link(&staged_current()->view, two.directory[0], two.path[0],
			   two.directory[1], two.path[1], args->a[4] & SYMLINK_FOLLOW);
	drop_two(&two);
	return error;
}
