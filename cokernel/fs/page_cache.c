/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/page_cache.h"

#include "arch/time.h"
#include "fs/file_fill.h"
#include "fs/status.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "mm/aspace.h"
#include "mm/heap.h"
#include "mm/local.h"
#include "mm/object.h"
#include "task/process.h"
#include "task/thread.h"
#include "task/turn.h"

/* Times of a file that are younger than this may hide a change: they are no finer than that. */
#define SETTLED_SECONDS 2

/* So much is given back at once, */
#define SHRINK_BYTES (16ull << 20)
/* and so often it is tried while memory is only short. */
#define SHRINK_PERIOD (10 * (NSEC_PER_SEC / 1000))

struct file_key {
	uint64_t device, inode, size;
	uint64_t modified, modified_nsec, changed, changed_nsec;
	uint32_t uid;
};

struct cached_file {
	struct list link; /* in `files`, the one used last at the end; empty: not kept */
	struct file_key key;
	struct object *object;
	unsigned int users; /* who is about to map it */
	struct turn turn; /* one fills, the others wait */
};

static struct list files = LIST_INIT(files);
static struct lock files_lock = LOCK_INIT;
static nsec_t last_shrink;

static struct file_key key_of(const struct user_stat *status)
{
	return (struct file_key){
		.device = status->device,
		.inode = status->inode,
		.size = (uint64_t)status->size,
		.modified = status->modified,
		.modified_nsec = status->modified_nsec,
		.changed = status->changed,
		.changed_nsec = status->changed_nsec,
		.uid = process_current()->uid,
	};
}

static bool is_same(const struct file_key *a, const struct file_key *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified == b->modified && a->modified_nsec == b->modified_nsec &&
	       a->changed == b->changed && a->changed_nsec == b->changed_nsec && a->uid == b->uid;
}

static bool is_settled(const struct file_key *key)
{
	uint64_t now = time_realtime() / NSEC_PER_SEC;

	return max_u64(key->modified, key->changed) + SETTLED_SECONDS < now;
}

static struct cached_file *create(const struct file_key *key)
{
	struct cached_file *file = heap_alloc_zero(sizeof(*file));

	if (!file)
		return NULL;
	file->object = object_create(OBJECT_FILE, key->size);
	if (!file->object) {
		heap_free(file);
		return NULL;
	}
	file->key = *key;
	file->users = 1;
	list_init(&file->link);
	turn_init(&file->turn);
	return file;
}

static void destroy(struct cached_file *file)
{
	object_put(file->object);
	heap_free(file);
}

/* The one that is kept with a user more, or NULL; files_lock is held. */
static struct cached_file *find(const struct file_key *key)
{
	struct cached_file *file;
	struct list *pos;

	LIST_FOR_EACH(pos, &files) {
		file = LIST_ENTRY(pos, struct cached_file, link);
		if (!is_same(&file->key, key))
			continue;
		file->users++;
		list_remove(&file->link);
		list_append(&files, &file->link);
		return file;
	}
	return NULL;
}

/* The file of KEY, with a user more. NULL: out of memory. */
static struct cached_file *obtain(const struct file_key *key)
{
	struct cached_file *file, *new;

	if (!is_settled(key))
		return create(key);
	lock_take(&files_lock);
	file = find(key);
	lock_drop(&files_lock);
	if (file)
		return file;
	new = create(key);
	if (!new)
		return NULL;
	lock_take(&files_lock);
	file = find(key);
	if (!file)
		list_append(&files, &new->link);
	lock_drop(&files_lock);
	if (!file)
		return new;
	destroy(new);
	return file;
}

static void put(struct cached_file *file)
{
	bool last;

	lock_take(&files_lock);
	file->users--;
	last = file->users == 0 && list_empty(&file->link);
	lock_drop(&files_lock);
	if (last)
		destroy(file);
}

static int fill(struct cached_file *file, int fd, uint64_t offset, uint64_t size)
{
	int error = turn_take(&file->turn);

	if (error)
		return error;
	error = file_fill(file->object, fd, offset, min_u64(offset + size, file->key.size));
	turn_end(&file->turn);
	return error;
}

int64_t page_cache_map(int fd, user_addr_t address, uint64_t size, uint64_t offset,
		       unsigned int prot, unsigned int flags)
{
	struct aspace *aspace = process_current()->aspace;
	struct cached_file *file;
	struct file_key key;
	struct user_stat status;
	int64_t result = file_status(fd, &status);

	if (result < 0)
		return result;
	if ((status.mode & MODE_TYPE) != MODE_REGULAR || status.size < 0)
		return -ENODEV;
	if (offset > OBJECT_MOST || size > OBJECT_MOST - offset)
		return -EOVERFLOW;
	result = file_flags(fd);
	if (result < 0)
		return result;
	if ((result & OPEN_ACCESS) == OPEN_WRITE_ONLY)
		return -EACCES;
	key = key_of(&status);
	file = obtain(&key);
	if (!file)
		return -ENOMEM;
	result = fill(file, fd, offset, align_up(size, PAGE_SIZE));
	if (result == 0)
		result = aspace_map_object(aspace, address, size, prot, flags | ASPACE_POPULATE,
					   file->object, offset);
	put(file);
	return result;
}

/* ---- memory is short ---- */

/* One that nobody uses or maps, taken out of the list; NULL: there is none. */
static struct cached_file *take_idle(void)
{
	struct cached_file *file, *idle = NULL;
	struct list *pos;

	lock_take(&files_lock);
	LIST_FOR_EACH(pos, &files) {
		file = LIST_ENTRY(pos, struct cached_file, link);
		/* Who wants to map it is a user first, and that under our lock. */
		if (file->users == 0 && object_mapped(file->object) == 0) {
			idle = file;
			list_remove(&file->link);
			break;
		}
	}
	lock_drop(&files_lock);
	return idle;
}

bool mm_shrink(bool urgent)
{
	struct cached_file *file;
	nsec_t now = time_now();
	uint64_t freed = 0;

	if (!urgent && now - __atomic_load_n(&last_shrink, __ATOMIC_RELAXED) < SHRINK_PERIOD)
		return false;
	__atomic_store_n(&last_shrink, now, __ATOMIC_RELAXED);
	while (freed < SHRINK_BYTES && (file = take_idle()) != NULL) {
		freed += object_resident(file->object) + PAGE_SIZE;
		destroy(file);
	}
	return freed != 0;
}

uint64_t page_cache_bytes(void)
{
	struct list *pos;
	uint64_t bytes = 0;

	lock_take(&files_lock);
	LIST_FOR_EACH(pos, &files)
		bytes += object_resident(LIST_ENTRY(pos, struct cached_file, link)->object);
	lock_drop(&files_lock);
	return bytes;
}
