/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in memory files: to and from programs, the loader and Linux. */
#include "arch/time.h"
#include "arch/user.h"
#include "fs/memory_file.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/local.h"
#include "mm/object.h"
#include "syscall/vector.h"
#include "task/process.h"
#include "task/thread.h"

/* ---- contents; the turn is the caller's, so no page goes away meanwhile ---- */

/* Up to the end of a page. Bytes, -EFAULT or -ENOMEM. */
static int64_t read_page(struct object *object, user_addr_t to, uint64_t size, uint64_t offset)
{
	uint64_t left = min_u64(size, PAGE_SIZE - offset % PAGE_SIZE);
	const void *memory;

	/* A hole need not be filled to be read. */
	if (!object_has(object, offset))
		return clear_user(to, left) != 0 ? -EFAULT : (int64_t)left;
	memory = object_memory(object, offset, &left);
	if (!memory)
		return -ENOMEM;
	left = min_u64(left, size);
	return copy_to_user(to, memory, left) != 0 ? -EFAULT : (int64_t)left;
}

static int64_t write_page(struct object *object, user_addr_t from, uint64_t size, uint64_t offset)
{
	uint64_t left;
	void *memory = object_memory(object, offset, &left);

	if (!memory)
		return -ENOSPC;
	left = min_u64(left, size);
	return copy_from_user(memory, from, left) != 0 ? -EFAULT : (int64_t)left;
}

static int64_t transfer(struct object *object, user_addr_t memory, uint64_t size, uint64_t offset,
			bool write)
{
	uint64_t done = 0;
	int64_t bytes = 0;

	while (done < size && !process_current()->ending) {
		/* Long copies must not keep other CPUs waiting for an answer of this one. */
		if (done % LARGE_PAGE_SIZE < PAGE_SIZE)
			mm_turn(0);
		if (write)
			bytes = write_page(object, memory + done, size - done, offset + done);
		else
			bytes = read_page(object, memory + done, size - done, offset + done);
		if (bytes < 0)
			break;
		done += (uint64_t)bytes;
	}
	return done != 0 || bytes >= 0 ? (int64_t)done : bytes;
}

static int64_t read_locked(struct open_file *open, user_addr_t to, uint64_t size, uint64_t offset)
{
	struct object *object = open->file->object;
	uint64_t at = offset == FILE_POSITION ? open->position : offset;
	uint64_t end = object_size(object);
	int64_t bytes;

	if (at >= end)
		return 0;
	bytes = transfer(object, to, min_u64(size, end - at), at, false);
	if (bytes > 0 && offset == FILE_POSITION)
		open->position += (uint64_t)bytes;
	return bytes;
}

/*
 * A write has ended at AT, in the middle of what it was asked to: what it may have left in
 * that page is not seen when the file grows over it.
 */
static void clear_rest(struct object *object, uint64_t at)
{
	uint64_t end = align_down(at, PAGE_SIZE) + PAGE_SIZE;

	at = max_u64(at, object_size(object));
	if (at < end)
		object_clear(object, at, end);
}

static int64_t write_locked(struct open_file *open, user_addr_t from, uint64_t size,
			    uint64_t offset)
{
	struct object *object = open->file->object;
	uint64_t at = offset == FILE_POSITION ? open->position : offset;
	int64_t bytes;

	if (open->flags & OPEN_APPEND)
		at = object_size(object);
	if (at >= OBJECT_MOST)
		return -EFBIG;
	size = min_u64(size, OBJECT_MOST - at);
	bytes = transfer(object, from, size, at, true);
	if (bytes < (int64_t)size)
		clear_rest(object, at + (bytes < 0 ? 0 : (uint64_t)bytes));
	if (bytes <= 0)
		return bytes;
	if (at + (uint64_t)bytes > object_size(object))
		object_resize(object, at + (uint64_t)bytes);
	if (offset == FILE_POSITION)
		open->position = at + (uint64_t)bytes;
	open->file->modified = time_realtime();
	return bytes;
}

