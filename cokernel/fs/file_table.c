/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/file_table.h"

#include "fs/memory_file.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "task/process.h"
#include "task/thread.h"

#define ROOM_LEAST 64u
#define ROOM_MOST (1u << 16) /* more descriptors than that, and high ones are refused */

static bool has_any(const struct file_table *table)
{
	return __atomic_load_n(&table->used, __ATOMIC_ACQUIRE) != 0;
}

bool file_table_any(void)
{
	return has_any(&process_current()->file_table);
}

struct open_file *file_table_get_of(struct file_table *table, int fd)
{
	struct open_file *open = NULL;

	if (likely(!has_any(table)))
		return NULL;
	lock_take(&table->lock);
	if (fd >= 0 && (unsigned int)fd < table->room)
		open = table->files[fd];
	if (open)
		open_file_get(open);
	lock_drop(&table->lock);
	return open;
}

struct open_file *file_table_get(int fd)
{
	return file_table_get_of(&process_current()->file_table, fd);
}

/* Room for FD; the lock is not held. */
static int make_room(struct file_table *table, unsigned int fd)
{
	unsigned int room = ROOM_LEAST;
	struct open_file **new, **old;
	uint64_t *new_bits, *old_bits;

	/* Whatever a proxy says that its descriptor is */
	if (fd >= ROOM_MOST)
		return -ENOMEM;
	while (room <= fd)
		room *= 2;
	new = heap_alloc_zero(room * sizeof(struct open_file *));
	new_bits = heap_alloc_zero(room / 8);
	if (!new || !new_bits) {
		heap_free(new);
		heap_free(new_bits);
		return -ENOMEM;
	}
	lock_take(&table->lock);
	old = new;
	old_bits = new_bits;
	if (table->room < room) {
		old = table->files;
		old_bits = table->close_on_exec;
		if (old) {
			memcpy(new, old, table->room * sizeof(struct open_file *));
			memcpy(new_bits, old_bits, table->room / 8);
		}
		table->files = new;
		table->close_on_exec = new_bits;
		table->room = room;
	}
	lock_drop(&table->lock);
	heap_free(old);
	heap_free(old_bits);
	return 0;
}

/* Under the lock, FD below room. */
static void set_flag(struct file_table *table, unsigned int fd, bool close_on_exec)
{
	if (close_on_exec)
		table->close_on_exec[fd / 64] |= 1ull << (fd % 64);
	else
		table->close_on_exec[fd / 64] &= ~(1ull << (fd % 64));
}

int file_table_set(int fd, struct open_file *open)
{
	struct file_table *table = &process_current()->file_table;
	struct open_file *before = NULL;
	unsigned int used;

	if (!open && likely(!file_table_any()))
		return 0;
	if (open && make_room(table, (unsigned int)fd) != 0) {
		open_file_put(open);
		return -ENOMEM;
	}
	lock_take(&table->lock);
	if (fd >= 0 && (unsigned int)fd < table->room) {
		before = table->files[fd];
		table->files[fd] = open;
		set_flag(table, (unsigned int)fd, false);
		used = table->used + (open ? 1 : 0) - (before ? 1 : 0);
		__atomic_store_n(&table->used, used, __ATOMIC_RELEASE);
	}
	lock_drop(&table->lock);
	if (before)
		open_file_put(before);
	return 0;
}

void file_table_forget(uint32_t first, uint32_t last)
{
	const struct file_table *table = &process_current()->file_table;

	/* It only grows; what is above its end is the proxy's. */
	for (uint32_t fd = first; fd <= last && fd < table->room; fd++)
		file_table_set((int)fd, NULL);
}

/* The lowest free one, and takes it for OPEN; -EAGAIN: the table must grow to the number in *FD. */
static int add_locked(struct file_table *table, struct open_file *open, unsigned int least,
		      unsigned int limit, bool close_on_exec, unsigned int *fd)
{
	for (*fd = least; *fd < table->room && table->files[*fd]; ++*fd)
		;
	if (*fd >= limit)
		return -EMFILE;
	if (*fd >= table->room)
		return -EAGAIN;
	table->files[*fd] = open;
	set_flag(table, *fd, close_on_exec);
	__atomic_store_n(&table->used, table->used + 1, __ATOMIC_RELEASE);
	return (int)*fd;
}

int file_table_add(struct open_file *open, unsigned int least, unsigned int limit,
		   bool close_on_exec)
{
	struct file_table *table = &process_current()->file_table;
	unsigned int fd;
	int result;

	do {
		lock_take(&table->lock);
		result = add_locked(table, open, least, limit, close_on_exec, &fd);
		lock_drop(&table->lock);
		if (result == -EAGAIN && make_room(table, fd) != 0)
			result = -ENOMEM;
	} while (result == -EAGAIN);
	if (result < 0)
		open_file_put(open);
	return result;
}

bool file_table_has_room(unsigned int limit)
{
	struct file_table *table = &process_current()->file_table;
	unsigned int fd;

	lock_take(&table->lock);
	for (fd = 0; fd < table->room && table->files[fd]; fd++)
		;
	lock_drop(&table->lock);
	return fd < limit;
}

int file_table_close(int fd)
{
	struct file_table *table = &process_current()->file_table;
	struct open_file *before = NULL;

	lock_take(&table->lock);
	if (fd >= 0 && (unsigned int)fd < table->room)
		before = table->files[fd];
	if (before) {
		table->files[fd] = NULL;
		__atomic_store_n(&table->used, table->used - 1, __ATOMIC_RELEASE);
	}
	lock_drop(&table->lock);
	if (!before)
		return -EBADF;
	open_file_put(before);
	return 0;
}

int file_table_get_flag(int fd)
{
	struct file_table *table = &process_current()->file_table;
	int result = -EBADF;

	lock_take(&table->lock);
	if (fd >= 0 && (unsigned int)fd < table->room && table->files[fd])
		result = table->close_on_exec[fd / 64] >> (fd % 64) & 1;
	lock_drop(&table->lock);
	return result;
}

int file_table_set_flag(int fd, bool close_on_exec)
{
	struct file_table *table = &process_current()->file_table;
	int result = -EBADF;

	lock_take(&table->lock);
	if (fd >= 0 && (unsigned int)fd < table->room && table->files[fd]) {
		set_flag(table, (unsigned int)fd, close_on_exec);
		result = 0;
	}
	lock_drop(&table->lock);
	return result;
}

void file_table_close_on_exec(struct file_table *table)
{
	for (unsigned int fd = 0; fd < table->room; fd++) {
		if (file_table_get_flag((int)fd) > 0)
			file_table_close((int)fd);
	}
}

void file_table_destroy(struct file_table *table)
{
	for (unsigned int i = 0; i < table->room; i++) {
		if (table->files[i])
			open_file_put(table->files[i]);
	}
	heap_free(table->files);
	heap_free(table->close_on_exec);
}
