/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <asm/unistd_64.h>

#include "channel/channel.h"
#include "fs/linux.h"
#include "fs/memory_file.h"
#include "fs/stage_steps.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/local.h"
#include "mm/object.h"
#include "task/process.h"
#include "task/thread.h"

/* Of open(2). */
#define NEW_FILE (01u | 0100u | 0200u | 02000000u) /* WRONLY, CREAT, EXCL, CLOEXEC */
#define DIRECTORY_ONLY (0200000u | 02000000u | 0400000u) /* and no link to one */
#define SET_ID_BITS 06000u

#define TEMPORARY_TRIES 100u
#define TEMPORARY_MODE 0600u

/* The TRYth name beside PATH, in the same directory. 0 or -ENAMETOOLONG. */
static int temporary_name(const char *path, tid_t pid, unsigned int try, char *name)
{
	size_t length = strlen(path);
	int written;

	while (length > 0 && path[length - 1] != '/')
		length--;
	memcpy(name, path, length);
	written = format_text(name + length, STAGE_PATH_MOST - length, ".pisces-stage-%u-%u", pid,
			      try);
	return written < (int)(STAGE_PATH_MOST - length) ? 0 : -ENAMETOOLONG;
}

/* ---- contents ---- */

/* The end of the pages that are there, of which the one at AT is, or was: behind it is a hole. */
static uint64_t end_of_pages(struct object *object, uint64_t at, uint64_t end)
{
	uint64_t stop = at;

	end = min_u64(end, at + CHANNEL_PIECE);
	do {
		stop = align_down(stop, PAGE_SIZE) + PAGE_SIZE;
	} while (stop < end && object_has(object, stop));
	return min_u64(stop, end);
}

static int64_t write_piece(struct memory_file *file, int64_t fd, uint64_t at, uint64_t size)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	int64_t bytes = channel_buffer_take(channel, size, &buffer);

	if (bytes < 0)
		return bytes;
	/* Another task may make it shorter meanwhile: then the rest is not the file's any more. */
	bytes = memory_file_read(file, buffer.memory, buffer.size, at);
	if (bytes >= 0)
		memset(buffer.memory + bytes, 0, buffer.size - (uint64_t)bytes);
	if (bytes < 0) {
		channel_buffer_give(channel, &buffer);
		return bytes;
	}
	bytes = channel_call_own(__NR_pwrite64, (uint64_t)fd, buffer.offset, buffer.size, at, 0, 0);
	channel_buffer_give(channel, &buffer);
	if (bytes == 0 || bytes > (int64_t)buffer.size)
		return -EIO;
	return bytes;
}

static int64_t write_contents(struct memory_file *file, int64_t fd)
{
	struct object *object = file->object;
	uint64_t size = object_size(object), at = 0, steps = 0;
	int64_t bytes;

	/* Holes are passed by the size of what is missing: a file may be one of 64 TiB. */
	while (at < size && object_next(object, &at, size)) {
		mm_turn(++steps);
		bytes = write_piece(file, fd, at, end_of_pages(object, at, size) - at);
		if (bytes < 0)
			return bytes;
		at += (uint64_t)bytes;
	}
	return channel_call_own(__NR_ftruncate, (uint64_t)fd, size, 0, 0, 0, 0);
}

/* ---- a file ---- */

static int64_t set_attributes(const struct stage_node *node, int64_t fd)
{
	const struct process *process = process_current();
	nsec_t modified = node->file ? node->file->modified : node->modified;
	bool same = node->uid == process->uid || process->uid == 0;
	uint32_t mode = node->mode & MODE_BITS;
	int64_t error;

	/* A group of the user's it can be; another owner is not his to give. */
	if ((node->uid != process->uid || node->gid != process->gid) &&
	    channel_call_own(__NR_fchown, (uint64_t)fd, same ? node->uid : UINT32_MAX, node->gid, 0, 0,
			     0) != 0)
		same = false;
	/* As with chown(2): whose rights a program gets is another's to say. */
	if (!same)
		mode &= ~SET_ID_BITS;
	error = channel_call_own(__NR_fchmod, (uint64_t)fd, mode, 0, 0, 0, 0);
	return error ? error : linux_set_times(fd, node->accessed, modified);
}

