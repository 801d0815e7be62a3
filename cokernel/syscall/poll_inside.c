/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "syscall/poll_inside.h"

#include "arch/time.h"
#include "fs/file_table.h"
#include "fs/memory_file.h"
#include "fs/pipe.h"
#include "fs/staged.h"
#include "mm/heap.h"
#include "mm/local.h"
#include "syscall/handlers.h"
#include "syscall/pipe.h"
#include "task/process.h"
#include "task/signal.h"
#include "task/thread.h"

#define FILE_IN PIPE_POLL_IN
#define FILE_OUT PIPE_POLL_OUT

/* What is asked for or not. */
#define POLL_ALWAYS (POLL_ERROR | POLL_HANG_UP)

/* The pipes of a call that waits. */
struct watching {
	struct pipe_poller poller;
	uint64_t count;
	struct {
		struct pipe_watch watch;
		struct open_file *end; /* with a reference */
	} *pipes;
};

bool poll_inside_can(void)
{
	return process_current()->staged || file_table_any() ||
	       thread_current()->restart_deadline != 0;
}

/* ---- what there is now ---- */

static int16_t found_at(const struct open_file *open, int16_t events)
{
	if (open->pipe)
		return pipe_found(open) & (events | POLL_ALWAYS);
	/* The streams are as pipes that somebody reads. */
	if (open->node && open->node->device == STAGE_OUTPUT)
		return FILE_OUT & events;
	return (FILE_IN | FILE_OUT) & events;
}

/* False: it is Linux's. */
static bool look_at_one(struct poll_entry *entry)
{
	struct open_file *open = file_table_get(entry->fd);
	bool ours = true;

	if (!open) {
		entry->found = POLL_INVALID;
		return process_current()->staged != NULL;
	}
	if (open->pipe && pipe_is_on_linux(open->pipe))
		ours = false;
	else
		entry->found = found_at(open, entry->events);
	open_file_put(open);
	return ours;
}

/* How many are ready, or -EXDEV: some are Linux's. */
static int64_t look_at(struct poll_entry *entries, uint64_t count)
{
	int64_t ready = 0;
	uint64_t i;

	for (i = 0; i < count; i++) {
		mm_turn(i);
		entries[i].found = 0;
		if (entries[i].fd < 0)
			continue;
		if (!look_at_one(&entries[i]))
			return -EXDEV;
		if (entries[i].found)
			ready++;
	}
	return ready;
}

/* ---- waiting for a change ---- */

static uint64_t count_pipes(const struct poll_entry *entries, uint64_t count)
{
	struct open_file *end;
	uint64_t pipes = 0, i;

	for (i = 0; i < count; i++) {
		mm_turn(i);
		end = pipe_end(entries[i].fd);
		if (!end)
			continue;
		open_file_put(end);
		pipes++;
	}
	return pipes;
}

static int watch(struct watching *all, const struct poll_entry *entries, uint64_t count)
{
	uint64_t room = count_pipes(entries, count), i;
	struct open_file *end;

	pipe_poller_init(&all->poller);
	all->pipes = heap_alloc(room ? room * sizeof(*all->pipes) : 1);
	if (!all->pipes)
		return -ENOMEM;
	for (i = 0; i < count && all->count < room; i++) {
		mm_turn(i);
		end = pipe_end(entries[i].fd);
		if (!end)
			continue;
		all->pipes[all->count].end = end;
		pipe_watch_begin(&all->pipes[all->count].watch, end->pipe, &all->poller);
		all->count++;
	}
	return 0;
}

static void end_watch(struct watching *all)
{
	uint64_t i;

	for (i = 0; i < all->count; i++) {
		mm_turn(i);
		pipe_watch_end(&all->pipes[i].watch);
		open_file_put(all->pipes[i].end);
	}
	heap_free(all->pipes);
}

/* Until something is ready, or DEADLINE. The result of the call, or -EXDEV. */
static int64_t wait_for(struct poll_entry *entries, uint64_t count, nsec_t deadline)
{
	struct watching all = { .count = 0 };
	int64_t ready = watch(&all, entries, count);
	int result = 0;

	if (ready)
		return ready;
	/* First what has come before they were watched. */
	while ((ready = look_at(entries, count)) == 0 && (result == 0 || result == -EAGAIN))
		result = pipe_poller_wait(&all.poller, deadline);
	end_watch(&all);
	if (ready != 0 || result == -ETIMEDOUT)
		return ready;
	thread_current()->restart_deadline = deadline;
	return -ERESTART_DEADLINE;
}

/* ---- */

/* All ENTRIES will be waited for on Linux: so the pipes among them are Linux's. 0 or -errno. */
static int64_t give_to_linux(const struct poll_entry *entries, uint64_t count)
{
	int64_t error = 0;
	uint64_t i;

	for (i = 0; i < count && !error; i++)
		error = file_to_linux(entries[i].fd);
	return error;
}

static nsec_t left_until(nsec_t deadline)
{
	nsec_t now = time_now();

	if (deadline == NSEC_FOREVER)
		return deadline;
	return deadline > now ? deadline - now : 0;
}

bool poll_inside(struct poll_entry *entries, uint64_t count, nsec_t *span, int64_t *result)
{
	nsec_t deadline;

	if (!poll_inside_can())
		return false;
	deadline = deadline_of_call(*span);
	*result = look_at(entries, count);
	if (*result == 0 && left_until(deadline) != 0)
		*result = wait_for(entries, count, deadline);
	if (*result != -EXDEV)
		return true;
	*result = give_to_linux(entries, count);
	*span = left_until(deadline);
	return *result != 0;
}
