/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/segment.h"

#include "arch/time.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/object.h"
#include "task/process.h"
#include "task/thread.h"

/* As Linux's defaults: how many, and what a number consists of. */
#define SEGMENTS 4096u
#define SEQUENCES 65536u

#define KEY_PRIVATE 0
#define FLAG_CREATE 01000u
#define FLAG_EXCLUSIVE 02000u
#define MODE_BITS 0777u
#define MODE_REMOVED 01000u /* SHM_DEST: goes with the last attach */

struct segment {
	struct object *object;
	int32_t id;
	struct segment_status status;
};

static struct segment *segments[SEGMENTS];
static uint32_t sequence;
static struct lock segments_lock = LOCK_INIT;

static int64_t now(void)
{
	return (int64_t)(time_realtime() / NSEC_PER_SEC);
}

/* The lock is held in all of these. */

static bool is_owner(const struct segment *segment)
{
	uint32_t uid = process_current()->uid;

	return uid == 0 || uid == segment->status.uid || uid == segment->status.creator_uid;
}

/* NEED: bits as of a mode's last digit. */
static bool allows(const struct segment *segment, uint32_t need)
{
	const struct segment_status *status = &segment->status;
	const struct process *process = process_current();
	uint32_t bits = status->mode;

	if (process->uid == 0)
		return true;
	if (process->uid == status->uid || process->uid == status->creator_uid)
		bits >>= 6;
	else if (process->gid == status->gid || process->gid == status->creator_gid)
		bits >>= 3;
	return (need & ~bits & 7) == 0;
}

static struct segment *find(int32_t id)
{
	struct segment *segment = id >= 0 ? segments[(uint32_t)id % SEGMENTS] : NULL;

	return segment && segment->id == id ? segment : NULL;
}

static struct segment *find_key(int32_t key)
{
	for (unsigned int i = 0; i < SEGMENTS; i++) {
		struct segment *segment = segments[i];

		if (segment && segment->status.key == key && !(segment->status.mode & MODE_REMOVED))
			return segment;
	}
	return NULL;
}

/* Takes out what has been removed and is attached nowhere any more; NULL: there is none. */
static struct segment *take_dead(void)
{
	for (unsigned int i = 0; i < SEGMENTS; i++) {
		struct segment *segment = segments[i];

		if (segment && (segment->status.mode & MODE_REMOVED) &&
		    object_mapped(segment->object) == 0) {
			segments[i] = NULL;
			return segment;
		}
	}
	return NULL;
}

/* ---- */

static void destroy(struct segment *segment)
{
	object_put(segment->object);
	heap_free(segment);
}

/* A process that ends says nothing, so this is done whenever somebody comes by. */
static void sweep(void)
{
	struct segment *dead;

	do {
		lock_take(&segments_lock);
		dead = take_dead();
		lock_drop(&segments_lock);
		if (dead)
			destroy(dead);
	} while (dead);
}

static struct segment *create(int32_t key, uint64_t size, uint32_t mode)
{
	const struct process *process = process_current();
	struct segment *segment = heap_alloc_zero(sizeof(*segment));

	if (!segment)
		return NULL;
	segment->object = object_create(OBJECT_MEMORY, size);
	if (!segment->object) {
		heap_free(segment);
		return NULL;
	}
	segment->status = (struct segment_status){
		.key = key,
		.uid = process->uid,
		.gid = process->gid,
		.creator_uid = process->uid,
		.creator_gid = process->gid,
		.mode = mode & MODE_BITS,
		.size = size,
		.changed = now(),
		.creator_pid = (int32_t)process->pid,
	};
	return segment;
}

/* NEW gets a place and a number. */
static int64_t add(struct segment *new)
{
	for (unsigned int i = 0; i < SEGMENTS; i++) {
		if (segments[i])
			continue;
		new->status.sequence = (uint16_t)(sequence % SEQUENCES);
		new->id = (int32_t)(sequence++ % SEQUENCES * SEGMENTS + i);
		segments[i] = new;
		return new->id;
	}
	return -ENOSPC;
}

static int64_t use(const struct segment *segment, uint64_t size, uint32_t flags)
{
	if ((flags & FLAG_CREATE) && (flags & FLAG_EXCLUSIVE))
		return -EEXIST;
	if (!allows(segment, flags >> 6 | flags >> 3 | flags))
		return -EACCES;
	return size > segment->status.size ? -EINVAL : segment->id;
}

