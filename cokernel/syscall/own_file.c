/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls on descriptors that may be memory files, or ends of pipes: their numbers are the
 * proxy's in any case, so what makes, copies and closes descriptors is forwarded, and then
 * noted.
 */
#include "syscall/own_file.h"

#include <asm/unistd_64.h>

#include "channel/channel.h"
#include "fs/file_table.h"
#include "fs/linux.h"
#include "fs/mapped_file.h"
#include "fs/memory_file.h"
#include "fs/shared_names.h"
#include "fs/stage_open.h"
#include "lib/print.h"
#include "syscall/describe.h"
#include "syscall/handlers.h"
#include "syscall/pipe.h"
#include "syscall/vector.h"
#include "task/process.h"
#include "task/signal_file.h"
#include "task/thread.h"

#define MEMFD_CLOSE_ON_EXEC 1u
#define MEMFD_FLAGS 0x1fu

/* Longest name of memfd_create(2), with NUL. */
#define MEMFD_NAME_MOST 250u

/* That of FD with a reference if it is a memory file, or NULL. */
static struct open_file *get_memory_file(int fd)
{
	struct open_file *open = file_table_get(fd);

	if (likely(!open) || open->file)
		return open;
	open_file_put(open);
	return NULL;
}

bool file_is_own(int fd)
{
	struct open_file *open = get_memory_file(fd);

	if (!open)
		return false;
	open_file_put(open);
	return true;
}

/* Of OPEN, of whichever kind; PIPE_MOVED: what FD is now is Linux's. */
static int64_t transfer(int fd, struct open_file *open, user_addr_t memory, uint64_t size,
			bool writing)
{
	const struct vector part = { memory, size };
	int64_t result;

	if (open->pipe)
		result = pipe_transfer(fd, open, &part, 1, writing);
	else if (writing)
		result = open_file_write(open, memory, size, FILE_POSITION);
	else
		result = open_file_read(open, memory, size, FILE_POSITION);
	open_file_put(open);
	return result;
}

int64_t file_read(int fd, user_addr_t to, uint64_t size)
{
	struct open_file *open = file_table_get(fd);
	struct signal_file *signals;
	int64_t result = PIPE_MOVED;

	if (open)
		result = transfer(fd, open, to, size, false);
	if (result != PIPE_MOVED)
		return result;
	signals = signal_file_get(fd);
	if (unlikely(signals != NULL)) {
		result = signal_file_read(fd, signals, to, size);
		signal_file_put(signals);
		return result;
	}
	mapped_file_before_read(fd, MAPPED_POSITION, size);
	return forward_read(fd, to, size);
}

int64_t file_write(int fd, user_addr_t from, uint64_t size)
{
	struct open_file *open = file_table_get(fd);
	int64_t result = PIPE_MOVED;

	if (open)
		result = transfer(fd, open, from, size, true);
	if (result != PIPE_MOVED)
		return result;
	result = forward_write(fd, from, size);
	mapped_file_after_write(fd, MAPPED_POSITION, result);
	return result;
}

int64_t file_pread(int fd, user_addr_t to, uint64_t size, uint64_t offset)
{
	struct open_file *open = get_memory_file(fd);
	int64_t result;

	if (!open) {
		mapped_file_before_read(fd, offset, size);
		return forward_pread(fd, to, size, offset);
	}
	result = (int64_t)offset < 0 ? -EINVAL : open_file_read(open, to, size, offset);
	open_file_put(open);
	return result;
}

int64_t file_pwrite(int fd, user_addr_t from, uint64_t size, uint64_t offset)
{
	struct open_file *open = get_memory_file(fd);
	int64_t result;

	if (!open) {
		result = forward_pwrite(fd, from, size, offset);
		mapped_file_after_write(fd, offset, result);
		return result;
	}
	result = (int64_t)offset < 0 ? -EINVAL : open_file_write(open, from, size, offset);
	open_file_put(open);
	return result;
}

/* ---- descriptors that come and go ---- */

/* A descriptor for FILE, whose reference is taken over; FLAGS of open(2). */
static int64_t new_descriptor(const char *name, uint64_t memfd_flags, struct memory_file *file,
			      uint32_t flags)
{
	int64_t fd = linux_call_with_name(__NR_memfd_create, name, memfd_flags);
	struct open_file *open;

	if (fd < 0) {
		memory_file_put(file);
		return fd;
	}
	open = open_file_create(file, flags);
	if (open && file_table_set((int)fd, open) == 0)
		return fd;
	linux_close(fd);
	return -ENOMEM;
}

int64_t syscall_memfd_create(const struct syscall_args *args)
{
	char name[MEMFD_NAME_MOST];
	struct memory_file *file;
	long length = string_from_user(name, args->a[0], sizeof(name));

	if (args->a[1] & ~(uint64_t)MEMFD_FLAGS)
		return -EINVAL;
	if (length < 0)
		return length == -ENAMETOOLONG ? -EINVAL : length;
	file = memory_file_create(0777);
	if (!file)
		return -ENOMEM;
	return new_descriptor(name, args->a[1], file, OPEN_READ_WRITE);
}