/* In the turn. */
static int64_t move_parts(struct open_file *open, const struct vector *parts, uint64_t count,
			  uint64_t offset, bool writing)
{
	uint64_t done = 0, at, i;
	int64_t bytes = 0;

	for (i = 0; i < count && bytes >= 0; i++) {
		if (parts[i].size == 0)
			continue;
		at = offset == FILE_POSITION ? offset : offset + done;
		bytes = writing ? write_locked(open, parts[i].base, parts[i].size, at) :
				  read_locked(open, parts[i].base, parts[i].size, at);
		done += bytes > 0 ? (uint64_t)bytes : 0;
		if (bytes != (int64_t)parts[i].size)
			break;
	}
	return done ? (int64_t)done : bytes;
}

int64_t open_file_read_parts(struct open_file *open, const struct vector *parts, uint64_t count,
			     uint64_t offset)
{
	int64_t result;

	if ((open->flags & OPEN_ACCESS) == OPEN_WRITE_ONLY)
		return -EBADF;
	result = turn_take(&open->file->turn);
	if (result)
		return result;
	result = move_parts(open, parts, count, offset, false);
	turn_end(&open->file->turn);
	return result;
}

int64_t open_file_write_parts(struct open_file *open, const struct vector *parts,
			      uint64_t count, uint64_t offset)
{
	int64_t result;

	if ((open->flags & OPEN_ACCESS) == OPEN_READ_ONLY)
		return -EBADF;
	result = turn_take(&open->file->turn);
	if (result)
		return result;
	result = move_parts(open, parts, count, offset, true);
	turn_end(&open->file->turn);
	return result;
}

int64_t open_file_read(struct open_file *open, user_addr_t to, uint64_t size, uint64_t offset)
{
	const struct vector part = { to, size };

	return open_file_read_parts(open, &part, 1, offset);
}

int64_t open_file_write(struct open_file *open, user_addr_t from, uint64_t size, uint64_t offset)
{
	const struct vector part = { from, size };

	return open_file_write_parts(open, &part, 1, offset);
}

int64_t memory_file_read_user(struct memory_file *file, user_addr_t to, uint64_t size,
			      uint64_t offset)
{
	int64_t result = turn_take(&file->turn);
	uint64_t end;

	if (result)
		return result;
	end = object_size(file->object);
	if (offset < end)
		result = transfer(file->object, to, min_u64(size, end - offset), offset, false);
	turn_end(&file->turn);
	return result;
}

/* In the file's turn. */
static int64_t read_kernel(struct object *object, uint8_t *to, uint64_t size, uint64_t offset)
{
	uint64_t end = object_size(object), done = 0, left;
	const void *memory;

	if (offset >= end)
		return 0;
	size = min_u64(size, end - offset);
	for (; done < size; done += left) {
		/* A hole need not be filled to be read. */
		if (!object_has(object, offset + done)) {
			left = min_u64(size - done, PAGE_SIZE - (offset + done) % PAGE_SIZE);
			memset(to + done, 0, left);
			continue;
		}
		memory = object_memory(object, offset + done, &left);
		if (!memory)
			return -ENOMEM;
		left = min_u64(left, size - done);
		memcpy(to + done, memory, left);
	}
	return (int64_t)done;
}

int64_t memory_file_read(struct memory_file *file, void *to, uint64_t size, uint64_t offset)
{
	int64_t result;

	turn_take_certain(&file->turn);
	result = read_kernel(file->object, to, size, offset);
	turn_end(&file->turn);
	return result;
}

int memory_file_write(struct memory_file *file, const void *from, uint64_t size, uint64_t offset)
{
	int error;

	turn_take_certain(&file->turn);
	error = object_write(file->object, offset, from, size);
	turn_end(&file->turn);
	return error;
}
