/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was written to mapped files goes to Linux. All but the report in the file's turn. */
#include <asm/unistd_64.h>

#include "channel/channel.h"
#include "fs/linux.h"
#include "fs/mapped_internal.h"
#include "fs/staged.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/object.h"
#include "task/process.h"
#include "task/thread.h"

#define DUPLICATE_CLOSE_ON_EXEC 1030u /* F_DUPFD_CLOEXEC */
#define OPEN_DIRECT 040000u

/* ---- descriptors ---- */

/*
 * Writes of an appending descriptor go to the end, whatever their offset, and direct ones
 * want whole blocks; so will those of its copies. It takes one that was opened anew.
 */
static int64_t open_again(int fd)
{
	char path[40];

	format_text(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linux_name_call(__NR_openat, path, OPEN_READ_WRITE | OPEN_CLOSE_ON_EXEC, 0);
}

static bool writes_where_told(int64_t flags)
{
	return !(flags & (OPEN_APPEND | OPEN_DIRECT));
}

int64_t mapped_descriptor(int fd, int64_t flags)
{
	/* Below the proxy's own, which are the last of the first 1024, or of what the limit is. */
	static const uint32_t from[] = { 960, 192, 3 };
	int64_t copy = -EMFILE;

	if (!writes_where_told(flags))
		return open_again(fd);
	for (unsigned int i = 0; i < ARRAY_SIZE(from) && (copy == -EMFILE || copy == -EINVAL); i++)
		copy = channel_call_own(__NR_fcntl, (uint64_t)fd, DUPLICATE_CLOSE_ON_EXEC, from[i],
					0, 0, 0);
	return copy;
}

void mapped_drop_descriptor(const struct file_user *user)
{
	if (!__atomic_load_n(&user->process->record_locks, __ATOMIC_RELAXED))
		linux_close(user->fd);
}

/* The program may have changed the flags since: a copy has them in common. */
static int check_descriptor(struct file_user *user)
{
	int64_t flags = file_flags(user->fd), fd;

	if (flags < 0 || writes_where_told(flags))
		return flags < 0 ? (int)flags : 0;
	fd = open_again(user->fd);
	if (fd < 0)
		return (int)fd;
	mapped_drop_descriptor(user);
	user->fd = (int)fd;
	return 0;
}

/* ---- writing ---- */

/* Up to SIZE bytes of OBJECT at OFFSET, whose page begins there. Bytes or -errno. */
static int64_t write_piece(struct object *object, int fd, uint64_t offset, uint64_t size)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	int64_t bytes = channel_buffer_take(channel, size, &buffer);
	uint64_t done, left;

	if (bytes < 0)
		return bytes;
	for (done = 0; done < buffer.size; done += left) {
		const void *memory = object_memory(object, offset + done, &left);

		/* It is there, so it takes no memory. */
		ASSERT(memory);
		left = min_u64(left, buffer.size - done);
		memcpy(buffer.memory + done, memory, left);
	}
	bytes = channel_call_own(__NR_pwrite64, (uint64_t)fd, buffer.offset, buffer.size, offset, 0,
				 0);
	if (bytes > (int64_t)buffer.size) {
		channel_break(channel, "its proxy wrote more than it was asked to");
		bytes = -EIO;
	}
	channel_buffer_give(channel, &buffer);
	return bytes != 0 ? bytes : -EIO;
}

/* All that was taken up to END, of a file of SIZE bytes. What is done is released. */
static int write_taken(struct object *object, int fd, uint64_t start, uint64_t end, uint64_t size)
{
	uint64_t at = start, run;

	while ((run = object_taken(object, &at, end, CHANNEL_PIECE)) != 0) {
		uint64_t stop = min_u64(at + run, size), done = at;

		while (done < stop) {
			int64_t bytes = write_piece(object, fd, done, stop - done);

			if (bytes < 0)
				return (int)bytes;
			done += (uint64_t)bytes;
		}
		/* What is behind the end of the file is nobody's. */
		object_release(object, at, at + run, true);
		at += run;
	}
	return 0;
}

int mapped_write_back(struct mapped_file *file, struct file_user *user, uint64_t start,
		      uint64_t end)
{
	struct user_stat status;
	struct list *pos;
	int error;

	start = align_down(start, PAGE_SIZE);
	end = align_up(min_u64(end, OBJECT_MOST), PAGE_SIZE);
	if (!user->may_write || !object_take(file->object, start, end))
		return 0;
	LIST_FOR_EACH(pos, &file->users)
		aspace_clean(LIST_ENTRY(pos, struct file_user, of_file)->process->aspace,
			     file->object, start, end);
	error = check_descriptor(user);
	if (!error)
		error = file_status(user->fd, &status);
	if (!error)
		error = write_taken(file->object, user->fd, start, end, (uint64_t)status.size);
	object_release(file->object, start, end, false);
	return error;
}

/* ---- what could not be written ---- */

static bool another_can_write(const struct mapped_file *file, const struct file_user *user)
{
	struct list *pos;

	LIST_FOR_EACH(pos, &file->users) {
		const struct file_user *other = LIST_ENTRY(pos, struct file_user, of_file);

		if (other != user && other->may_write)
			return true;
	}
	return false;
}

void mapped_note_loss(const struct mapped_file *file, const struct file_user *user, int64_t error,
		      struct mapped_loss *loss)
{
	loss->pages = object_marked(file->object);
	if (loss->pages == 0 || another_can_write(file, user))
		return;
	loss->error = error ? error : -EACCES;
	if (linux_path_of(user->fd, loss->path, sizeof(loss->path)) < 0)
		loss->path[0] = '\0';
}

void mapped_report_loss(struct process *process, const struct mapped_loss *loss)
{
	char text[24];

	if (loss->error == 0)
		return;
	process_report(process, "%llu KiB written to a mapping of %s are lost: %s",
		       (unsigned long long)(loss->pages * (PAGE_SIZE / 1024)),
		       loss->path[0] ? loss->path : "a file", staged_reason(loss->error, text));
}
