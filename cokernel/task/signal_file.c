/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "task/signal_file.h"

#include "lib/errno.h"
#include "mm/heap.h"
#include "task/process.h"
#include "task/signal_internal.h"
#include "task/thread.h"
#include "task/turn.h"

#define OPEN_MOST 64u

/* Under process->lock. */
struct signal_file {
	unsigned int references; /* of descriptors, and of who uses it */
	signal_set_t set;
	bool readable; /* as its timer was set last */
	bool news;     /* and a signal has come since: one more event for who waits for edges */
};

struct signal_files {
	struct turn turn; /* of who sets timers, or takes a descriptor out */
	unsigned int count;
	struct {
		int fd;
		struct signal_file *file;
	} open[OPEN_MOST];
};

static struct signal_files *files_of(const struct process *process)
{
	return __atomic_load_n(&process->signal_files, __ATOMIC_SEQ_CST);
}

bool signal_files_exist(void)
{
	const struct signal_files *all = files_of(process_current());

	return all && __atomic_load_n(&all->count, __ATOMIC_SEQ_CST) != 0;
}

bool signal_files_read(struct process *process, int signal)
{
	struct signal_files *all = files_of(process);
	bool any = false;
	unsigned int i;

	for (i = 0; all && i < all->count; i++) {
		if (!(all->open[i].file->set & SIGNAL_BIT(signal)))
			continue;
		all->open[i].file->news = true;
		any = true;
	}
	return any;
}

/* ---- references; the lock is held ---- */

static void put(struct signal_file *file)
{
	if (--file->references == 0)
		heap_free(file);
}

void signal_file_put(struct signal_file *file)
{
	struct process *process = process_current();

	lock_take(&process->lock);
	put(file);
	lock_drop(&process->lock);
}

/* The place of FD in the list, or -1. */
static int find(const struct signal_files *all, int fd)
{
	unsigned int i;

	for (i = 0; all && i < all->count; i++) {
		if (all->open[i].fd == fd)
			return (int)i;
	}
	return -1;
}

static void set_count(struct signal_files *all, unsigned int count)
{
	__atomic_store_n(&all->count, count, __ATOMIC_SEQ_CST);
}

static void take_out(struct signal_files *all, unsigned int place)
{
	put(all->open[place].file);
	all->open[place] = all->open[all->count - 1];
	set_count(all, all->count - 1);
}

/* FD is FILE, with a reference of its own. False: there are too many. */
static bool put_in(struct signal_files *all, int fd, struct signal_file *file)
{
	int place = find(all, fd);

	file->references++;
	if (place >= 0)
		take_out(all, (unsigned int)place);
	if (all->count == OPEN_MOST) {
		file->references--;
		return false;
	}
	all->open[all->count].fd = fd;
	all->open[all->count].file = file;
	set_count(all, all->count + 1);
	return true;
}

/* Whoever waits for signals of files looks again, for there are others now. */
static void tell_waiting(struct process *process)
{
	struct list *pos;

	LIST_FOR_EACH(pos, &process->threads) {
		if (__atomic_load_n(&signal_thread_of(pos)->signals.watching, __ATOMIC_SEQ_CST))
			signal_tell(signal_thread_of(pos));
	}
}

void signal_files_free(struct process *process)
{
	struct signal_files *all = process->signal_files;

	while (all && all->count > 0)
		take_out(all, all->count - 1);
	heap_free(all);
}

/* ---- descriptors ---- */

int signal_file_open(int fd, signal_set_t set)
{
	struct process *process = process_current();
	struct signal_file *file = heap_alloc_zero(sizeof(*file));
	struct signal_files *new = NULL;
	bool added = false;

	if (!files_of(process))
		new = heap_alloc_zero(sizeof(*new));
	if (new)
		turn_init(&new->turn);
	lock_take(&process->lock);
	if (!process->signal_files) {
		__atomic_store_n(&process->signal_files, new, __ATOMIC_SEQ_CST);
		new = NULL;
	}
	if (file && process->signal_files) {
		file->set = set;
		added = put_in(process->signal_files, fd, file);
	}
	if (added)
		tell_waiting(process);
	lock_drop(&process->lock);
	heap_free(new);
	if (!added)
		heap_free(file);
	return added ? 0 : -ENOMEM;
}

