/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files that are mapped shared, and which of them a process maps. */
#include "lib/errno.h"
#include "lib/lock.h"
#include "mm/heap.h"
#include "mm/object.h"
#include "fs/mapped_internal.h"
#include "task/process.h"
#include "task/thread.h"

static struct list files = LIST_INIT(files);
static struct lock files_lock = LOCK_INIT;

static struct mapped_file *create(const struct user_stat *status)
{
	struct mapped_file *file = heap_alloc_zero(sizeof(*file));

	if (!file)
		return NULL;
	/* Its size comes when it is settled. */
	file->object = object_create(OBJECT_SHARED_FILE, 0);
	if (!file->object) {
		heap_free(file);
		return NULL;
	}
	file->device = status->device;
	file->inode = status->inode;
	file->uid = process_current()->uid;
	list_init(&file->link);
	list_init(&file->users);
	turn_init(&file->turn);
	return file;
}

static void destroy(struct mapped_file *file)
{
	object_put(file->object);
	heap_free(file);
}

/* That of STATUS with a hold more, or NULL; files_lock is held. */
static struct mapped_file *find(const struct user_stat *status)
{
	struct mapped_file *file;
	struct list *pos;

	LIST_FOR_EACH(pos, &files) {
		file = LIST_ENTRY(pos, struct mapped_file, link);
		if (file->device == status->device && file->inode == status->inode &&
		    file->uid == process_current()->uid) {
			file->holds++;
			return file;
		}
	}
	return NULL;
}

struct mapped_file *mapped_find(const struct user_stat *status, bool make)
{
	struct mapped_file *file, *new;

	lock_take(&files_lock);
	file = find(status);
	lock_drop(&files_lock);
	if (file || !make)
		return file;
	new = create(status);
	if (!new)
		return NULL;
	lock_take(&files_lock);
	file = find(status);
	if (!file) {
		new->holds = 1;
		list_append(&files, &new->link);
	}
	lock_drop(&files_lock);
	if (!file)
		return new;
	destroy(new);
	return file;
}

void mapped_put(struct mapped_file *file)
{
	bool last;

	lock_take(&files_lock);
	last = --file->holds == 0;
	if (last)
		list_remove(&file->link);
	lock_drop(&files_lock);
	if (last)
		destroy(file);
}

static struct file_user *user_at(struct list *pos)
{
	return LIST_ENTRY(pos, struct file_user, of_process);
}

struct mapped_file *mapped_next(uint64_t *number, bool touched)
{
	struct file_user *user, *next = NULL;
	struct list *pos;

	lock_take(&files_lock);
	LIST_FOR_EACH(pos, &process_current()->mapped_files) {
		user = user_at(pos);
		if (object_number(user->file->object) > *number && (!touched || user->touched) &&
		    (!next || object_number(user->file->object) <
				      object_number(next->file->object)))
			next = user;
	}
	if (next) {
		*number = object_number(next->file->object);
		next->file->holds++;
		if (touched)
			next->touched = false;
	}
	lock_drop(&files_lock);
	return next ? next->file : NULL;
}

struct mapped_file *mapped_of(const struct object *object)
{
	struct mapped_file *file = NULL;
	struct list *pos;

	lock_take(&files_lock);
	LIST_FOR_EACH(pos, &process_current()->mapped_files) {
		if (user_at(pos)->file->object != object)
			continue;
		file = user_at(pos)->file;
		file->holds++;
		break;
	}
	lock_drop(&files_lock);
	return file;
}

/* ---- users ---- */

void mapped_add_user(struct mapped_file *file, struct file_user *user)
{
	user->file = file;
	user->process = process_current();
	list_append(&file->users, &user->of_file);
	lock_take(&files_lock);
	file->holds++;
	list_append(&user->process->mapped_files, &user->of_process);
	lock_drop(&files_lock);
}

void mapped_remove_user(struct file_user *user)
{
	list_remove(&user->of_file);
	lock_take(&files_lock);
	/* Who calls this has a hold of its own. */
	user->file->holds--;
	list_remove(&user->of_process);
	lock_drop(&files_lock);
	heap_free(user);
}

bool mapped_touch(const struct object *object)
{
	struct list *pos;
	bool any = false;

	lock_take(&files_lock);
	LIST_FOR_EACH(pos, &process_current()->mapped_files) {
		if (user_at(pos)->file->object == object)
			any = user_at(pos)->touched = true;
	}
	lock_drop(&files_lock);
	return any;
}

struct file_user *mapped_user(struct mapped_file *file)
{
	struct list *pos;

	LIST_FOR_EACH(pos, &file->users) {
		struct file_user *user = LIST_ENTRY(pos, struct file_user, of_file);

		if (user->process == process_current())
			return user;
	}
	return NULL;
}

bool mapped_any(void)
{
	const struct list *list = &process_current()->mapped_files;

	return __atomic_load_n(&list->next, __ATOMIC_RELAXED) != list;
}

bool mapped_any_marked(void)
{
	struct list *pos;
	bool any = false;

	lock_take(&files_lock);
	LIST_FOR_EACH(pos, &process_current()->mapped_files)
		any |= object_marked(user_at(pos)->file->object) != 0;
	lock_drop(&files_lock);
	return any;
}

/* ---- their descriptors ---- */

int64_t mapped_file_next_kept(uint32_t first)
{
	struct list *pos;
	int64_t next = -1;

	if (likely(!mapped_any()))
		return -1;
	lock_take(&files_lock);
	LIST_FOR_EACH(pos, &process_current()->mapped_files) {
		int fd = user_at(pos)->fd;

		if ((uint32_t)fd >= first && (next < 0 || fd < next))
			next = fd;
	}
	lock_drop(&files_lock);
	return next;
}

bool mapped_file_keeps(uint32_t fd)
{
	return mapped_file_next_kept(fd) == (int64_t)fd;
}
