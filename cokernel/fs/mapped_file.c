/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/mapped_file.h"

#include <asm/unistd_64.h>

#include "arch/user.h"
#include "channel/channel.h"
#include "fs/file_fill.h"
#include "fs/mapped_internal.h"
#include "fs/page_cache.h"
#include "lib/errno.h"
#include "mm/aspace.h"
#include "mm/heap.h"
#include "mm/object.h"
#include "task/process.h"
#include "task/thread.h"

int mapped_begin(struct mapped_file *file)
{
	int error = turn_take(&file->turn);

	thread_current()->firm = !error;
	return error;
}

void mapped_end(struct mapped_file *file)
{
	thread_current()->firm = false;
	turn_end(&file->turn);
}

/* ---- its size ---- */

/* What users of FILE map of [from, to) is read. */
static int fill_mapped(struct mapped_file *file, int fd, uint64_t from, uint64_t to)
{
	struct list *pos;
	int error = 0;

	LIST_FOR_EACH(pos, &file->users) {
		struct process *process = LIST_ENTRY(pos, struct file_user, of_file)->process;
		struct aspace_file part;
		user_addr_t at = 0;

		while (!error && aspace_next_file(process->aspace, &at, USER_END, &part)) {
			uint64_t start = max_u64(part.offset, align_down(from, PAGE_SIZE));
			uint64_t end = min_u64(part.offset + part.size, to);

			if (part.object == file->object && start < end)
				error = file_fill(file->object, fd, start, end);
			object_put(part.object);
		}
	}
	return error;
}

int mapped_settle(struct mapped_file *file, const struct file_user *user)
{
	struct object *object = file->object;
	uint64_t before = object_size(object), size;
	struct user_stat status;
	struct list *pos;
	int error = file_status(user->fd, &status);

	if (error)
		return error;
	size = min_u64((uint64_t)status.size, OBJECT_MOST);
	if (size > before) {
		/* Nobody finds a page of the new part before it is what it should be. */
		error = file_refill(object, user->fd, before, size);
		if (!error)
			error = fill_mapped(file, user->fd, before, size);
		if (!error)
			object_resize(object, size);
	} else if (size < before) {
		object_resize(object, size);
		LIST_FOR_EACH(pos, &file->users)
			aspace_forget(LIST_ENTRY(pos, struct file_user, of_file)->process->aspace,
				      object, align_up(size, PAGE_SIZE), OBJECT_MOST);
	}
	return error;
}

/* ---- mapping ---- */

/* The running process as a user of FILE, by a copy of FD. NULL with *ERROR. */
static struct file_user *join(struct mapped_file *file, int fd, int64_t flags, int64_t *error)
{
	bool may_write = (flags & OPEN_ACCESS) == OPEN_READ_WRITE;
	struct file_user *user = mapped_user(file), *new = NULL;
	int64_t copy;

	if (user && (user->may_write || !may_write))
		return user;
	if (!user)
		new = heap_alloc_zero(sizeof(*new));
	*error = -ENOMEM;
	if (!user && !new)
		return NULL;
	copy = mapped_descriptor(fd, may_write ? flags : 0);
	*error = copy;
	if (copy < 0) {
		heap_free(new);
		return NULL;
	}
	if (user)
		mapped_drop_descriptor(user);
	else
		user = new;
	user->fd = (int)copy;
	user->may_write = may_write;
	if (new)
		mapped_add_user(file, new);
	return user;
}

static bool maps(struct aspace *aspace, const struct object *object)
{
	struct aspace_file part;
	user_addr_t at = 0;
	bool found = false;

	while (!found && aspace_next_file(aspace, &at, USER_END, &part)) {
		found = part.object == object;
		object_put(part.object);
	}
	return found;
}

/* USER leaves FILE if nothing of it is mapped any more, and all is written back that can be. */
static void leave(struct mapped_file *file, struct file_user *user, struct mapped_loss *loss)
{
	struct process *process = user->process;
	int error;

	if (maps(process->aspace, file->object))
		return;
	error = mapped_write_back(file, user, 0, OBJECT_MOST);
	/* Its last thread does it. */
	if (error && thread_current()->dying)
		return;
	mapped_note_loss(file, user, error, loss);
	if (__atomic_load_n(&process->record_locks, __ATOMIC_RELAXED)) {
		/* It stays, for the sake of its descriptor; what it has read does not. */
		if (object_mapped(file->object) == 0)
			object_resize(file->object, 0);
		return;
	}
	mapped_drop_descriptor(user);
	mapped_remove_user(user);
}

/* In the turn. */
static int64_t map(struct mapped_file *file, int fd, int64_t access, user_addr_t address,
		   uint64_t size, uint64_t offset, unsigned int prot, unsigned int flags,
		   struct mapped_loss *loss)
{
	int64_t result;
	struct file_user *user = join(file, fd, access, &result);
	uint64_t end = align_up(offset + size, PAGE_SIZE);

	if (!user)
		return result;
	result = mapped_settle(file, user);
	if (!result)
		result = file_fill(file->object, user->fd, offset,
				   min_u64(end, object_size(file->object)));
	if (!result)
		result = aspace_map_object(process_current()->aspace, address, size, prot, flags,
					   file->object, offset);
	if (result < 0)
		leave(file, user, loss);
	return result;
}

