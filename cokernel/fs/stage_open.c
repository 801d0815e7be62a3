/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/stage_open.h"

#include "arch/user.h"
#include "fs/memory_file.h"
#include "fs/pipe.h"
#include "fs/stage_log.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/local.h"
#include "mm/object.h"
#include "syscall/random.h"
#include "syscall/vector.h"
#include "task/process.h"
#include "task/thread.h"

#define PIECE 256u /* random bytes that are made at a time */

static bool can_write(uint32_t flags)
{
	return (flags & OPEN_ACCESS) != OPEN_READ_ONLY && !(flags & OPEN_PATH);
}

static void release(struct open_file *open)
{
	if (open->file && can_write(open->flags))
		__atomic_fetch_sub(&open->node->writers, 1, __ATOMIC_RELEASE);
	stage_node_put(open->node);
}

int stage_open(struct stage_node *node, uint32_t flags, struct open_file **result)
{
	struct memory_file *file = node->file;
	struct open_file *open;
	int error = 0;

	/* By its descriptor's name in /proc: it has two ends, and no more. */
	if (node->device == STAGE_PIPE) {
		stage_node_put(node);
		return -ENXIO;
	}
	if (file) {
		memory_file_get(file);
	} else if (node->own && !stage_is_directory(node)) {
		file = stage_own_read(node);
		if (!file) {
			stage_node_put(node);
			return -ENOMEM;
		}
	}
	open = open_file_create(file, flags);
	if (!open) {
		stage_node_put(node);
		return -ENOMEM;
	}
	open->node = node;
	open->release = release;
	if (file && can_write(flags))
		__atomic_fetch_add(&node->writers, 1, __ATOMIC_ACQUIRE);
	if (file && (flags & OPEN_TRUNCATE) && can_write(flags))
		error = (int)stage_resize(open, 0);
	if (error)
		open_file_put(open);
	else
		*result = open;
	return error;
}

/* ---- devices ---- */

static int64_t read_random(user_addr_t to, uint64_t size)
{
	uint8_t bytes[PIECE];
	uint64_t done = 0, piece;
	int error;

	while (done < size && !process_current()->ending) {
		mm_turn(done / PIECE);
		piece = min_u64(size - done, sizeof(bytes));
		error = random_bytes(bytes, piece);
		if (error)
			return done ? (int64_t)done : error;
		if (copy_to_user(to + done, bytes, piece) != 0)
			return done ? (int64_t)done : -EFAULT;
		done += piece;
	}
	return (int64_t)done;
}

static int64_t read_zero(user_addr_t to, uint64_t size)
{
	uint64_t done = 0, piece;

	for (; done < size && !process_current()->ending; done += piece) {
		mm_turn(0);
		piece = min_u64(size - done, LARGE_PAGE_SIZE);
		if (clear_user(to + done, piece) != 0)
			return done ? (int64_t)done : -EFAULT;
	}
	return (int64_t)done;
}

static int64_t read_part(const struct stage_node *node, user_addr_t to, uint64_t size)
{
	switch (node->device) {
	case STAGE_NULL:
		return 0;
	case STAGE_ZERO:
	case STAGE_FULL:
		return read_zero(to, size);
	case STAGE_RANDOM:
		return read_random(to, size);
	default:
		return -EBADF;
	}
}

static int64_t read_device(const struct stage_node *node, const struct vector *parts,
			   uint64_t count)
{
	int64_t bytes = read_part(node, 0, 0), done = 0;
	uint64_t i;

	for (i = 0; i < count && bytes >= 0; i++) {
		bytes = read_part(node, parts[i].base, parts[i].size);
		done += bytes > 0 ? bytes : 0;
		if (bytes != (int64_t)parts[i].size)
			break;
	}
	return done ? done : bytes;
}

static int64_t write_device(const struct stage_node *node, const struct vector *parts,
			    uint64_t count)
{
	int64_t bytes = 0;
	uint64_t i;

	if (node->device == STAGE_OUTPUT)
		return stage_log_write(node->log, node->stream, parts, count);
	for (i = 0; i < count; i++)
		bytes += (int64_t)parts[i].size;
	return node->device == STAGE_FULL ? -ENOSPC : bytes;
}

/* ---- */

int64_t stage_read(struct open_file *open, const struct vector *parts, uint64_t count,
		   uint64_t offset)
{
	if ((open->flags & OPEN_PATH) || (open->flags & OPEN_ACCESS) == OPEN_WRITE_ONLY)
		return -EBADF;
	if (open->file)
		return open_file_read_parts(open, parts, count, offset);
	if (stage_is_directory(open->node))
		return -EISDIR;
	return read_device(open->node, parts, count);
}

int64_t stage_write(struct open_file *open, const struct vector *parts, uint64_t count,
		    uint64_t offset)
{
	int64_t result;

	if ((open->flags & OPEN_PATH) || (open->flags & OPEN_ACCESS) == OPEN_READ_ONLY)
		return -EBADF;
	if (!open->file)
		return write_device(open->node, parts, count);
	result = open_file_write_parts(open, parts, count, offset);
	if (result > 0)
		stage_mark(open);
	return result;
}

int64_t stage_seek(struct open_file *open, int64_t offset, unsigned int whence)
{
	if (open->flags & OPEN_PATH)
		return -EBADF;
	if (open->file)
		return open_file_seek(open, offset, whence);
	if (stage_is_pipe(open->node))
		return pipe_seek(whence);
	if (!stage_is_directory(open->node))
		return 0;
	/* What getdents64(2) has said, or the start. */
	if (whence > 1 ||
	    (whence == 1 && __builtin_add_overflow(offset, (int64_t)open->position, &offset)) ||
	    offset < 0)
		return -EINVAL;
	open->position = (uint64_t)offset;
	return offset;
}

int64_t stage_resize(struct open_file *open, int64_t size)
{
	int64_t result;

	if (open->flags & OPEN_PATH)
		return -EBADF;
	if (!open->file)
		return -EINVAL;
	result = open_file_resize(open, size);
	if (result == 0)
		stage_mark(open);
	return result;
}

int64_t stage_allocate(struct open_file *open, uint32_t mode, int64_t offset, int64_t size)
{
	int64_t result;

	if ((open->flags & OPEN_PATH) ||
	    (open->pipe && (open->flags & OPEN_ACCESS) == OPEN_READ_ONLY))
		return -EBADF;
	if (!open->file)
		return stage_is_pipe(open->node) ? -ESPIPE : -ENODEV;
	result = open_file_allocate(open, mode, offset, size);
	if (result == 0)
		stage_mark(open);
	return result;
}

void stage_mark(struct open_file *open)
{
	if (open->node && !open->node->own)
		__atomic_store_n(&open->node->dirty, true, __ATOMIC_RELEASE);
}

void stage_status(const struct open_file *open, struct user_stat *status)
{
	if (open->node)
		stage_node_status(open->node, status);
	else
		memory_file_status(open->file, status);
}
