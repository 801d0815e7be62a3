/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/memory_file.h"

#include "arch/time.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/heap.h"
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

/* Has the running process the bits NEED of the mode of FILE? */
static bool has_mode(const struct memory_file *file, uint32_t need)
{
	const struct process *process = process_current();
	uint32_t bits = file->mode;

	if (process->uid == file->uid)
		bits >>= 6;
	else if (process->gid == file->gid)
		bits >>= 3;
	return (bits & need) == need;
}

bool memory_file_allows(const struct memory_file *file, uint32_t flags)
{
	uint32_t access = flags & OPEN_ACCESS, need = 0;

	if (process_current()->uid == 0)
		return true;
	if (access != OPEN_WRITE_ONLY)
		need |= 4;
	if (access != OPEN_READ_ONLY || (flags & OPEN_TRUNCATE))
		need |= 2;
	return has_mode(file, need);
}

bool memory_file_allows_execution(const struct memory_file *file)
{
	return process_current()->uid == 0 ? file->mode & 0111 : has_mode(file, 5);
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
	open->file->modified = time_realtime();
	turn_end(&open->file->turn);
	return 0;
}

int64_t open_file_map(struct open_file *open, user_addr_t address, uint64_t size, uint64_t offset,
		      unsigned int prot, unsigned int flags)
{
	uint32_t access = open->flags & OPEN_ACCESS;

	if (access == OPEN_WRITE_ONLY)
		return -EACCES;
	if ((flags & ASPACE_SHARED) && access == OPEN_READ_ONLY) {
		if (prot & ASPACE_WRITE)
			return -EACCES;
		flags |= ASPACE_READ_ONLY;
	}
	if (!open->file)
		return -ENODEV;
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