static int64_t map_status(const struct user_stat *status, int fd, int64_t access,
			  user_addr_t address, uint64_t size, uint64_t offset, unsigned int prot,
			  unsigned int flags)
{
	bool read_only = (access & OPEN_ACCESS) == OPEN_READ_ONLY;
	struct mapped_file *file = mapped_find(status, !read_only);
	struct mapped_loss loss = { 0 };
	int64_t result;

	/* Nobody can write to it here: it may as well be what is kept for all. */
	if (!file && read_only)
		return page_cache_map(fd, address, size, offset, prot, flags);
	if (!file)
		return -ENOMEM;
	result = mapped_begin(file);
	if (!result) {
		result = map(file, fd, access, address, size, offset, prot,
			     flags | ASPACE_SHARED | ASPACE_POPULATE, &loss);
		mapped_end(file);
	}
	mapped_put(file);
	mapped_report_loss(process_current(), &loss);
	return result;
}

int64_t mapped_file_map(int fd, user_addr_t address, uint64_t size, uint64_t offset,
			unsigned int prot, unsigned int flags)
{
	int64_t access = file_flags(fd);
	struct user_stat status;
	int error;

	if (access < 0)
		return access;
	if ((access & OPEN_ACCESS) == OPEN_WRITE_ONLY)
		return -EACCES;
	if ((access & OPEN_ACCESS) == OPEN_READ_ONLY) {
		if (prot & ASPACE_WRITE)
			return -EACCES;
		flags |= ASPACE_READ_ONLY;
	}
	error = file_status(fd, &status);
	if (error)
		return error;
	if ((status.mode & MODE_TYPE) != MODE_REGULAR || status.size < 0)
		return -ENODEV;
	if (offset > OBJECT_MOST || size > OBJECT_MOST - offset)
		return -EOVERFLOW;
	return map_status(&status, fd, access, address, size, offset, prot, flags);
}

/* ---- unmapping ---- */

bool mapped_file_in(user_addr_t start, uint64_t size)
{
	struct aspace *aspace = process_current()->aspace;
	struct aspace_file part;
	user_addr_t end = start + min_u64(align_up(size, PAGE_SIZE), USER_END);
	bool any = false;

	if (likely(!mapped_any()) || start > USER_END)
		return false;
	while (aspace_next_file(aspace, &start, end, &part)) {
		any |= mapped_touch(part.object);
		object_put(part.object);
	}
	return any;
}

void mapped_file_unmapped(void)
{
	struct mapped_file *file;
	uint64_t number = 0;

	while ((file = mapped_next(&number, true)) != NULL) {
		struct mapped_loss loss = { 0 };
		struct file_user *user;

		if (mapped_begin(file) == 0) {
			user = mapped_user(file);
			if (user) {
				/* An error is told when it is the last chance. */
				mapped_write_back(file, user, 0, OBJECT_MOST);
				leave(file, user, &loss);
			}
			mapped_end(file);
		}
		mapped_put(file);
		mapped_report_loss(process_current(), &loss);
	}
}

/* ---- what is mapped in a range ---- */

/* FN for each part of a file that is mapped there, in its turn. The first error, or 0. */
static int for_each_part(user_addr_t start, uint64_t size, bool flag,
			 int (*fn)(struct mapped_file *, struct file_user *, uint64_t from,
				   uint64_t to, bool flag))
{
	struct aspace *aspace = process_current()->aspace;
	user_addr_t end = start + min_u64(align_up(size, PAGE_SIZE), USER_END);
	struct aspace_file part;
	int error = 0;

	if (likely(!mapped_any()) || start > USER_END)
		return 0;
	while (!error && aspace_next_file(aspace, &start, end, &part)) {
		struct mapped_file *file = mapped_of(part.object);
		struct file_user *user;

		object_put(part.object);
		if (!file)
			continue;
		error = mapped_begin(file);
		if (!error) {
			user = mapped_user(file);
			if (user)
				error = fn(file, user, part.offset, part.offset + part.size, flag);
			mapped_end(file);
		}
		mapped_put(file);
	}
	return error;
}

static int fill_part(struct mapped_file *file, struct file_user *user, uint64_t from, uint64_t to,
		     bool flag)
{
	int error = mapped_settle(file, user);

	(void)flag;
	return error ? error : file_fill(file->object, user->fd, from,
					 min_u64(to, object_size(file->object)));
}

void mapped_file_grown(user_addr_t start, uint64_t size)
{
	/* What could not be read is not there: SIGBUS, as on Linux. */
	for_each_part(start, size, false, fill_part);
}

static int sync_part(struct mapped_file *file, struct file_user *user, uint64_t from, uint64_t to,
		     bool to_disk)
{
	int error = mapped_write_back(file, user, from, to);

	if (!error && to_disk)
		error = (int)channel_call_own(__NR_fdatasync, (uint64_t)user->fd, 0, 0, 0, 0, 0);
	return error;
}

int mapped_file_sync(user_addr_t start, uint64_t size, bool to_disk)
{
	return for_each_part(start, size, to_disk, sync_part);
}

/* ---- the end ---- */

static void end_one(struct mapped_file *file, struct mapped_loss *loss)
{
	struct file_user *user;
	int error;

	turn_take_certain(&file->turn);
	user = mapped_user(file);
	if (user) {
		error = mapped_write_back(file, user, 0, OBJECT_MOST);
		mapped_note_loss(file, user, error, loss);
		/* Its descriptors go with the proxy. */
		mapped_remove_user(user);
	}
	turn_end(&file->turn);
}

void mapped_files_end(struct process *process)
{
	struct mapped_file *file;
	uint64_t number = 0;

	if (!mapped_any())
		return;
	channel_set_phase(process->channel, CHANNEL_LAST);
	while ((file = mapped_next(&number, false)) != NULL) {
		struct mapped_loss loss = { 0 };

		end_one(file, &loss);
		mapped_put(file);
		mapped_report_loss(process, &loss);
	}
}
