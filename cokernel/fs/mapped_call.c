/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls on files that the program has mapped: both ways see the same. */
#include <asm/unistd_64.h>

#include "channel/channel.h"
#include "fs/file_fill.h"
#include "fs/mapped_internal.h"
#include "lib/errno.h"
#include "mm/object.h"
#include "task/process.h"
#include "task/thread.h"

#define SEEK_CURRENT 1u

/* FN for file FD, in its turn, if the running process maps it. Its result, or 0. */
static int with_file(int fd, uint64_t offset, uint64_t size,
		     int (*fn)(struct mapped_file *, struct file_user *, int fd, uint64_t offset,
			       uint64_t size))
{
	struct mapped_file *file;
	struct user_stat status;
	struct file_user *user;
	int error;

	/* What Linux says is wrong with FD, the call itself is told, too. */
	if (file_status(fd, &status) != 0)
		return 0;
	file = mapped_find(&status, false);
	if (!file)
		return 0;
	error = mapped_begin(file);
	if (!error) {
		user = mapped_user(file);
		if (user)
			error = fn(file, user, fd, offset, size);
		mapped_end(file);
	}
	mapped_put(file);
	return error;
}

static uint64_t end_of(uint64_t offset, uint64_t size)
{
	return size > OBJECT_MOST || offset > OBJECT_MOST ? OBJECT_MOST : offset + size;
}

static int write_back(struct mapped_file *file, struct file_user *user, int fd, uint64_t offset,
		      uint64_t size)
{
	(void)fd;
	return mapped_write_back(file, user, offset, end_of(offset, size));
}

void mapped_file_before_read(int fd, uint64_t offset, uint64_t size)
{
	if (likely(!mapped_any()) || !mapped_any_marked())
		return;
	/* Where it reads without an offset is not worth a question. */
	if (offset == MAPPED_POSITION)
		with_file(fd, 0, MAPPED_ALL, write_back);
	else
		with_file(fd, offset, size, write_back);
}

int mapped_file_sync_fd(int fd)
{
	if (likely(!mapped_any()) || !mapped_any_marked())
		return 0;
	return with_file(fd, 0, MAPPED_ALL, write_back);
}

static int read_again(struct mapped_file *file, struct file_user *user, int fd, uint64_t offset,
		      uint64_t size)
{
	int error = mapped_settle(file, user);
	int64_t at = (int64_t)offset;

	if (offset == MAPPED_POSITION) {
		at = channel_call_own(__NR_lseek, (uint64_t)fd, 0, SEEK_CURRENT, 0, 0, 0);
		at -= (int64_t)size;
	}
	if (error || at < 0)
		return error;
	return file_refill(file->object, user->fd, (uint64_t)at,
			   min_u64(end_of((uint64_t)at, size), object_size(file->object)));
}

void mapped_file_after_write(int fd, uint64_t offset, int64_t bytes)
{
	if (likely(!mapped_any()) || bytes <= 0)
		return;
	with_file(fd, offset, (uint64_t)bytes, read_again);
}

/* FN for all that the process maps, in their turns. */
static void for_each_file(void (*fn)(struct mapped_file *, struct file_user *))
{
	struct mapped_file *file;
	struct file_user *user;
	uint64_t number = 0;

	if (likely(!mapped_any()))
		return;
	while ((file = mapped_next(&number, false)) != NULL) {
		if (mapped_begin(file) == 0) {
			user = mapped_user(file);
			if (user)
				fn(file, user);
			mapped_end(file);
		}
		mapped_put(file);
	}
}

static void settle(struct mapped_file *file, struct file_user *user)
{
	mapped_settle(file, user);
}

void mapped_file_resized(void)
{
	for_each_file(settle);
}

static void sync(struct mapped_file *file, struct file_user *user)
{
	mapped_write_back(file, user, 0, OBJECT_MOST);
}

void mapped_file_sync_all(void)
{
	for_each_file(sync);
}

void mapped_file_keep_locks(void)
{
	__atomic_store_n(&process_current()->record_locks, true, __ATOMIC_RELAXED);
}
