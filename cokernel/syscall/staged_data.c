/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Staged I/O: what is in files. */
#include "arch/time.h"
#include "fs/file_table.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/local.h"
#include "mm/object.h"
#include "syscall/pipe.h"
#include "syscall/staged.h"
#include "syscall/vector.h"
#include "task/process.h"
#include "task/thread.h"

#include <linux/mman.h>

/* Linux moves no more in one call. */
#define MOST 0x7ffff000ull

static bool has_positions(const struct open_file *open)
{
	return open->file || !open->node || !stage_is_pipe(open->node);
}

/* VECTOR, whose sizes together are not negative. OFFSET: FILE_POSITION, or as in pread(2). */
static int64_t move(int fd, struct vector *vector, uint64_t count, uint64_t offset, bool writing)
{
	struct open_file *open = file_table_get(fd);
	uint64_t left = MOST, i;
	int64_t result;

	if (!open)
		return -EBADF;
	for (i = 0; i < count; i++) {
		vector[i].size = min_u64(vector[i].size, left);
		left -= vector[i].size;
	}
	if (offset != FILE_POSITION && !has_positions(open))
		result = -ESPIPE;
	else if (open->pipe)
		result = pipe_transfer(fd, open, vector, count, writing);
	else
		result = writing ? stage_write(open, vector, count, offset) :
				   stage_read(open, vector, count, offset);
	open_file_put(open);
	return result;
}

static int64_t transfer(int fd, user_addr_t memory, uint64_t size, uint64_t offset, bool writing)
{
	struct vector part = { memory, size };

	/* No program has as much memory. */
	if ((int64_t)size < 0)
		return file_table_get_flag(fd) < 0 ? -EBADF : -EFAULT;
	return move(fd, &part, 1, offset, writing);
}

int64_t staged_read(const struct syscall_args *args)
{
	return transfer((int)args->a[0], args->a[1], args->a[2], FILE_POSITION, false);
}

int64_t staged_write(const struct syscall_args *args)
{
	return transfer((int)args->a[0], args->a[1], args->a[2], FILE_POSITION, true);
}

int64_t staged_pread64(const struct syscall_args *args)
{
	if ((int64_t)args->a[3] < 0)
		return -EINVAL;
	return transfer((int)args->a[0], args->a[1], args->a[2], args->a[3], false);
}

int64_t staged_pwrite64(const struct syscall_args *args)
{
	if ((int64_t)args->a[3] < 0)
		return -EINVAL;
	return transfer((int)args->a[0], args->a[1], args->a[2], args->a[3], true);
}

/* ---- vectors ---- */

static int64_t each_part(const struct syscall_args *args, uint64_t offset, bool writing)
{
	int fd = (int)args->a[0];
	struct vector *vector;
	uint64_t bytes;
	int64_t result;

	if (file_table_get_flag(fd) < 0)
		return -EBADF;
	result = vector_load(args->a[1], args->a[2], &vector, &bytes);
	if (result < 0)
		return result;
	result = move(fd, vector, args->a[2], offset, writing);
	heap_free(vector);
	return result;
}

int64_t staged_readv(const struct syscall_args *args)
{
	return each_part(args, FILE_POSITION, false);
}

int64_t staged_writev(const struct syscall_args *args)
{
	return each_part(args, FILE_POSITION, true);
}

int64_t staged_preadv(const struct syscall_args *args)
{
	return (int64_t)args->a[3] < 0 ? -EINVAL : each_part(args, args->a[3], false);
}

int64_t staged_pwritev(const struct syscall_args *args)
{
	return (int64_t)args->a[3] < 0 ? -EINVAL : each_part(args, args->a[3], true);
}

/* Offset -1: that of the descriptor. No flag is known. */
static int64_t with_flags(const struct syscall_args *args, bool writing)
{
	if (args->a[5] != 0)
		return -EOPNOTSUPP;
	if (args->a[3] == UINT64_MAX)
		return each_part(args, FILE_POSITION, writing);
	return (int64_t)args->a[3] < 0 ? -EINVAL : each_part(args, args->a[3], writing);
}

int64_t staged_preadv2(const struct syscall_args *args)
{
	return with_flags(args, false);
}

int64_t staged_pwritev2(const struct syscall_args *args)
{
	return with_flags(args, true);
}

/* ---- positions and sizes ---- */

int64_t staged_lseek(const struct syscall_args *args)
{
	struct open_file *open = file_table_get((int)args->a[0]);
	int64_t result;

	if (!open)
		return -EBADF;
	result = stage_seek(open, (int64_t)args->a[1], (unsigned int)args->a[2]);
	open_file_put(open);
	return result;
}

int64_t staged_ftruncate(const struct syscall_args *args)
{
	struct open_file *open = file_table_get((int)args->a[0]);
	int64_t result;

	if (!open)
		return -EBADF;
	result = stage_resize(open, (int64_t)args->a[1]);
	open_file_put(open);
	return result;
}

int64_t staged_truncate(const struct syscall_args *args)
{
	struct stage_view *view = &staged_current()->view;
	struct stage_node *node;
	struct open_file *open;
	int64_t result = (int64_t)args->a[1] < 0 ? -EINVAL : 0;

	if (!result)
		result = staged_node(-100, args->a[0], STAGE_FOLLOW, false, &node);
	if (result)
		return result;
	if (stage_is_directory(node))
		result = -EISDIR;
	else if (!node->file)
		result = -EINVAL;
	else if (!stage_allows(view, node, 2))
		result = -EACCES;
	if (result) {
		stage_node_put(node);
		return result;
	}
	result = stage_open(node, OPEN_WRITE_ONLY, &open);
	if (result)
		return result;
	result = stage_resize(open, (int64_t)args->a[1]);
	open_file_put(open);
	return result;
}

int64_t staged_fallocate(const struct syscall_args *args)
{
	struct open_file *open = file_table_get((int)args->a[0]);
	int64_t result;

	if (!open)
		return -EBADF;
	result = stage_allocate(open, (uint32_t)args->a[1], (int64_t)args->a[2],
				(int64_t)args->a[3]);
	open_file_put(open);
	return result;
}

/* ---- mmap(2): a memory file is mapped as it is elsewhere ---- */

int64_t staged_mmap(const struct syscall_args *args)
{
	struct syscall_args anonymous = *args;
	struct open_file *open;
	int64_t result = 0;

	if (args->a[3] & MAP_ANONYMOUS)
		return syscall_mmap(args);
	open = file_table_get((int)args->a[4]);
	if (!open || (open->flags & OPEN_PATH))
		result = -EBADF;
	else if ((open->flags & OPEN_ACCESS) == OPEN_WRITE_ONLY)
		result = -EACCES;
	else if (!open->file && open->node->device != STAGE_ZERO)
		result = -ENODEV;
	if (!result && open->file && (args->a[3] & MAP_TYPE) != MAP_PRIVATE &&
	    (open->flags & OPEN_ACCESS) == OPEN_READ_WRITE) {
		/* It may be made writable later, too; when it is written nobody sees. */
		stage_mark(open);
		open->file->modified = time_realtime();
	}
	anonymous.a[3] |= MAP_ANONYMOUS;
	if (!result)
		result = open->file ? mmap_open(open, args) : syscall_mmap(&anonymous);
	if (open)
		open_file_put(open);
	return result;
}
