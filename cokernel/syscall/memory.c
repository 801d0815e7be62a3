/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/mman.h>

#include "channel/channel.h"
#include "fs/file_table.h"
#include "fs/mapped_file.h"
#include "fs/memory_file.h"
#include "fs/page_cache.h"
#include "mm/aspace.h"
#include "mm/local.h"
#include "mm/page.h"
#include "mm/policy.h"
#include "syscall/handlers.h"
#include "task/process.h"
#include "task/thread.h"

#define PROTECTION (ASPACE_READ | ASPACE_WRITE | ASPACE_EXEC)

/* A mapping may be so many times the enclave. */
#define ABSURD_FACTOR 64u

static struct aspace *own_aspace(void)
{
	return process_current()->aspace;
}

/* Flags of mmap(2) as those of aspace_map(). */
static unsigned int how_to_map(uint64_t flags)
{
	unsigned int how = 0;

	if (flags & MAP_FIXED_NOREPLACE)
		how |= ASPACE_FIXED_NOREPLACE;
	else if (flags & MAP_FIXED)
		how |= ASPACE_FIXED;
	if (flags & (MAP_POPULATE | MAP_LOCKED))
		how |= ASPACE_POPULATE;
	if (flags & MAP_STACK)
		how |= ASPACE_SMALL_PAGES;
	return how;
}

/*
 * A reservation is not memory, so it may be far more than there is. But what could
 * never be used is a mistake, and better found here: as on Linux, where the bound is
 * lower, ENOMEM.
 */
static bool is_absurd(uint64_t size, unsigned int prot, uint64_t flags)
{
	return (prot & ASPACE_WRITE) && !(flags & MAP_NORESERVE) &&
	       size / ABSURD_FACTOR > page_total();
}

static int64_t map_anonymous(user_addr_t address, uint64_t size, unsigned int prot, uint64_t flags)
{
	unsigned int how = how_to_map(flags);

	if (is_absurd(size, prot, flags))
		return -ENOMEM;
	/* With one address space, memory is shared with nobody but threads, as all is. */
	if ((flags & MAP_TYPE) != MAP_PRIVATE)
		how |= ASPACE_SHARED;
	return aspace_map(own_aspace(), address, size, prot, how);
}

/* What is not a regular file but can be read, like /dev/zero: a copy, made now. */
static int64_t map_copy(user_addr_t address, uint64_t size, unsigned int prot, uint64_t flags,
			int fd, uint64_t offset)
{
	int64_t at, bytes;

	at = map_anonymous(address, size, ASPACE_READ | ASPACE_WRITE, flags);
	if (at < 0)
		return at;
	bytes = forward_pread_all(fd, (user_addr_t)at, size, offset);
	if (bytes < 0) {
		aspace_unmap(own_aspace(), (user_addr_t)at, size);
		return bytes == -ESPIPE || bytes == -EISDIR ? -ENODEV : bytes;
	}
	if (prot != (ASPACE_READ | ASPACE_WRITE))
		aspace_protect(own_aspace(), (user_addr_t)at, align_up(size, PAGE_SIZE), prot);
	return at;
}

static int64_t map_own(struct open_file *open, user_addr_t address, uint64_t size,
		       unsigned int prot, uint64_t flags, uint64_t offset)
{
	unsigned int how = how_to_map(flags);

	if (offset % PAGE_SIZE != 0)
		return -EINVAL;
	if ((flags & MAP_TYPE) != MAP_PRIVATE)
		how |= ASPACE_SHARED;
	return open_file_map(open, address, size, offset, prot, how);
}

/*
 * Of a file of Linux a private mapping has what is there now, shared with other
 * tasks as far as it is not written.
 */
static int64_t map_file(user_addr_t address, uint64_t size, unsigned int prot, uint64_t flags,
			int fd, uint64_t offset)
{
	unsigned int how = how_to_map(flags);
	struct open_file *open;
	int64_t at;

	if (offset % PAGE_SIZE != 0)
		return -EINVAL;
	open = file_table_get(fd);
	if (open) {
		at = map_own(open, address, size, prot, flags, offset);
		open_file_put(open);
		return at;
	}
	if ((int64_t)offset < 0 || offset + align_up(size, PAGE_SIZE) > INT64_MAX)
		return -EOVERFLOW;
	if ((flags & MAP_TYPE) != MAP_PRIVATE) {
		at = mapped_file_map(fd, address, size, offset, prot, how);
		if (at == -ENODEV && (prot & ASPACE_WRITE))
			return at;
	} else {
		mapped_file_before_read(fd, offset, size);
		at = page_cache_map(fd, address, size, offset, prot, how);
	}
	return at == -ENODEV ? map_copy(address, size, prot, flags, fd, offset) : at;
}

static int check_map(const struct syscall_args *args)
{
	uint64_t type = args->a[3] & MAP_TYPE;

	if (args->a[1] == 0 ||
	    (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE))
		return -EINVAL;
	return args->a[1] > USER_END ? -ENOMEM : 0;
}

