/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Staged I/O: what is asked about names and descriptors. */
#include <asm/statfs.h>
#include <linux/magic.h>
#include <linux/stat.h>

#include "arch/time.h"
#include "fs/file_table.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/page.h"
#include "syscall/staged.h"
#include "task/process.h"
#include "task/thread.h"

#define AT_CWD (-100)
#define SYMLINK_NOFOLLOW 0x100u
#define EFFECTIVE_ACCESS 0x200u
#define NO_AUTOMOUNT 0x800u
#define EMPTY_PATH 0x1000u
#define STATX_SYNC 0x6000u

#define TIME_NOW 0x3fffffff
#define TIME_OMIT 0x3ffffffe

/* ---- stat(2) ---- */

static int status_of_descriptor(int fd, struct user_stat *status)
{
	struct open_file *open = file_table_get(fd);

	if (!open)
		return -EBADF;
	stage_status(open, status);
	open_file_put(open);
	return 0;
}

static int status_of(int dir, user_addr_t from, uint64_t flags, struct user_stat *status)
{
	struct stage_node *node;
	char first = '\0';
	int error;

	if (flags & ~(uint64_t)(SYMLINK_NOFOLLOW | NO_AUTOMOUNT | EMPTY_PATH | STATX_SYNC))
		return -EINVAL;
	if (from && copy_from_user(&first, from, 1) != 0)
		return -EFAULT;
	if ((flags & EMPTY_PATH) && first == '\0' && dir != AT_CWD)
		return status_of_descriptor(dir, status);
	error = staged_node(dir, from, flags & SYMLINK_NOFOLLOW ? 0 : STAGE_FOLLOW,
			    flags & EMPTY_PATH, &node);
	if (error)
		return error;
	stage_node_status(node, status);
	stage_node_put(node);
	return 0;
}

int64_t staged_fstat(const struct syscall_args *args)
{
	struct user_stat status;
	int error = status_of_descriptor((int)args->a[0], &status);

	return error ? error : copy_to_user(args->a[1], &status, sizeof(status));
}

int64_t staged_newfstatat(const struct syscall_args *args)
{
	struct user_stat status;
	int error = status_of((int)args->a[0], args->a[1], args->a[3], &status);

	return error ? error : copy_to_user(args->a[2], &status, sizeof(status));
}

int64_t staged_statx(const struct syscall_args *args)
{
	struct user_stat status;
	int error = status_of((int)args->a[0], args->a[1], args->a[2], &status);

	return error ? error : status_tell_statx(&status, args->a[4]);
}

/* ---- access(2), readlink(2), getdents(2) ---- */

int64_t staged_faccessat2(const struct syscall_args *args)
{
	struct stage_node *node;
	uint64_t flags = args->a[3];
	int error;

	if ((args->a[2] & ~7ull) ||
	    (flags & ~(uint64_t)(EFFECTIVE_ACCESS | SYMLINK_NOFOLLOW | EMPTY_PATH)))
		return -EINVAL;
	error = staged_node((int)args->a[0], args->a[1],
			    flags & SYMLINK_NOFOLLOW ? 0 : STAGE_FOLLOW, flags & EMPTY_PATH, &node);
	if (error)
		return error;
	if (!stage_allows(&staged_current()->view, node, (uint32_t)args->a[2]))
		error = -EACCES;
	else if (node->own && (args->a[2] & 2))
		error = -EACCES;
	stage_node_put(node);
	return error;
}

static int64_t read_link(int dir, const char *path, user_addr_t to, uint64_t room)
{
	struct stage_node *directory;
	char *target;
	uint64_t size;
	int64_t result = staged_directory(dir, path, &directory);

	if (result)
		return result;
	target = heap_alloc(STAGE_PATH_MOST);
	result = target ? stage_read_link(&staged_current()->view, directory, path, target) :
			  -ENOMEM;
	if (!result) {
		/* Cut at the buffer's end, and without a NUL. */
		size = min_u64(strlen(target), room);
		result = copy_to_user(to, target, size) != 0 ? -EFAULT : (int64_t)size;
	}
	heap_free(target);
	stage_node_put(directory);
	return result;
}

int64_t staged_readlinkat(const struct syscall_args *args)
{
	char *path;
	int64_t result;

	if ((int32_t)args->a[3] <= 0)
		return -EINVAL;
	if (args->a[1] == 0)
		return -EFAULT;
	result = staged_load_path(args->a[1], true, &path);
	if (result)
		return result;
	result = read_link((int)args->a[0], path, args->a[2], (uint32_t)args->a[3]);
	heap_free(path);
	return result;
}

