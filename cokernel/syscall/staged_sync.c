/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Staged I/O: calls on descriptors that have nothing, or little, to do for memory. */
#include <asm/ioctls.h>

#include "fs/file_table.h"
#include "mm/object.h"
#include "syscall/pipe.h"
#include "syscall/staged.h"

static int check(int fd)
{
	int flag = file_table_get_flag(fd);

	return flag < 0 ? flag : 0;
}

int64_t staged_flock(const struct syscall_args *args)
{
	uint64_t how = args->a[1] & ~4ull;

	if (check((int)args->a[0]) != 0)
		return -EBADF;
	return how == 1 || how == 2 || how == 8 ? 0 : -EINVAL;
}

static int64_t done(const struct syscall_args *args)
{
	return check((int)args->a[0]);
}

static int64_t done_unless_pipe(const struct syscall_args *args, int error)
{
	struct open_file *end = pipe_end((int)args->a[0]);

	if (!end)
		return done(args);
	open_file_put(end);
	return error;
}

int64_t staged_fsync(const struct syscall_args *args)
{
	return done_unless_pipe(args, -EINVAL);
}

int64_t staged_fdatasync(const struct syscall_args *args)
{
	return done_unless_pipe(args, -EINVAL);
}

int64_t staged_syncfs(const struct syscall_args *args)
{
	return done(args);
}

int64_t staged_sync_file_range(const struct syscall_args *args)
{
	return done_unless_pipe(args, -ESPIPE);
}

int64_t staged_readahead(const struct syscall_args *args)
{
	return done_unless_pipe(args, -EINVAL);
}

int64_t staged_sync(const struct syscall_args *args)
{
	(void)args;
	return 0;
}

int64_t staged_fadvise64(const struct syscall_args *args)
{
	if (check((int)args->a[0]) != 0)
		return -EBADF;
	return args->a[3] > 5 || (int64_t)args->a[2] < 0 ? -EINVAL : 0;
}

/* Nothing of it is a terminal. */
int64_t staged_ioctl(const struct syscall_args *args)
{
	struct open_file *open = file_table_get((int)args->a[0]);
	int32_t left = 0, word;
	int64_t result = -ENOTTY;

	if (!open)
		return -EBADF;
	switch ((uint32_t)args->a[1]) {
	case FIONBIO:
		result = copy_from_user(&word, args->a[2], sizeof(word));
		if (result == 0)
			pipe_blocking_is((int)args->a[0], args->a[2]);
		break;
	case FIOCLEX:
	case FIONCLEX:
		result = file_table_set_flag((int)args->a[0], (uint32_t)args->a[1] == FIOCLEX);
		break;
	case FIONREAD:
		if (open->pipe)
			pipe_ioctl(open, FIONREAD, args->a[2], &result);
		if (!open->file)
			break;
		if (object_size(open->file->object) > open->position)
			left = (int32_t)min_u64(object_size(open->file->object) - open->position,
						INT32_MAX);
		result = copy_to_user(args->a[2], &left, sizeof(left));
		break;
	default:
		break;
	}
	open_file_put(open);
	return result;
}
