/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that do not mean on Linux what they mean to a program in an enclave: fs/. */
#include <asm/unistd_64.h>

#include "fs/mapped_file.h"
#include "fs/own.h"
#include "fs/shared_names.h"
#include "fs/status.h"
#include "lib/string.h"
#include "syscall/describe.h"
#include "syscall/handlers.h"
#include "syscall/own_file.h"
#include "syscall/pipe.h"
#include "task/process.h"
#include "task/thread.h"

#define STAT_SIZE 144
#define STATX_SIZE 256

#define EMPTY_PATH 0x1000u
#define WRITE_OK 2u
#define EXECUTE_OK 1u

int64_t syscall_openat(const struct syscall_args *args)
{
	static const struct description description = { __NR_openat, { VALUE, PATH } };
	char path[OWN_PATH_MOST], name[SHARED_PATH_MOST + 1];
	int64_t result;

	if (own_path((int)args->a[0], args->a[1], false, path) &&
	    own_open(path, (uint32_t)args->a[2], &result))
		return result;
	if (string_from_user(name, args->a[1], sizeof(name)) > 0 &&
	    own_file_open(name, (uint32_t)args->a[2], (uint32_t)args->a[3], &result))
		return result;
	result = file_to_linux_by_name(args->a[1]);
	if (result < 0)
		return result;
	result = describe_call(&description, args->a);
	if (result >= 0 && (args->a[2] & OPEN_TRUNCATE))
		mapped_file_resized();
	return result;
}

int64_t syscall_readlinkat(const struct syscall_args *args)
{
	static const struct description description = {
		__NR_readlinkat, { VALUE, PATH, OUT_BUFFER(3) },
	};
	char path[OWN_PATH_MOST];
	const char *target;
	uint64_t size;

	if (!own_path((int)args->a[0], args->a[1], false, path))
		return describe_call(&description, args->a);
	target = own_link(path);
	if (!target)
		return describe_call(&description, args->a);
	if ((int32_t)args->a[3] <= 0)
		return -EINVAL;
	/* As readlink(2): no NUL, cut at the buffer's end. */
	size = min_u64(strlen(target), args->a[3]);
	return copy_to_user(args->a[2], target, size) != 0 ? -EFAULT : (int64_t)size;
}

/* Is NAME, seen from DIR, one of ours? Then NODE says what. */
static bool find(const struct syscall_args *args, bool empty, struct tree_node *node)
{
	char path[OWN_PATH_MOST];

	if (!own_path((int)args->a[0], args->a[1], empty, path))
		return false;
	tree_find(path, node);
	return node->found != TREE_OTHER;
}

int64_t syscall_newfstatat(const struct syscall_args *args)
{
	uint8_t stat[STAT_SIZE];
	struct tree_node node;

	if (!find(args, args->a[3] & EMPTY_PATH, &node))
		return file_newfstatat(args);
	if (node.found == TREE_ABSENT)
		return -ENOENT;
	own_stat(&node, stat);
	return copy_to_user(args->a[2], stat, sizeof(stat));
}

int64_t syscall_fstat(const struct syscall_args *args)
{
	char path[OWN_PATH_MOST];
	uint8_t stat[STAT_SIZE];
	struct tree_node node;

	if (!own_dir_path((int)args->a[0], path))
		return file_fstat(args);
	tree_find(path, &node);
	own_stat(&node, stat);
	return copy_to_user(args->a[1], stat, sizeof(stat));
}

int64_t syscall_statx(const struct syscall_args *args)
{
	uint8_t statx[STATX_SIZE];
	struct tree_node node;

	if (!find(args, args->a[2] & EMPTY_PATH, &node))
		return file_statx(args);
	if (node.found == TREE_ABSENT)
		return -ENOENT;
	own_statx(&node, statx);
	return copy_to_user(args->a[4], statx, sizeof(statx));
}

/* access(2) of one of ours: nobody may write or execute it; directories can be passed. */
static int64_t access(const struct tree_node *node, uint64_t mode)
{
	if (node->found == TREE_ABSENT)
		return -ENOENT;
	if (mode & ~7ull)
		return -EINVAL;
	if ((mode & WRITE_OK) || ((mode & EXECUTE_OK) && node->found != TREE_DIRECTORY))
		return -EACCES;
	return 0;
}

int64_t syscall_faccessat(const struct syscall_args *args)
{
	struct tree_node node;

	if (find(args, false, &node))
		return access(&node, args->a[2]);
	return file_faccessat(args);
}

int64_t syscall_faccessat2(const struct syscall_args *args)
{
	struct tree_node node;

	if (find(args, args->a[3] & EMPTY_PATH, &node))
		return access(&node, args->a[2]);
	return file_faccessat2(args);
}

int64_t syscall_getdents64(const struct syscall_args *args)
{
	static const struct description description = {
		__NR_getdents64, { VALUE, OUT_BUFFER(2) },
	};

	if (own_dir_path((int)args->a[0], NULL))
		return own_dir_read((int)args->a[0], args->a[1], (uint32_t)args->a[2]);
	return describe_call(&description, args->a);
}