/* The proxy has the same, for files of Linux. */
int64_t syscall_umask(const struct syscall_args *args)
{
	static const struct description description = { __NR_umask, { VALUE } };
	int64_t result = describe_call(&description, args->a);

	if (result >= 0)
		__atomic_store_n(&process_current()->umask, args->a[0] & 0777, __ATOMIC_RELAXED);
	return result;
}

/* open(2) of FILE, whose reference is taken over. */
static int64_t open_memory_file(const char *name, struct memory_file *file, uint32_t flags,
				bool is_new)
{
	int64_t fd = new_descriptor(name, flags & OPEN_CLOSE_ON_EXEC ? MEMFD_CLOSE_ON_EXEC : 0,
				    file, flags);
	struct open_file *open;

	if (fd < 0 || is_new || !(flags & OPEN_TRUNCATE))
		return fd;
	open = get_memory_file((int)fd);
	if (open) {
		open_file_resize(open, 0);
		open_file_put(open);
	}
	return fd;
}

/* open(2) of what is open already and has a name in /proc: FILE, whose reference is taken over. */
static int64_t open_again(struct memory_file *file, uint32_t flags)
{
	int64_t error = 0;

	if ((flags & OPEN_CREATE) && (flags & OPEN_EXCLUSIVE))
		error = -EEXIST;
	else if (flags & OPEN_NO_FOLLOW)
		error = -ELOOP;
	else if (flags & OPEN_DIRECTORY)
		error = -ENOTDIR;
	else if (!memory_file_allows(file, flags))
		error = -EACCES;
	if (error == 0)
		return open_memory_file("again", file, flags, false);
	memory_file_put(file);
	return error;
}

bool own_file_open(const char *path, uint32_t flags, uint32_t mode, int64_t *result)
{
	const char *name = shared_name(path);
	struct memory_file *file;
	bool is_new;

	if (!name) {
		file = flags & OPEN_PATH ? NULL : own_descriptor_file(path);
		if (file)
			*result = open_again(file, flags);
		return file != NULL;
	}
	if (flags & OPEN_CREATE)
		mode &= ~__atomic_load_n(&process_current()->umask, __ATOMIC_RELAXED);
	*result = shared_open(name, flags, mode, &file, &is_new);
	if (*result != 0)
		return true;
	*result = open_memory_file(name, file, flags, is_new);
	return true;
}

/* FD, too, is what OLD is. A pipe that has a number for which there is no room is Linux's. */
static int copy_open(int old, int fd)
{
	struct open_file *open = file_table_get(old);
	bool is_pipe = open && open->pipe;
	int error = file_table_set(fd, open);

	return error && is_pipe ? file_to_linux(old) : error;
}

int64_t file_copied(int old, int64_t fd)
{
	if (fd < 0 || fd == old)
		return fd;
	if (copy_open(old, (int)fd) == 0 && signal_file_copy(old, (int)fd) == 0)
		return fd;
	linux_close(fd);
	return -ENOMEM;
}

/* ---- the others ---- */

int64_t syscall_lseek(const struct syscall_args *args)
{
	static const struct description description = { __NR_lseek, { VALUE } };
	struct open_file *open = file_table_get((int)args->a[0]);
	int64_t result;

	if (!open)
		return describe_call(&description, args->a);
	if (open->pipe)
		result = pipe_seek((uint32_t)args->a[2]);
	else
		result = open_file_seek(open, (int64_t)args->a[1], (unsigned int)args->a[2]);
	open_file_put(open);
	return result;
}

int64_t syscall_ftruncate(const struct syscall_args *args)
{
	static const struct description description = { __NR_ftruncate, { VALUE } };
	struct open_file *open = get_memory_file((int)args->a[0]);
	int64_t result;

	if (!open) {
		result = describe_call(&description, args->a);
		mapped_file_resized();
		return result;
	}
	/* There it costs nothing, and knows what seals forbid. */
	result = describe_call(&description, args->a);
	if (result == 0)
		result = open_file_resize(open, (int64_t)args->a[1]);
	open_file_put(open);
	return result;
}

int64_t syscall_fallocate(const struct syscall_args *args)
{
	static const struct description description = { __NR_fallocate, { VALUE } };
	struct open_file *open = get_memory_file((int)args->a[0]);
	int64_t result;

	if (!open) {
		/* It may move what is behind, too. */
		mapped_file_sync_fd((int)args->a[0]);
		result = describe_call(&description, args->a);
		if (result == 0)
			mapped_file_after_write((int)args->a[0], 0, INT64_MAX);
		return result;
	}
	result = open_file_allocate(open, (uint32_t)args->a[1], (int64_t)args->a[2],
				    (int64_t)args->a[3]);
	open_file_put(open);
	return result;
}