int64_t segment_get(int32_t key, uint64_t size, uint32_t flags)
{
	struct segment *segment = NULL, *new = NULL;
	int64_t result;

	sweep();
	if (key == KEY_PRIVATE || (flags & FLAG_CREATE)) {
		/* A size that is too small or large only matters to who creates. */
		if (size != 0 && size <= OBJECT_MOST) {
			new = create(key, size, flags);
			if (!new)
				return -ENOMEM;
		}
	}
	lock_take(&segments_lock);
	if (key != KEY_PRIVATE)
		segment = find_key(key);
	if (segment)
		result = use(segment, size, flags);
	else if (key != KEY_PRIVATE && !(flags & FLAG_CREATE))
		result = -ENOENT;
	else
		result = new ? add(new) : -EINVAL;
	lock_drop(&segments_lock);
	if (new && (segment || result < 0))
		destroy(new);
	return result;
}

int segment_attach(int32_t id, bool write, struct object **object, uint64_t *size)
{
	struct segment *segment;
	int error = -EINVAL;

	sweep();
	lock_take(&segments_lock);
	segment = find(id);
	if (segment)
		error = allows(segment, write ? 6 : 4) ? 0 : -EACCES;
	if (!error) {
		*object = segment->object;
		*size = segment->status.size;
		object_get(*object);
		segment->status.attached = now();
		segment->status.last_pid = (int32_t)process_current()->pid;
	}
	lock_drop(&segments_lock);
	return error;
}

void segment_detached(const struct object *object)
{
	lock_take(&segments_lock);
	for (unsigned int i = 0; i < SEGMENTS; i++) {
		if (!segments[i] || segments[i]->object != object)
			continue;
		segments[i]->status.detached = now();
		segments[i]->status.last_pid = (int32_t)process_current()->pid;
	}
	lock_drop(&segments_lock);
	sweep();
}

static void tell(const struct segment *segment, struct segment_status *status)
{
	*status = segment->status;
	status->attaches = object_mapped(segment->object);
}

int segment_status(int32_t id, struct segment_status *status)
{
	struct segment *segment;
	int error = -EINVAL;

	sweep();
	lock_take(&segments_lock);
	segment = find(id);
	if (segment)
		error = allows(segment, 4) ? 0 : -EACCES;
	if (!error)
		tell(segment, status);
	lock_drop(&segments_lock);
	return error;
}

int64_t segment_status_at(unsigned int index, bool any, struct segment_status *status)
{
	int64_t result = -EINVAL;

	lock_take(&segments_lock);
	if (index < SEGMENTS && segments[index])
		result = any || allows(segments[index], 4) ? segments[index]->id : -EACCES;
	if (result >= 0)
		tell(segments[index], status);
	lock_drop(&segments_lock);
	return result;
}

int segment_set(int32_t id, uint32_t uid, uint32_t gid, uint32_t mode)
{
	struct segment *segment;
	int error = -EINVAL;

	lock_take(&segments_lock);
	segment = find(id);
	if (segment)
		error = is_owner(segment) ? 0 : -EPERM;
	if (!error) {
		segment->status.uid = uid;
		segment->status.gid = gid;
		segment->status.mode = (segment->status.mode & ~MODE_BITS) | (mode & MODE_BITS);
		segment->status.changed = now();
	}
	lock_drop(&segments_lock);
	return error;
}

int segment_remove(int32_t id)
{
	struct segment *segment;
	int error = -EINVAL;

	lock_take(&segments_lock);
	segment = find(id);
	if (segment)
		error = is_owner(segment) ? 0 : -EPERM;
	if (!error) {
		/* Who has the key from now on gets another one. */
		segment->status.mode |= MODE_REMOVED;
		segment->status.key = KEY_PRIVATE;
	}
	lock_drop(&segments_lock);
	sweep();
	return error;
}

int segment_usage(unsigned int *count, uint64_t *bytes, uint64_t *resident)
{
	int highest = 0;

	*count = 0;
	*bytes = 0;
	*resident = 0;
	lock_take(&segments_lock);
	for (unsigned int i = 0; i < SEGMENTS; i++) {
		if (!segments[i])
			continue;
		highest = (int)i;
		(*count)++;
		*bytes += segments[i]->status.size;
		*resident += object_resident(segments[i]->object);
	}
	lock_drop(&segments_lock);
	return highest;
}
