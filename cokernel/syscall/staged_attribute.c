/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Staged I/O: mode and owner of files, and where the process is. */
#include "lib/string.h"
#include "mm/heap.h"
#include "syscall/staged.h"

#define AT_CWD (-100)
#define SYMLINK_NOFOLLOW 0x100u
#define EMPTY_PATH 0x1000u

int64_t staged_fchmod(const struct syscall_args *args)
{
	struct stage_node *node;
	int error = staged_open_node((int)args->a[0], &node);

	if (error)
		return error;
	error = stage_chmod(&staged_current()->view, node, (uint32_t)args->a[1]);
	stage_node_put(node);
	return error;
}

int64_t staged_fchmodat(const struct syscall_args *args)
{
	struct stage_node *node;
	int error = staged_node((int)args->a[0], args->a[1], STAGE_FOLLOW, false, &node);

	if (error)
		return error;
	error = stage_chmod(&staged_current()->view, node, (uint32_t)args->a[2]);
	stage_node_put(node);
	return error;
}

int64_t staged_fchown(const struct syscall_args *args)
{
	struct stage_node *node;
	int error = staged_open_node((int)args->a[0], &node);

	if (error)
		return error;
	error = stage_chown(&staged_current()->view, node, (uint32_t)args->a[1],
			    (uint32_t)args->a[2]);
	stage_node_put(node);
	return error;
}

int64_t staged_fchownat(const struct syscall_args *args)
{
	struct stage_node *node;
	int error;

	if (args->a[4] & ~(uint64_t)(SYMLINK_NOFOLLOW | EMPTY_PATH))
		return -EINVAL;
	error = staged_node((int)args->a[0], args->a[1],
			    args->a[4] & SYMLINK_NOFOLLOW ? 0 : STAGE_FOLLOW,
			    args->a[4] & EMPTY_PATH, &node);
	if (error)
		return error;
	error = stage_chown(&staged_current()->view, node, (uint32_t)args->a[2],
			    (uint32_t)args->a[3]);
	stage_node_put(node);
	return error;
}

int64_t staged_umask(const struct syscall_args *args)
{
	return __atomic_exchange_n(&staged_current()->view.mask, (uint32_t)args->a[0] & 0777,
				   __ATOMIC_RELAXED);
}

/* ---- the working directory ---- */

int64_t staged_chdir(const struct syscall_args *args)
{
	struct stage_node *node;
	int error = staged_node(AT_CWD, args->a[0], STAGE_FOLLOW, false, &node);

	if (error)
		return error;
	error = stage_chdir(&staged_current()->view, node);
	stage_node_put(node);
	return error;
}

int64_t staged_fchdir(const struct syscall_args *args)
{
	struct stage_node *node;
	int error = staged_open_node((int)args->a[0], &node);

	if (error)
		return error;
	error = stage_chdir(&staged_current()->view, node);
	stage_node_put(node);
	return error;
}

int64_t staged_getcwd(const struct syscall_args *args)
{
	struct stage_view *view = &staged_current()->view;
	char *path = heap_alloc(STAGE_PATH_MOST);
	int64_t result;

	if (!path)
		return -ENOMEM;
	stage_enter(view->stage);
	result = stage_path(view->directory, path, STAGE_PATH_MOST);
	stage_leave(view->stage);
	if (result >= 0 && (uint64_t)result + 1 > args->a[1])
		result = -ERANGE;
	if (result >= 0) {
		result++;
		if (copy_to_user(args->a[0], path, (uint64_t)result) != 0)
			result = -EFAULT;
	}
	heap_free(path);
	return result;
}
