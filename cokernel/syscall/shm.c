/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shmget(2), shmat(2), shmdt(2), shmctl(2): see fs/segment.h. */
#include "arch/user.h"
#include "fs/mapped_file.h"
#include "fs/segment.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/object.h"
#include "syscall/handlers.h"
#include "task/process.h"
#include "task/thread.h"

#define ATTACH_READ_ONLY 010000u
#define ATTACH_ROUND 020000u
#define ATTACH_REPLACE 040000u
#define ATTACH_EXECUTE 0100000u

#define COMMAND_REMOVE 0u
#define COMMAND_SET 1u
#define COMMAND_STATUS 2u
#define COMMAND_LIMITS 3u
#define COMMAND_LOCK 11u
#define COMMAND_UNLOCK 12u
#define COMMAND_STATUS_AT 13u
#define COMMAND_USAGE 14u
#define COMMAND_STATUS_ANY 15u

/* struct shminfo64 of the ABI. */
struct limits {
	uint64_t most, least, segments, segments_of_process, all;
	uint64_t unused[4];
};

/* struct shm_info of the ABI. */
struct usage {
	int32_t count;
	uint64_t total, resident, swapped; /* pages */
	uint64_t unused[2];
};

int64_t syscall_shmget(const struct syscall_args *args)
{
	return segment_get((int32_t)args->a[0], args->a[1], (uint32_t)args->a[2]);
}

int64_t syscall_shmat(const struct syscall_args *args)
{
	struct aspace *aspace = process_current()->aspace;
	unsigned int prot = ASPACE_READ, flags = ASPACE_SHARED | ASPACE_SEGMENT;
	user_addr_t address = args->a[1];
	uint64_t how = args->a[2], size;
	struct object *object;
	int64_t result;
	bool files;

	if (address % PAGE_SIZE != 0 && !(how & ATTACH_ROUND))
		return -EINVAL;
	address = align_down(address, PAGE_SIZE);
	if (address == 0 && (how & ATTACH_REPLACE))
		return -EINVAL;
	if (address != 0)
		flags |= how & ATTACH_REPLACE ? ASPACE_FIXED : ASPACE_FIXED_NOREPLACE;
	if (how & ATTACH_READ_ONLY)
		flags |= ASPACE_READ_ONLY;
	else
		prot |= ASPACE_WRITE;
	if (how & ATTACH_EXECUTE)
		prot |= ASPACE_EXEC;
	result = segment_attach((int32_t)args->a[0], !(how & ATTACH_READ_ONLY), &object, &size);
	if (result)
		return result;
	files = (flags & ASPACE_FIXED) && mapped_file_in(address, size);
	result = aspace_map_object(aspace, address, size, prot, flags, object, 0);
	object_put(object);
	if (files)
		mapped_file_unmapped();
	return result == -EEXIST ? -EINVAL : result;
}

int64_t syscall_shmdt(const struct syscall_args *args)
{
	struct object *object;
	int error;

	if (args->a[0] % PAGE_SIZE != 0)
		return -EINVAL;
	error = aspace_detach(process_current()->aspace, args->a[0], &object);
	if (error)
		return error;
	segment_detached(object);
	object_put(object);
	return 0;
}

static int64_t put_limits(user_addr_t to)
{
	struct limits limits = {
		.most = OBJECT_MOST,
		.least = 1,
		.segments = 4096,
		.segments_of_process = 4096,
		.all = OBJECT_MOST / PAGE_SIZE,
	};
	unsigned int count;
	uint64_t bytes, resident;
	int highest = segment_usage(&count, &bytes, &resident);

	return copy_to_user(to, &limits, sizeof(limits)) != 0 ? -EFAULT : highest;
}

static int64_t put_usage(user_addr_t to)
{
	struct usage usage;
	unsigned int count;
	uint64_t bytes, resident;
	int highest = segment_usage(&count, &bytes, &resident);

	memset(&usage, 0, sizeof(usage));
	usage.count = (int32_t)count;
	usage.total = align_up(bytes, PAGE_SIZE) / PAGE_SIZE;
	usage.resident = resident / PAGE_SIZE;
	return copy_to_user(to, &usage, sizeof(usage)) != 0 ? -EFAULT : highest;
}

static int64_t put_status(int32_t id, uint32_t command, user_addr_t to)
{
	struct segment_status status;
	int64_t result;

	if (command == COMMAND_STATUS)
		result = segment_status(id, &status);
	else
		result = segment_status_at((unsigned int)id, command == COMMAND_STATUS_ANY, &status);
	if (result < 0)
		return result;
	return copy_to_user(to, &status, sizeof(status)) != 0 ? -EFAULT : result;
}

int64_t syscall_shmctl(const struct syscall_args *args)
{
	int32_t id = (int32_t)args->a[0];
	struct segment_status status;

	switch ((uint32_t)args->a[1]) {
	case COMMAND_REMOVE:
		return segment_remove(id);
	case COMMAND_SET:
		if (copy_from_user(&status, args->a[2], sizeof(status)) != 0)
			return -EFAULT;
		return segment_set(id, status.uid, status.gid, status.mode);
	case COMMAND_STATUS:
	case COMMAND_STATUS_AT:
	case COMMAND_STATUS_ANY:
		return put_status(id, (uint32_t)args->a[1], args->a[2]);
	case COMMAND_LIMITS:
		return put_limits(args->a[2]);
	case COMMAND_USAGE:
		return put_usage(args->a[2]);
	case COMMAND_LOCK: /* nothing is ever swapped */
	case COMMAND_UNLOCK:
		return segment_status(id, &status) == -EINVAL ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}
