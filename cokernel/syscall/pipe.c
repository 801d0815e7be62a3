/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "syscall/pipe.h"

#include <asm/ioctls.h>
#include <linux/fcntl.h>

#include "arch/user.h"
#include "channel/channel.h"
#include "fs/descriptor_name.h"
#include "fs/file_table.h"
#include "fs/memory_file.h"
#include "fs/stage_open.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "syscall/vector.h"

/* Linux moves no more in one call. */
#define MOST 0x7ffff000ull

#define CHANGEABLE (OPEN_NON_BLOCKING | OPEN_PACKETS)

struct open_file *pipe_end(int fd)
{
	struct open_file *open = file_table_get(fd);

	if (likely(!open) || open->pipe)
		return open;
	open_file_put(open);
	return NULL;
}

/* ---- reading and writing ---- */

/* Does FD still have the same file open? */
static bool is_still(int fd, const struct open_file *end)
{
	struct open_file *now = file_table_get(fd);

	if (now)
		open_file_put(now);
	return now == end;
}

/* What CURSOR has left goes to Linux, where its pipe went in the middle of a write. */
static int64_t write_rest(int fd, struct pipe_cursor *cursor)
{
	const struct vector *part;
	int64_t bytes;

	while (cursor->left > 0) {
		part = cursor->parts;
		bytes = forward_write(fd, part->base + cursor->skip,
				      min_u64(part->size - cursor->skip, cursor->left));
		if (bytes <= 0)
			break;
		pipe_cursor_advance(cursor, (uint64_t)bytes);
	}
	return (int64_t)cursor->done;
}

/* Also where nothing is to be moved, and before it waits: so Linux has it. */
static int check(const struct open_file *end, const struct vector *parts, uint64_t count,
		 bool writing)
{
	uint64_t i;

	if ((end->flags & OPEN_ACCESS) != (writing ? OPEN_WRITE_ONLY : OPEN_READ_ONLY))
		return -EBADF;
	for (i = 0; i < count; i++) {
		if (parts[i].size > USER_END || parts[i].base > USER_END - parts[i].size)
			return -EFAULT;
	}
	return 0;
}

int64_t pipe_transfer(int fd, struct open_file *end, const struct vector *parts, uint64_t count,
		      bool writing)
{
	struct pipe_cursor cursor = { .parts = parts };
	int64_t result;
	uint64_t i;

	if (pipe_is_on_linux(end->pipe))
		return PIPE_MOVED;
	result = check(end, parts, count, writing);
	if (result)
		return result;
	for (i = 0; i < count; i++)
		cursor.left += min_u64(parts[i].size, MOST - cursor.left);
	result = writing ? pipe_write(end, &cursor) : pipe_read(end, &cursor);
	if (result != PIPE_MOVED)
		return result;
	/* It has waited: the number may be another file's by now. */
	if (!is_still(fd, end))
		return cursor.done ? (int64_t)cursor.done : -EBADF;
	return cursor.done ? write_rest(fd, &cursor) : PIPE_MOVED;
}

/* ---- commands ---- */

bool pipe_fcntl(struct open_file *end, uint32_t command, uint64_t argument, int64_t *result)
{
	switch (command) {
	case F_GETPIPE_SZ:
		*result = pipe_size(end->pipe);
		break;
	case F_SETPIPE_SZ:
		*result = pipe_resize(end->pipe, argument);
		break;
	default:
		return false;
	}
	return *result != PIPE_MOVED;
}

bool pipe_ioctl(struct open_file *end, uint32_t command, user_addr_t argument, int64_t *result)
{
	int32_t bytes;

	if (command != FIONREAD)
		return false;
	*result = pipe_bytes(end->pipe);
	if (*result == PIPE_MOVED)
		return false;
	bytes = (int32_t)*result;
	if (*result >= 0)
		*result = copy_to_user(argument, &bytes, sizeof(bytes));
	return true;
}

/* Those of CHANGED become as in FLAGS. */
static void set_flags(int fd, uint32_t changed, uint32_t flags)
{
	struct open_file *end = pipe_end(fd);

	if (!end)
		return;
	__atomic_store_n(&end->flags, (end->flags & ~changed) | (flags & changed),
			 __ATOMIC_RELAXED);
	open_file_put(end);
}

void pipe_flags_are(int fd, uint64_t flags)
{
	set_flags(fd, CHANGEABLE, (uint32_t)flags);
}

void pipe_blocking_is(int fd, user_addr_t from)
{
	int32_t word;

	if (copy_from_user(&word, from, sizeof(word)) == 0)
		set_flags(fd, OPEN_NON_BLOCKING, word ? OPEN_NON_BLOCKING : 0);
}

/* ---- to Linux ---- */

int file_to_linux(int fd)
{
	struct open_file *end = pipe_end(fd);
	int error;

	if (likely(!end))
		return 0;
	error = pipe_to_linux(end, fd);
	open_file_put(end);
	return error;
}

int file_to_linux_by_name(const char *path)
{
	tid_t whose;
	int fd;

	if (likely(!file_table_any()))
		return 0;
	/* Whoever it is about, for that does no harm */
	return descriptor_name(path, &whose, &fd) ? file_to_linux(fd) : 0;
}