/* What it is known by from now on: as it is there, it is here. */
static void note_origin(struct stage_node *node, int64_t fd)
{
	struct user_stat status;

	if (file_status((int)fd, &status) != 0)
		return;
	node->origin = (struct stage_origin){
		.device = status.device,
		.inode = status.inode,
		.size = (uint64_t)status.size,
		.modified = status.modified,
		.modified_nsec = status.modified_nsec,
	};
}

/* Opens a new file beside PATH, whose name goes to NAME. Descriptor or -errno. */
static int64_t open_beside(const char *path, tid_t pid, char *name)
{
	unsigned int try;
	int64_t fd = -EEXIST;

	for (try = 0; fd == -EEXIST && try < TEMPORARY_TRIES; try++) {
		fd = temporary_name(path, pid, try, name);
		if (fd == 0)
			fd = linux_name_call(__NR_openat, name, NEW_FILE, TEMPORARY_MODE);
	}
	return fd;
}

static int64_t write_file(const struct stage_step *step, tid_t pid, char *name)
{
	int64_t fd = open_beside(step->path, pid, name), error, closed, attributes = 0;

	if (fd < 0)
		return fd;
	error = write_contents(step->node->file, fd);
	/* What is in it is worth having where it can have no mode or time. */
	if (!error)
		attributes = set_attributes(step->node, fd);
	if (!error)
		note_origin(step->node, fd);
	/* Over a network it is only now that a full disk is noticed. */
	closed = channel_call_own(__NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	if (!error)
		error = closed;
	if (!error)
		error = linux_rename(name, step->path);
	if (error)
		linux_name_call(__NR_unlinkat, name, 0, 0);
	return error ? error : attributes;
}

static int64_t write_link(const struct stage_step *step, tid_t pid, char *name)
{
	unsigned int try;
	int64_t error = -EEXIST;

	for (try = 0; error == -EEXIST && try < TEMPORARY_TRIES; try++) {
		error = temporary_name(step->path, pid, try, name);
		if (!error)
			error = linux_symlink(step->node->target, name);
	}
	if (error)
		return error;
	error = linux_rename(name, step->path);
	if (error)
		linux_name_call(__NR_unlinkat, name, 0, 0);
	return error;
}

/* One that is there already, from elsewhere, will do: STAGE_WAS_THERE. */
static int64_t make_directory(const struct stage_step *step)
{
	struct user_stat status;
	int64_t error = linux_name_call(__NR_mkdirat, step->path, 0700, 0);

	if (error == -EEXIST && linux_status(step->path, false, &status) == 0 &&
	    (status.mode & MODE_TYPE) == MODE_DIRECTORY)
		error = STAGE_WAS_THERE;
	return error;
}

int64_t stage_step_do(const struct stage_step *step, tid_t pid)
{
	char *name;
	int64_t error;

	if (stage_is_directory(step->node))
		return make_directory(step);
	name = heap_alloc(STAGE_PATH_MOST);
	if (!name)
		return -ENOMEM;
	if (stage_is_link(step->node))
		error = write_link(step, pid, name);
	else
		error = write_file(step, pid, name);
	heap_free(name);
	return error;
}

int64_t stage_step_attributes(const struct stage_step *step)
{
	int64_t fd = linux_name_call(__NR_openat, step->path, DIRECTORY_ONLY, 0), error;

	/* Another task may have given it a mode by which nobody reads it; it gets its own now. */
	if (fd == -EACCES && linux_name_call(__NR_fchmodat, step->path, 0700, 0) == 0)
		fd = linux_name_call(__NR_openat, step->path, DIRECTORY_ONLY, 0);
	if (fd < 0)
		return fd;
	error = set_attributes(step->node, fd);
	linux_close(fd);
	return error;
}