int64_t staged_getdents64(const struct syscall_args *args)
{
	struct open_file *open = file_table_get((int)args->a[0]);
	int64_t result;

	if (!open)
		return -EBADF;
	result = stage_list(&staged_current()->view, open, args->a[1], (uint32_t)args->a[2]);
	open_file_put(open);
	return result;
}

/* ---- statfs(2): the enclave's memory, as of a tmpfs ---- */

static int64_t put_statfs(user_addr_t to)
{
	struct statfs statfs;

	memset(&statfs, 0, sizeof(statfs));
	statfs.f_type = TMPFS_MAGIC;
	statfs.f_bsize = (__kernel_long_t)PAGE_SIZE;
	statfs.f_frsize = (__kernel_long_t)PAGE_SIZE;
	statfs.f_blocks = (__kernel_long_t)(page_total() / PAGE_SIZE);
	statfs.f_bfree = (__kernel_long_t)(page_free_bytes() / PAGE_SIZE);
	statfs.f_bavail = statfs.f_bfree;
	statfs.f_namelen = STAGE_NAME_MOST;
	return copy_to_user(to, &statfs, sizeof(statfs));
}

int64_t staged_statfs(const struct syscall_args *args)
{
	struct stage_node *node;
	int error = staged_node(AT_CWD, args->a[0], STAGE_FOLLOW, false, &node);

	if (error)
		return error;
	stage_node_put(node);
	return put_statfs(args->a[1]);
}

int64_t staged_fstatfs(const struct syscall_args *args)
{
	int flag = file_table_get_flag((int)args->a[0]);

	return flag < 0 ? flag : put_statfs(args->a[1]);
}

/* ---- utimensat(2) ---- */

/* What TIME, of which FRACTION may be a word for it, is. 0 or -EINVAL. */
static int time_from(const struct user_time *time, nsec_t now, nsec_t *result)
{
	if (time->fraction == TIME_OMIT)
		*result = NSEC_FOREVER;
	else if (time->fraction == TIME_NOW)
		*result = now;
	else if (time->fraction < 0 || time->fraction >= (int64_t)NSEC_PER_SEC)
		return -EINVAL;
	else if (time->seconds < 0 || time->seconds > INT32_MAX * 4ll)
		*result = 0;
	else
		*result = (uint64_t)time->seconds * NSEC_PER_SEC + (uint64_t)time->fraction;
	return 0;
}

/* TIMES: two of them, or NULL: now. */
static int64_t set_times(int dir, user_addr_t path, const struct user_time *times, uint64_t flags)
{
	nsec_t now = time_realtime(), time[2] = { now, now };
	bool both = !times || (times[0].fraction == TIME_NOW && times[1].fraction == TIME_NOW);
	struct stage_node *node;
	int error = 0;

	for (unsigned int i = 0; times && i < 2 && !error; i++)
		error = time_from(&times[i], now, &time[i]);
	if (error)
		return error;
	if (flags & ~(uint64_t)(SYMLINK_NOFOLLOW | EMPTY_PATH))
		return -EINVAL;
	if (path || (flags & EMPTY_PATH))
		error = staged_node(dir, path, flags & SYMLINK_NOFOLLOW ? 0 : STAGE_FOLLOW,
				    flags & EMPTY_PATH, &node);
	else
		error = staged_open_node(dir, &node);
	if (error)
		return error;
	error = stage_set_times(&staged_current()->view, node, time[0], time[1], both);
	stage_node_put(node);
	return error;
}

int64_t staged_utimensat(const struct syscall_args *args)
{
	struct user_time times[2];

	if (args->a[2] && copy_from_user(times, args->a[2], sizeof(times)) != 0)
		return -EFAULT;
	return set_times((int)args->a[0], args->a[1], args->a[2] ? times : NULL, args->a[3]);
}

/* Microseconds. */
int64_t staged_futimesat(const struct syscall_args *args)
{
	struct user_time times[2];

	if (!args->a[2])
		return set_times((int)args->a[0], args->a[1], NULL, 0);
	if (copy_from_user(times, args->a[2], sizeof(times)) != 0)
		return -EFAULT;
	for (unsigned int i = 0; i < 2; i++) {
		if (times[i].fraction < 0 || times[i].fraction >= 1000000)
			return -EINVAL;
		times[i].fraction *= 1000;
	}
	return set_times((int)args->a[0], args->a[1], times, 0);
}

int64_t staged_utime(const struct syscall_args *args)
{
	struct user_time times[2] = { { 0 } };
	int64_t seconds[2];

	if (!args->a[1])
		return set_times(AT_CWD, args->a[0], NULL, 0);
	if (copy_from_user(seconds, args->a[1], sizeof(seconds)) != 0)
		return -EFAULT;
	times[0].seconds = seconds[0];
	times[1].seconds = seconds[1];
	return set_times(AT_CWD, args->a[0], times, 0);
}
