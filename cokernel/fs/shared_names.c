/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/shared_names.h"

#include "fs/memory_file.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "task/process.h"
#include "task/thread.h"

struct shared_name {
	struct list link;
	struct memory_file *file; /* with a reference */
	char text[];
};

static struct list names = LIST_INIT(names);
static struct lock names_lock = LOCK_INIT;

const char *shared_name(const char *path)
{
	size_t folder = sizeof(SHARED_FOLDER) - 1;

	if (strncmp(path, SHARED_FOLDER, folder) != 0)
		return NULL;
	path += folder;
	while (*path == '/')
		path++;
	if (*path == '\0' || strchr(path, '/') || strcmp(path, ".") == 0 || strcmp(path, "..") == 0)
		return NULL;
	return path;
}

/* The lock is held in these. */

static struct shared_name *find(const char *text)
{
	struct shared_name *name;
	struct list *pos;

	LIST_FOR_EACH(pos, &names) {
		name = LIST_ENTRY(pos, struct shared_name, link);
		if (strcmp(name->text, text) == 0)
			return name;
	}
	return NULL;
}

/* As the sticky bit of /dev/shm has it: only who owns it. */
static bool may_change(const struct shared_name *name)
{
	uint32_t uid = process_current()->uid;

	return uid == 0 || uid == name->file->uid;
}

static void forget(struct shared_name *name)
{
	list_remove(&name->link);
	name->file->links--;
}

/* ---- */

static struct shared_name *create(const char *text, struct memory_file *file)
{
	size_t size = strlen(text) + 1;
	struct shared_name *name = heap_alloc(sizeof(*name) + size);

	if (!name)
		return NULL;
	list_init(&name->link);
	memcpy(name->text, text, size);
	name->file = file;
	memory_file_get(file);
	return name;
}

/* Not in the list any more, or never; the lock is not held. */
static void destroy(struct shared_name *name)
{
	if (!name)
		return;
	memory_file_put(name->file);
	heap_free(name);
}

/* The file of TEXT if there is one, else that of NEW, whose reference is taken over. */
static int find_or_add(const char *text, uint32_t flags, struct shared_name *new,
		       struct memory_file **file)
{
	struct shared_name *name;
	int error = 0;

	lock_take(&names_lock);
	name = find(text);
	if (name && (flags & OPEN_CREATE) && (flags & OPEN_EXCLUSIVE)) {
		error = -EEXIST;
	} else if (name && !memory_file_allows(name->file, flags)) {
		error = -EACCES;
	} else if (!name && !new) {
		error = -ENOENT;
	} else if (!name) {
		list_append(&names, &new->link);
		new->file->links++;
		name = new;
	}
	if (!error) {
		*file = name->file;
		memory_file_get(*file);
	}
	lock_drop(&names_lock);
	return error;
}

int shared_open(const char *text, uint32_t flags, uint32_t mode, struct memory_file **file,
		bool *is_new)
{
	struct shared_name *new = NULL;
	struct memory_file *fresh;
	int error;

	if (strlen(text) > 255)
		return -ENAMETOOLONG;
	if (flags & OPEN_CREATE) {
		fresh = memory_file_create(mode);
		if (!fresh)
			return -ENOMEM;
		new = create(text, fresh);
		memory_file_put(fresh);
		if (!new)
			return -ENOMEM;
	}
	error = find_or_add(text, flags, new, file);
	*is_new = !error && new && *file == new->file;
	if (!*is_new)
		destroy(new);
	return error;
}

int shared_unlink(const char *text)
{
	struct shared_name *name;
	int error = 0;

	lock_take(&names_lock);
	name = find(text);
	if (!name)
		error = -ENOENT;
	else if (!may_change(name))
		error = -EPERM;
	else
		forget(name);
	lock_drop(&names_lock);
	if (!error)
		destroy(name);
	return error;
}

int shared_link(const char *old, const char *text)
{
	struct memory_file *file = NULL;
	struct shared_name *name, *new;
	int error;

	lock_take(&names_lock);
	name = find(old);
	error = !name ? -ENOENT : may_change(name) ? 0 : -EPERM;
	if (!error) {
		file = name->file;
		memory_file_get(file);
	}
	lock_drop(&names_lock);
	if (error)
		return error;
	new = create(text, file);
	memory_file_put(file);
	if (!new)
		return -ENOMEM;
	lock_take(&names_lock);
	error = find(text) ? -EEXIST : 0;
	if (!error) {
		list_append(&names, &new->link);
		new->file->links++;
	}
	lock_drop(&names_lock);
	if (error)
		destroy(new);
	return error;
}

int shared_rename(const char *old, const char *text, bool replace)
{
	struct shared_name *name, *target = NULL, *new = NULL;
	int error = 0;

	/* A link and an unlink in one: the new name is made first, as it needs memory. */
	lock_take(&names_lock);
	name = find(old);
	if (name)
		new = create(text, name->file);
	target = find(text);
	if (!name)
		error = -ENOENT;
	else if (!new)
		error = -ENOMEM;
	else if (target && !replace)
		error = -EEXIST;
	else if (!may_change(name) || (target && !may_change(target)))
		error = -EPERM;
	if (error || target == name) {
		lock_drop(&names_lock);
		destroy(new);
		return error;
	}
	if (target)
		forget(target);
	forget(name);
	list_append(&names, &new->link);
	new->file->links++;
	lock_drop(&names_lock);
	destroy(target);
	destroy(name);
	return 0;
}