bool signal_file_set(int fd, signal_set_t set)
{
	struct process *process = process_current();
	struct signal_files *all = files_of(process);
	int place;

	if (!all)
		return false;
	lock_take(&process->lock);
	place = find(all, fd);
	if (place >= 0) {
		all->open[place].file->set = set;
		/* What is pending of them is news to who waits. */
		all->open[place].file->news = true;
		tell_waiting(process);
	}
	lock_drop(&process->lock);
	return place >= 0;
}

struct signal_file *signal_file_get(int fd)
{
	struct process *process = process_current();
	struct signal_files *all = files_of(process);
	struct signal_file *file = NULL;
	int place;

	if (likely(!all))
		return NULL;
	lock_take(&process->lock);
	place = find(all, fd);
	if (place >= 0) {
		file = all->open[place].file;
		file->references++;
	}
	lock_drop(&process->lock);
	return file;
}

bool signal_file_is(int fd)
{
	struct signal_file *file = signal_file_get(fd);

	if (file)
		signal_file_put(file);
	return file != NULL;
}

signal_set_t signal_file_reads(struct signal_file *file)
{
	struct process *process = process_current();
	signal_set_t set;

	lock_take(&process->lock);
	set = file->set;
	lock_drop(&process->lock);
	return set;
}

void signal_file_forget(uint32_t first, uint32_t last)
{
	struct process *process = process_current();
	struct signal_files *all = files_of(process);
	unsigned int i;

	if (!signal_files_exist())
		return;
	/* Its number may be another timer soon, which is not ours to set. */
	turn_take_certain(&all->turn);
	lock_take(&process->lock);
	for (i = 0; i < all->count;) {
		if ((uint32_t)all->open[i].fd >= first && (uint32_t)all->open[i].fd <= last)
			take_out(all, i);
		else
			i++;
	}
	lock_drop(&process->lock);
	turn_end(&all->turn);
}

int signal_file_copy(int from, int to)
{
	struct process *process = process_current();
	struct signal_files *all = files_of(process);
	int place, error = 0;

	if (likely(!all))
		return 0;
	lock_take(&process->lock);
	place = find(all, from);
	if (place >= 0) {
		error = put_in(all, to, all->open[place].file) ? 0 : -ENOMEM;
	} else {
		place = find(all, to);
		if (place >= 0)
			take_out(all, (unsigned int)place);
	}
	lock_drop(&process->lock);
	return error;
}

/* ---- timers ---- */

int signal_files_begin(void)
{
	return turn_take(&files_of(process_current())->turn);
}

void signal_files_end(void)
{
	turn_end(&files_of(process_current())->turn);
}

/*
 * What the running thread could read, and others that wait as it does: a timer says the
 * same to all of them, as nothing else than a signal to one thread alone would need.
 */
static signal_set_t pending_for_all(struct process *process)
{
	signal_set_t set = process->pending.set | thread_current()->signals.pending.set;
	struct thread *thread;
	struct list *pos;

	LIST_FOR_EACH(pos, &process->threads) {
		thread = signal_thread_of(pos);
		if (thread->signals.watching)
			set |= thread->signals.pending.set;
	}
	return set;
}

bool signal_files_next(struct signal_file_change *change)
{
	struct process *process = process_current();
	struct signal_files *all = files_of(process);
	struct signal_file *file;
	signal_set_t pending;
	unsigned int i;
	bool readable;

	change->file = NULL;
	lock_take(&process->lock);
	pending = pending_for_all(process);
	for (i = 0; i < all->count && !change->file; i++) {
		file = all->open[i].file;
		readable = (pending & file->set) != 0;
		if (readable != file->readable || (readable && file->news)) {
			*change = (struct signal_file_change){ file, all->open[i].fd, readable };
			file->readable = readable;
			file->references++;
		}
		file->news = false;
	}
	lock_drop(&process->lock);
	return change->file != NULL;
}

void signal_files_failed(struct signal_file_change *change)
{
	struct process *process = process_current();

	lock_take(&process->lock);
	change->file->readable = !change->readable;
	put(change->file);
	lock_drop(&process->lock);
}
