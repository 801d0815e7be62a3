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

/* With NUL: of those that are ours the longest are in /dev/shm. */
#define NAME_MOST (SHARED_PATH_MOST + 1)
_Static_assert(NAME_MOST >= OWN_PATH_MOST, "names of fs/own.h, too");

#define EMPTY_PATH 0x1000u
#define WRITE_OK 2u
#define EXECUTE_OK 1u

/* struct open_how of the ABI: its first version, and what a program may say at most. */
struct open_how {
	uint64_t flags, mode, resolve;
};
#define OPEN_HOW_MOST 4096u

/* The name at FROM. False: it is Linux's to say that it is too long, or not there. */
static bool read_name(user_addr_t from, char name[NAME_MOST])
{
	return string_from_user(name, from, NAME_MOST) >= 0;
}

/* The same as a path that may be ours: own_path(). */
static bool read_path(const struct syscall_args *args, bool empty, char path[OWN_PATH_MOST])
{
	char name[NAME_MOST];

	return read_name(args->a[1], name) && own_path((int)args->a[0], name, empty, path);
}

/* Opens what is ours, or says why not: true, with *RESULT. Else it is Linux's to open. */
static bool open_own(const struct syscall_args *args, uint32_t flags, uint32_t mode,
		     int64_t *result)
{
	char path[OWN_PATH_MOST], name[NAME_MOST];

	if (!read_name(args->a[1], name) || !name[0])
		return false;
	if (own_path((int)args->a[0], name, false, path) && own_open(path, flags, result))
		return true;
	if (own_file_open(name, flags, mode, result))
		return true;
	*result = file_to_linux_by_name(name);
	return *result < 0;
}

int64_t syscall_openat(const struct syscall_args *args)
{
	static const struct description description = { __NR_openat, { VALUE, PATH } };
	int64_t result;

	if (open_own(args, (uint32_t)args->a[2], (uint32_t)args->a[3], &result))
		return result;
	result = describe_call(&description, args->a);
	if (result >= 0 && (args->a[2] & OPEN_TRUNCATE))
		mapped_file_resized();
	return result;
}

int64_t syscall_openat2(const struct syscall_args *args)
{
	static const struct description description = {
		__NR_openat2, { VALUE, PATH, IN_BUFFER(3, OPEN_HOW_MOST) },
	};
	struct open_how how;
	int64_t result;

	if (args->a[3] < sizeof(how))
		return -EINVAL;
	if (args->a[3] > OPEN_HOW_MOST)
		return -E2BIG;
	if (copy_from_user(&how, args->a[2], sizeof(how)) != 0)
		return -EFAULT;
	/* What asks for more than open(2) knows is Linux's to understand. */
	if (how.resolve == 0 && args->a[3] == sizeof(how) &&
	    open_own(args, (uint32_t)how.flags, (uint32_t)how.mode, &result))
		return result;
	result = describe_call(&description, args->a);
	if (result >= 0 && (how.flags & OPEN_TRUNCATE))
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

	if (!read_path(args, false, path))
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

	if (!read_path(args, empty, path))
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
