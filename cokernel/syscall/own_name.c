/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls on names, some of which are in the enclave's own /dev/shm, and stat(2) of both. */
#include <asm/unistd_64.h>
#include <linux/stat.h>

#include "fs/file_table.h"
#include "fs/memory_file.h"
#include "fs/shared_names.h"
#include "syscall/describe.h"
#include "syscall/handlers.h"
#include "syscall/own_file.h"

#define EMPTY_PATH 0x1000u /* AT_EMPTY_PATH */
#define NO_FOLLOW 0x100u   /* AT_SYMLINK_NOFOLLOW */
#define NO_REPLACE 1u	   /* RENAME_NOREPLACE */

/* The name in /dev/shm that FROM is, or NULL; BUFFER has room for SHARED_PATH_MOST + 1. */
static const char *load_name(user_addr_t from, char *buffer)
{
	if (string_from_user(buffer, from, SHARED_PATH_MOST + 1) <= 0)
		return NULL;
	return shared_name(buffer);
}

/*
 * The file that a stat call is about, if it is ours, with a reference: *FILE NULL if
 * it is Linux's. 0 or -errno.
 */
static int find_file(int fd, user_addr_t path, uint64_t flags, struct memory_file **file)
{
	char buffer[SHARED_PATH_MOST + 1];
	struct open_file *open;
	const char *name;
	bool is_new;
	char first;

	*file = NULL;
	if (path != 0 && string_from_user(buffer, path, sizeof(buffer)) > 0) {
		name = shared_name(buffer);
		if (name)
			return shared_open(name, OPEN_READ_ONLY, 0, file, &is_new);
		if (!(flags & NO_FOLLOW))
			*file = own_descriptor_file(buffer);
		if (*file)
			return 0;
	}
	if (!(flags & EMPTY_PATH) || (path != 0 && (copy_from_user(&first, path, 1) != 0 || first)))
		return 0;
	open = file_table_get(fd);
	if (!open)
		return 0;
	*file = open->file;
	if (*file)
		memory_file_get(*file);
	open_file_put(open);
	return 0;
}

static int64_t tell(struct memory_file *file, user_addr_t to)
{
	struct user_stat status;

	memory_file_status(file, &status);
	memory_file_put(file);
	return copy_to_user(to, &status, sizeof(status));
}

int64_t file_fstat(const struct syscall_args *args)
{
	static const struct description description = {
		__NR_fstat, { VALUE, OUT(sizeof(struct user_stat)) },
	};
	struct memory_file *file;
	int error = find_file((int)args->a[0], 0, EMPTY_PATH, &file);

	if (error)
		return error;
	return file ? tell(file, args->a[1]) : describe_call(&description, args->a);
}

int64_t file_newfstatat(const struct syscall_args *args)
{
	static const struct description description = {
		__NR_newfstatat, { VALUE, PATH, OUT(sizeof(struct user_stat)) },
	};
	struct memory_file *file;
	int error = find_file((int)args->a[0], args->a[1], args->a[3], &file);

	if (error)
		return error;
	return file ? tell(file, args->a[2]) : describe_call(&description, args->a);
}

static int64_t tell_more(struct memory_file *file, user_addr_t to)
{
	struct user_stat status;

	memory_file_status(file, &status);
	memory_file_put(file);
	return status_tell_statx(&status, to);
}

int64_t file_statx(const struct syscall_args *args)
{
	static const struct description description = {
		__NR_statx, { VALUE, PATH, VALUE, VALUE, OUT(sizeof(struct statx)) },
	};
	struct memory_file *file;
	int error = find_file((int)args->a[0], args->a[1], args->a[2], &file);

	if (error)
		return error;
	return file ? tell_more(file, args->a[4]) : describe_call(&description, args->a);
}

/* ---- names ---- */

static int64_t check_access(const char *name, uint64_t mode)
{
	struct memory_file *file;
	bool is_new;
	uint32_t how = OPEN_READ_ONLY;
	int error;

	if (mode & 2)
		how = mode & 4 ? OPEN_READ_WRITE : OPEN_WRITE_ONLY;
	error = shared_open(name, how, 0, &file, &is_new);
	if (error)
		return error;
	memory_file_put(file);
	return mode & 1 ? -EACCES : 0;
}

int64_t file_faccessat(const struct syscall_args *args)
{
	static const struct description description = { __NR_faccessat, { VALUE, PATH } };
	char buffer[SHARED_PATH_MOST + 1];
	const char *name = load_name(args->a[1], buffer);

	return name ? check_access(name, args->a[2]) : describe_call(&description, args->a);
}

int64_t file_faccessat2(const struct syscall_args *args)
{
	static const struct description description = { __NR_faccessat2, { VALUE, PATH } };
	char buffer[SHARED_PATH_MOST + 1];
	const char *name = load_name(args->a[1], buffer);

	return name ? check_access(name, args->a[2]) : describe_call(&description, args->a);
}

int64_t syscall_unlinkat(const struct syscall_args *args)
{
	static const struct description description = { __NR_unlinkat, { VALUE, PATH } };
	char buffer[SHARED_PATH_MOST + 1];
	const char *name = load_name(args->a[1], buffer);

	if (!name)
		return describe_call(&description, args->a);
	return args->a[2] != 0 ? -ENOTDIR : shared_unlink(name);
}

int64_t syscall_linkat(const struct syscall_args *args)
{
	static const struct description description = { __NR_linkat, { VALUE, PATH, VALUE, PATH } };
	char buffer[2][SHARED_PATH_MOST + 1];
	const char *old = load_name(args->a[1], buffer[0]);
	const char *new = load_name(args->a[3], buffer[1]);

	if (!old && !new)
		return describe_call(&description, args->a);
	return old && new ? shared_link(old, new) : -EXDEV;
}

static int64_t rename(const struct description *description, const struct syscall_args *args,
		      uint64_t flags)
{
	char buffer[2][SHARED_PATH_MOST + 1];
	const char *old = load_name(args->a[1], buffer[0]);
	const char *new = load_name(args->a[3], buffer[1]);

	if (!old && !new)
		return describe_call(description, args->a);
	if (!old || !new)
		return -EXDEV;
	return flags & ~(uint64_t)NO_REPLACE ? -EINVAL : shared_rename(old, new, flags == 0);
}

int64_t syscall_renameat(const struct syscall_args *args)
{
	static const struct description description = { __NR_renameat, { VALUE, PATH, VALUE, PATH } };

	return rename(&description, args, 0);
}

int64_t syscall_renameat2(const struct syscall_args *args)
{
	static const struct description description = { __NR_renameat2,
							{ VALUE, PATH, VALUE, PATH } };

	return rename(&description, args, args->a[4]);
}
