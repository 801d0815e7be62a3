/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Staged I/O: from one descriptor to another, without the program's memory. */
#include "arch/time.h"
#include "fs/file_table.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/local.h"
#include "mm/object.h"
#include "syscall/staged.h"
#include "task/process.h"
#include "task/thread.h"

#define MOST 0x7ffff000ull

/* The position at WORD of the program; without, that of the descriptor. */
static int load_offset(user_addr_t word, uint64_t *offset)
{
	*offset = FILE_POSITION;
	if (!word)
		return 0;
	if (copy_from_user(offset, word, sizeof(*offset)) != 0)
		return -EFAULT;
	return (int64_t)*offset < 0 ? -EINVAL : 0;
}

static int store_offset(user_addr_t word, uint64_t offset)
{
	return word ? copy_to_user(word, &offset, sizeof(offset)) : 0;
}

/* Files' contents, page by page, in both files' turns. Bytes, or -errno if there are none. */
static int64_t copy(struct open_file *from, uint64_t at, struct open_file *to, uint64_t offset,
		    uint64_t size)
{
	uint64_t end = object_size(from->file->object), done = 0, left;
	const void *memory;
	int error = 0;

	size = at >= end ? 0 : min_u64(size, end - at);
	if (size != 0 && (offset >= OBJECT_MOST || size > OBJECT_MOST - offset))
		return -EFBIG;
	for (; done < size && !error && !process_current()->ending; done += left) {
		mm_turn(done / PAGE_SIZE);
		memory = object_memory(from->file->object, at + done, &left);
		if (!memory)
			error = -ENOSPC;
		left = memory ? min_u64(left, size - done) : 0;
		if (memory && object_write(to->file->object, offset + done, memory, left) != 0) {
			error = -ENOSPC;
			left = 0;
		}
	}
	if (done != 0) {
		if (offset + done > object_size(to->file->object))
			object_resize(to->file->object, offset + done);
		to->file->modified = time_realtime();
		stage_mark(to);
	}
	return done ? (int64_t)done : error;
}

/* Both turns, always in the same order; files that are one have one. 0, or -errno with none. */
static int take_turns(struct memory_file *a, struct memory_file *b)
{
	struct memory_file *first = a < b ? a : b, *second = a < b ? b : a;
	int error = turn_take(&first->turn);

	if (error || first == second)
		return error;
	error = turn_take(&second->turn);
	if (error)
		turn_end(&first->turn);
	return error;
}

static void end_turns(struct memory_file *a, struct memory_file *b)
{
	turn_end(&a->turn);
	if (a != b)
		turn_end(&b->turn);
}

/* AT and OFFSET: where, or FILE_POSITION; afterwards, where it was. In both turns. */
static int64_t copy_in_turns(struct open_file *from, uint64_t *at, struct open_file *to,
			     uint64_t *offset, uint64_t size, bool can_overlap)
{
	bool move_from = *at == FILE_POSITION, move_to = *offset == FILE_POSITION;
	int64_t result;

	if (move_from)
		*at = from->position;
	if (to->flags & OPEN_APPEND)
		*offset = object_size(to->file->object);
	else if (move_to)
		*offset = to->position;
	if (from->file == to->file && !can_overlap && *at < *offset + size && *offset < *at + size)
		return -EINVAL;
	result = copy(from, *at, to, *offset, size);
	if (result > 0 && move_from)
		from->position = *at + (uint64_t)result;
	if (result > 0 && move_to)
		to->position = *offset + (uint64_t)result;
	return result;
}

static int64_t copy_between(struct open_file *from, user_addr_t from_word, struct open_file *to,
			    user_addr_t to_word, uint64_t size, bool can_overlap)
{
	uint64_t at, offset;
	int64_t result = load_offset(from_word, &at);

	if (result == 0)
		result = load_offset(to_word, &offset);
	if (result == 0)
		result = take_turns(from->file, to->file);
	if (result)
		return result;
	result = copy_in_turns(from, &at, to, &offset, min_u64(size, MOST), can_overlap);
	end_turns(from->file, to->file);
	if (result > 0 && (store_offset(from_word, at + (uint64_t)result) != 0 ||
			   store_offset(to_word, offset + (uint64_t)result) != 0))
		return -EFAULT;
	return result;
}

static int check(const struct open_file *from, const struct open_file *to)
{
	if (!from || !to || ((from->flags | to->flags) & OPEN_PATH) ||
	    (from->flags & OPEN_ACCESS) == OPEN_WRITE_ONLY ||
	    (to->flags & OPEN_ACCESS) == OPEN_READ_ONLY)
		return -EBADF;
	/* A stream, a device: the program reads and writes instead. */
	return from->file && to->file ? 0 : -EINVAL;
}

static int64_t copy_descriptors(int from_fd, user_addr_t from_word, int to_fd,
				user_addr_t to_word, uint64_t size, bool append)
{
	struct open_file *from = file_table_get(from_fd), *to = file_table_get(to_fd);
	int64_t result = check(from, to);

	if (!result && !append && (to->flags & OPEN_APPEND))
		result = -EBADF;
	if (!result)
		result = copy_between(from, from_word, to, to_word, size, append);
	if (from)
		open_file_put(from);
	if (to)
		open_file_put(to);
	return result;
}

int64_t staged_sendfile(const struct syscall_args *args)
{
	return copy_descriptors((int)args->a[1], args->a[2], (int)args->a[0], 0, args->a[3], true);
}

int64_t staged_copy_file_range(const struct syscall_args *args)
{
	if (args->a[5] != 0)
		return -EINVAL;
	return copy_descriptors((int)args->a[0], args->a[1], (int)args->a[2], args->a[3],
				args->a[4], false);
}
