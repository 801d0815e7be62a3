/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log is one object: records, each a header and the bytes of writes to one stream
 * that came one after the other. Records begin on 8 bytes, so a header is in one page.
 */
#include "fs/stage_log.h"

#include "arch/user.h"
#include "lib/errno.h"
#include "mm/heap.h"
#include "mm/local.h"
#include "mm/object.h"
#include "syscall/vector.h"
#include "task/turn.h"

struct header {
	uint32_t stream;
	uint32_t size;
};

#define RECORD_ALIGN 8u
#define RECORD_MOST (1u << 30)

struct stage_log {
	struct turn turn;
	struct object *object;
	uint64_t end;  /* where the next record begins, if it is another stream's */
	uint64_t last; /* the header of the last record */
	bool begun;
};

struct stage_log *stage_log_create(void)
{
	struct stage_log *log = heap_alloc_zero(sizeof(*log));

	if (!log)
		return NULL;
	log->object = object_create(OBJECT_MEMORY, 0);
	if (!log->object) {
		heap_free(log);
		return NULL;
	}
	turn_init(&log->turn);
	return log;
}

void stage_log_destroy(struct stage_log *log)
{
	if (!log)
		return;
	object_put(log->object);
	heap_free(log);
}

static struct header *header_at(struct stage_log *log, uint64_t at)
{
	uint64_t left;

	return object_memory(log->object, at, &left);
}

/* The header of a record for STREAM that has room; NULL: out of memory. */
static struct header *record_for(struct stage_log *log, uint32_t stream)
{
	struct header *header = log->begun ? header_at(log, log->last) : NULL;
	uint64_t at = align_up(log->end, RECORD_ALIGN);

	if (header && header->stream == stream && header->size < RECORD_MOST)
		return header;
	header = header_at(log, at);
	if (!header)
		return NULL;
	*header = (struct header){ .stream = stream };
	log->begun = true;
	log->last = at;
	log->end = at + sizeof(*header);
	return header;
}

/* In the turn. Bytes, or -errno if there are none. */
static int64_t append(struct stage_log *log, uint32_t stream, user_addr_t from, uint64_t size)
{
	struct header *header = record_for(log, stream);
	uint64_t done = 0, left;
	void *memory;
	int error = 0;

	if (!header)
		return -ENOSPC;
	size = min_u64(size, RECORD_MOST - header->size);
	while (done < size) {
		mm_turn(done / PAGE_SIZE);
		memory = object_memory(log->object, log->end, &left);
		left = min_u64(left, size - done);
		if (!memory)
			error = -ENOSPC;
		else if (copy_from_user(memory, from + done, left) != 0)
			error = -EFAULT;
		if (error)
			break;
		log->end += left;
		done += left;
		header->size += (uint32_t)left;
	}
	return done ? (int64_t)done : error;
}

int64_t stage_log_write(struct stage_log *log, uint32_t stream, const struct vector *parts,
			uint64_t count)
{
	int64_t bytes = 0, error = turn_take(&log->turn);
	uint64_t done = 0, i;

	if (error)
		return error;
	for (i = 0; i < count && bytes >= 0; i++) {
		if (parts[i].size == 0)
			continue;
		bytes = append(log, stream, parts[i].base, parts[i].size);
		done += bytes > 0 ? (uint64_t)bytes : 0;
		if (bytes != (int64_t)parts[i].size)
			break;
	}
	turn_end(&log->turn);
	return done ? (int64_t)done : bytes;
}

int stage_log_read(struct stage_log *log,
		   int (*fn)(uint32_t stream, const void *bytes, uint64_t size, void *argument),
		   void *argument)
{
	uint64_t at = 0, left, end;
	struct header header;
	void *memory;
	int result = 0;

	while (at < log->end && !result) {
		header = *header_at(log, at);
		at += sizeof(header);
		for (end = at + header.size; at < end && !result; at += left) {
			memory = object_memory(log->object, at, &left);
			left = min_u64(left, end - at);
			result = fn(header.stream, memory, left, argument);
		}
		at = align_up(at, RECORD_ALIGN);
	}
	return result;
}
