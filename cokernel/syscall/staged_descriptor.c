/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Staged I/O: descriptors, whose numbers are given here. */
#include <linux/fcntl.h>

#include "fs/file_table.h"
#include "lib/string.h"
#include "mm/local.h"
#include "mm/object.h"
#include "syscall/pipe.h"
#include "syscall/staged.h"
#include "task/process.h"
#include "task/thread.h"

#define MEMFD_CLOSE_ON_EXEC 1u
#define MEMFD_FLAGS 0x1fu
#define MEMFD_NAME_MOST 250u

#define RANGE_CLOSE_ON_EXEC 4u

/* What F_SETFL can change of the flags of an open file. */
#define CHANGEABLE (OPEN_APPEND | OPEN_NON_BLOCKING | 020000u | 040000u | 01000000u)
/* And what is said of them: not what was only of the open(2). */
#define LASTING (~(OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_TRUNCATE | OPEN_CLOSE_ON_EXEC | 0400u))

int staged_open_node(int fd, struct stage_node **node)
{
	struct open_file *open = file_table_get(fd);
	int error = open && open->node ? 0 : -EBADF;

	if (!error) {
		*node = open->node;
		stage_node_get(*node);
	}
	if (open)
		open_file_put(open);
	return error;
}

/* Is FD open? 0 or -EBADF. */
static int check(int fd)
{
	int flag = file_table_get_flag(fd);

	return flag < 0 ? flag : 0;
}

int64_t staged_close(const struct syscall_args *args)
{
	return file_table_close((int)args->a[0]);
}

int64_t staged_close_range(const struct syscall_args *args)
{
	uint32_t first = (uint32_t)args->a[0], last = (uint32_t)args->a[1], fd;

	if ((args->a[2] & ~(uint64_t)RANGE_CLOSE_ON_EXEC) || first > last)
		return -EINVAL;
	for (fd = first; fd <= last && fd < process_current()->file_table.room; fd++) {
		if (args->a[2])
			file_table_set_flag((int)fd, true);
		else
			file_table_close((int)fd);
	}
	return 0;
}

static int64_t duplicate(int fd, unsigned int least, bool close_on_exec)
{
	struct open_file *open = file_table_get(fd);

	if (!open)
		return -EBADF;
	return file_table_add(open, least, staged_current()->descriptor_limit, close_on_exec);
}

int64_t staged_dup(const struct syscall_args *args)
{
	return duplicate((int)args->a[0], 0, false);
}

static int64_t duplicate_to(int old, uint32_t new, bool close_on_exec)
{
	struct open_file *open = file_table_get(old);
	int error = -EBADF;

	if (open && new < staged_current()->descriptor_limit)
		error = file_table_set((int)new, open);
	else if (open)
		open_file_put(open);
	if (error)
		return error;
	file_table_set_flag((int)new, close_on_exec);
	return new;
}

int64_t staged_dup2(const struct syscall_args *args)
{
	if ((uint32_t)args->a[0] == (uint32_t)args->a[1])
		return check((int)args->a[0]) ? -EBADF : (int64_t)(uint32_t)args->a[1];
	return duplicate_to((int)args->a[0], (uint32_t)args->a[1], false);
}

int64_t staged_dup3(const struct syscall_args *args)
{
	if ((args->a[2] & ~(uint64_t)OPEN_CLOSE_ON_EXEC) ||
	    (uint32_t)args->a[0] == (uint32_t)args->a[1])
		return -EINVAL;
	return duplicate_to((int)args->a[0], (uint32_t)args->a[1], args->a[2] != 0);
}

int64_t staged_memfd_create(const struct syscall_args *args)
{
	struct staged *staged = staged_current();
	struct stage_view *view = &staged->view;
	char name[MEMFD_NAME_MOST];
	struct stage_node *node;
	struct open_file *open;
	long length = string_from_user(name, args->a[0], sizeof(name));
	int error;

	if (args->a[1] & ~(uint64_t)MEMFD_FLAGS)
		return -EINVAL;
	if (length < 0)
		return length == -ENAMETOOLONG ? -EINVAL : length;
	/* A file without a name, as any other one. */
	node = stage_node_create(view->stage, MODE_REGULAR | 0777, view->uid, view->gid);
	if (!node)
		return -ENOMEM;
	node->filled = true;
	error = stage_open(node, OPEN_READ_WRITE, &open);
	if (error)
		return error;
	return file_table_add(open, 0, staged->descriptor_limit, args->a[1] & MEMFD_CLOSE_ON_EXEC);
}

/* ---- fcntl(2) ---- */

static int64_t get_flags(int fd)
{
	struct open_file *open = file_table_get(fd);
	int64_t flags;

	if (!open)
		return -EBADF;
	flags = open->flags & LASTING;
	/* O_LARGEFILE, as Linux has it on 64 bits for all that is opened. */
	if (!open->pipe)
		flags |= 0100000;
	open_file_put(open);
	return flags;
}

static int64_t set_flags(int fd, uint64_t flags)
{
	struct open_file *open = file_table_get(fd);

	if (!open)
		return -EBADF;
	__atomic_store_n(&open->flags,
			 (open->flags & ~CHANGEABLE) | ((uint32_t)flags & CHANGEABLE),
			 __ATOMIC_RELAXED);
	open_file_put(open);
	return 0;
}

/* struct flock of the ABI. */
struct user_lock {
	int16_t type;
	int16_t whence;
	int32_t pad;
	int64_t start, length;
	int32_t pid;
	int32_t pad2;
};

/* Within one task nobody else holds a lock, and other tasks are not told of them. */
static int64_t lock_file(int fd, uint32_t command, user_addr_t at)
{
	struct user_lock lock;

	if (check(fd) != 0)
		return -EBADF;
	if (copy_from_user(&lock, at, sizeof(lock)) != 0)
		return -EFAULT;
	if ((uint16_t)lock.type > F_UNLCK || (uint16_t)lock.whence > 2)
		return -EINVAL;
	if (command != F_GETLK && command != F_OFD_GETLK)
		return 0;
	lock.type = F_UNLCK;
	return copy_to_user(at, &lock, sizeof(lock));
}

/* F_GETPIPE_SZ, F_SETPIPE_SZ. */
static int64_t size_of_pipe(int fd, uint32_t command, uint64_t size)
{
	struct open_file *end = pipe_end(fd);
	int64_t result = -EBADF;

	if (!end)
		return result;
	pipe_fcntl(end, command, size, &result);
	open_file_put(end);
	return result;
}

int64_t staged_fcntl(const struct syscall_args *args)
{
	int fd = (int)args->a[0];
	int error = check(fd);

	if (error)
		return error;
	switch ((uint32_t)args->a[1]) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if ((uint32_t)args->a[2] >= staged_current()->descriptor_limit)
			return -EINVAL;
		return duplicate(fd, (uint32_t)args->a[2],
				 (uint32_t)args->a[1] == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return file_table_get_flag(fd);
	case F_SETFD:
		return file_table_set_flag(fd, args->a[2] & FD_CLOEXEC);
	case F_GETFL:
		return get_flags(fd);
	case F_SETFL:
		return set_flags(fd, args->a[2]);
	case F_GETPIPE_SZ:
	case F_SETPIPE_SZ:
		return size_of_pipe(fd, (uint32_t)args->a[1], args->a[2]);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return lock_file(fd, (uint32_t)args->a[1], args->a[2]);
	default:
		return -EINVAL;
	}
}
