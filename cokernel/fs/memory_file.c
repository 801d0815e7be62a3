/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/memory_file.h"

#include "arch/time.h"
#include "arch/user.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/heap.h"
#include "mm/local.h"
#include "mm/object.h"
#include "task/process.h"
#include "task/thread.h"

#define WHENCE_SET 0u
#define WHENCE_CURRENT 1u
#define WHENCE_END 2u

/* Of fallocate(2). */
#define KEEP_SIZE 1u
#define PUNCH_HOLE 2u

/* Of /dev/shm as fstat(2) tells it: a device that Linux has no file system on. */
#define DEVICE 0xff01u

static uint64_t last_inode;

struct memory_file *memory_file_create(uint32_t mode)
{
	struct memory_file *file = heap_alloc_zero(sizeof(*file));

	if (!file)
		return NULL;
	file->object = object_create(OBJECT_MEMORY, 0);
	if (!file->object) {
		heap_free(file);
		return NULL;
	}
	turn_init(&file->turn);
	file->references = 1;
	file->inode = __atomic_add_fetch(&last_inode, 1, __ATOMIC_RELAXED);
	file->mode = MODE_REGULAR | (mode & 07777u);
	file->uid = process_current()->uid;
	file->gid = process_current()->gid;
	file->modified = time_realtime();
	return file;
}

void memory_file_get(struct memory_file *file)
{
	__atomic_fetch_add(&file->references, 1, __ATOMIC_RELAXED);
}

void memory_file_put(struct memory_file *file)
{
	if (__atomic_fetch_sub(&file->references, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	object_put(file->object);
	heap_free(file);
}

bool memory_file_allows(const struct memory_file *file, uint32_t flags)
{
	const struct process *process = process_current();
	uint32_t access = flags & OPEN_ACCESS, need = 0, bits = file->mode;

	if (process->uid == 0)
		return true;
	if (access != OPEN_WRITE_ONLY)
		need |= 4;
	if (access != OPEN_READ_ONLY || (flags & OPEN_TRUNCATE))
		need |= 2;
	if (process->uid == file->uid)
		bits >>= 6;
	else if (process->gid == file->gid)
		bits >>= 3;
	return (bits & need) == need;
}

struct open_file *open_file_create(struct memory_file *file, uint32_t flags)
{
	struct open_file *open = heap_alloc_zero(sizeof(*open));

	if (!open) {
		if (file)
			memory_file_put(file);
		return NULL;
	}
	open->references = 1;
	open->file = file;
	open->flags = flags;
	return open;
}

void open_file_get(struct open_file *open)
{
	__atomic_fetch_add(&open->references, 1, __ATOMIC_RELAXED);
}

void open_file_put(struct open_file *open)
{
	if (__atomic_fetch_sub(&open->references, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	if (open->release)
		open->release(open);
	if (open->file)
		memory_file_put(open->file);
	heap_free(open);
}

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

int64_t open_file_read(struct open_file *open, user_addr_t to, uint64_t size, uint64_t offset)
{
	int64_t result;

	if ((open->flags & OPEN_ACCESS) == OPEN_WRITE_ONLY)
		return -EBADF;
	result = turn_take(&open->file->turn);
	if (result)
		return result;
	result = read_locked(open, to, size, offset);
	turn_end(&open->file->turn);
	return result;
}

int64_t open_file_write(struct open_file *open, user_addr_t from, uint64_t size, uint64_t offset)
{
	int64_t result;

	if ((open->flags & OPEN_ACCESS) == OPEN_READ_ONLY)
		return -EBADF;
	result = turn_take(&open->file->turn);
	if (result)
		return result;
	result = write_locked(open, from, size, offset);
	turn_end(&open->file->turn);
	return result;
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

int64_t open_file_seek(struct open_file *open, int64_t offset, unsigned int whence)
{
	int64_t base, result = turn_take(&open->file->turn);

	if (result)
		return result;
	switch (whence) {
	case WHENCE_SET:
		base = 0;
		break;
	case WHENCE_CURRENT:
		base = (int64_t)open->position;
		break;
	case WHENCE_END:
		base = (int64_t)object_size(open->file->object);
		break;
	default:
		base = INT64_MAX;
		offset = 1;
		break;
	}
	if (__builtin_add_overflow(base, offset, &result) || result < 0)
		result = -EINVAL;
	else
		open->position = (uint64_t)result;
	turn_end(&open->file->turn);
	return result;
}

int64_t open_file_resize(struct open_file *open, int64_t size)
{
	int64_t error;

	if (size < 0 || (open->flags & OPEN_ACCESS) == OPEN_READ_ONLY)
		return -EINVAL;
	if ((uint64_t)size > OBJECT_MOST)
		return -EFBIG;
	error = turn_take(&open->file->turn);
	if (error)
		return error;
	object_resize(open->file->object, (uint64_t)size);
	open->file->modified = time_realtime();
	turn_end(&open->file->turn);
	return 0;
}

int64_t open_file_allocate(struct open_file *open, uint32_t mode, int64_t offset, int64_t size)
{
	struct object *object = open->file->object;
	uint64_t end;
	int64_t error;

	if (offset < 0 || size <= 0)
		return -EINVAL;
	if ((open->flags & OPEN_ACCESS) == OPEN_READ_ONLY)
		return -EBADF;
	if (mode & ~(KEEP_SIZE | PUNCH_HOLE))
		return -EOPNOTSUPP;
	end = (uint64_t)offset + (uint64_t)size;
	if (end > OBJECT_MOST)
		return -EFBIG;
	error = turn_take(&open->file->turn);
	if (error)
		return error;
	/* Pages come when they are touched; what is promised here is only the size. */
	if (mode & PUNCH_HOLE)
		object_clear(object, (uint64_t)offset, end);
	else if (!(mode & KEEP_SIZE) && end > object_size(object))
		object_resize(object, end);
	turn_end(&open->file->turn);
	return 0;
}

int64_t open_file_map(struct open_file *open, user_addr_t address, uint64_t size, uint64_t offset,
		      unsigned int prot, unsigned int flags)
{
	uint32_t access = open->flags & OPEN_ACCESS;

	if (!open->file)
		return -ENODEV;
	if (access == OPEN_WRITE_ONLY)
		return -EACCES;
	if ((flags & ASPACE_SHARED) && access == OPEN_READ_ONLY) {
		if (prot & ASPACE_WRITE)
			return -EACCES;
		flags |= ASPACE_READ_ONLY;
	}
	if (offset > OBJECT_MOST || size > OBJECT_MOST)
		return -EOVERFLOW;
	return aspace_map_object(process_current()->aspace, address, size, prot, flags,
				 open->file->object, offset);
}

void memory_file_status(const struct memory_file *file, struct user_stat *status)
{
	uint64_t time = file->modified;

	memset(status, 0, sizeof(*status));
	status->device = DEVICE;
	status->inode = file->inode;
	status->links = file->links;
	status->mode = file->mode;
	status->uid = file->uid;
	status->gid = file->gid;
	status->size = (int64_t)object_size(file->object);
	status->block_size = PAGE_SIZE;
	status->blocks = (int64_t)(object_resident(file->object) / 512);
	status->accessed = status->modified = status->changed = time / NSEC_PER_SEC;
	status->accessed_nsec = status->modified_nsec = status->changed_nsec = time % NSEC_PER_SEC;
}