int64_t syscall_mmap(const struct syscall_args *args)
{
	unsigned int prot = (unsigned int)args->a[2] & PROTECTION;
	bool replaces = args->a[3] & MAP_FIXED, files;
	int64_t result = check_map(args);

	if (result)
		return result;
	files = replaces && mapped_file_in(args->a[0], args->a[1]);
	if (args->a[3] & MAP_ANONYMOUS)
		result = map_anonymous(args->a[0], args->a[1], prot, args->a[3]);
	else
		result = map_file(args->a[0], args->a[1], prot, args->a[3], (int)args->a[4],
				  args->a[5]);
	if (files)
		mapped_file_unmapped();
	return result;
}

int64_t mmap_open(struct open_file *open, const struct syscall_args *args)
{
	int error = check_map(args);

	return error ? error :
		       map_own(open, args->a[0], args->a[1], (unsigned int)args->a[2] & PROTECTION,
			       args->a[3], args->a[5]);
}

int64_t syscall_mprotect(const struct syscall_args *args)
{
	if (args->a[2] & ~(uint64_t)PROTECTION)
		return -EINVAL;
	return aspace_protect(own_aspace(), args->a[0], args->a[1], (unsigned int)args->a[2]);
}

int64_t syscall_munmap(const struct syscall_args *args)
{
	bool files = mapped_file_in(args->a[0], args->a[1]);
	int error = aspace_unmap(own_aspace(), args->a[0], args->a[1]);

	if (files)
		mapped_file_unmapped();
	return error;
}

int64_t syscall_brk(const struct syscall_args *args)
{
	return (int64_t)aspace_brk(own_aspace(), args->a[0]);
}

int64_t syscall_mremap(const struct syscall_args *args)
{
	uint64_t flags = args->a[3];
	int64_t result;
	bool files;

	if (flags & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	files = mapped_file_in(args->a[0], max_u64(args->a[1], 1));
	if (flags & MREMAP_FIXED)
		files |= mapped_file_in(args->a[4], args->a[2]);
	result = aspace_remap(own_aspace(), args->a[0], args->a[1], args->a[2],
			      (unsigned int)flags, args->a[4]);
	if (files && result >= 0)
		mapped_file_grown((user_addr_t)result, args->a[2]);
	if (files)
		mapped_file_unmapped();
	return result;
}

/* 0 if there are regions all over the range, else -ENOMEM. */
static int check_mapped(user_addr_t start, uint64_t size)
{
	user_addr_t end = start + align_up(size, PAGE_SIZE);
	struct policy policy;

	if (end < start || end > USER_END)
		return -ENOMEM;
	while (start < end) {
		if (aspace_policy(own_aspace(), start, &policy, &start) != 0)
			return -ENOMEM;
	}
	return 0;
}

int64_t syscall_msync(const struct syscall_args *args)
{
	uint64_t flags = args->a[2];
	int error;

	if (args->a[0] % PAGE_SIZE != 0 || (flags & ~(uint64_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	error = mapped_file_sync(args->a[0], args->a[1], flags & MS_SYNC);
	return error ? error : check_mapped(args->a[0], args->a[1]);
}

/* Makes all pages of a range present. */
static int touch(user_addr_t start, uint64_t size)
{
	user_addr_t at = align_down(start, PAGE_SIZE), end = start + size;
	uint8_t byte;

	if (end < start || end > USER_END)
		return -ENOMEM;
	for (; at < end; at += PAGE_SIZE) {
		mm_turn(at / PAGE_SIZE);
		if (thread_has_work(thread_current()))
			return -ERESTARTSYS;
		if (copy_from_user(&byte, at, 1) != 0)
			return -ENOMEM;
	}
	return 0;
}

int64_t syscall_madvise(const struct syscall_args *args)
{
	user_addr_t start = args->a[0];
	uint64_t size = args->a[1];

	if (start % PAGE_SIZE != 0)
		return -EINVAL;
	switch (args->a[2]) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE: /* may be given back at any time: why not now */
		return aspace_discard(own_aspace(), start, align_up(size, PAGE_SIZE));
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		return touch(start, size);
	case MADV_REMOVE:
		return aspace_remove(own_aspace(), start, align_up(size, PAGE_SIZE));
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_WIPEONFORK: /* there is no fork */
	case MADV_KEEPONFORK:
	case MADV_COLLAPSE:
		return check_mapped(start, size);
	default:
		return -EINVAL;
	}
}

int64_t syscall_mlock(const struct syscall_args *args)
{
	/* Pages that are there stay there. */
	return touch(args->a[0], args->a[1]);
}

int64_t syscall_mlock2(const struct syscall_args *args)
{
	if (args->a[2] & ~1ull)
		return -EINVAL;
	return args->a[2] ? 0 : touch(args->a[0], args->a[1]);
}

int64_t syscall_munlock(const struct syscall_args *args)
{
	(void)args;
	return 0;
}

int64_t syscall_mlockall(const struct syscall_args *args)
{
	return args->a[0] == 0 || args->a[0] & ~7ull ? -EINVAL : 0;
}

int64_t syscall_munlockall(const struct syscall_args *args)
{
	(void)args;
	return 0;
}
