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

struct open_file *file_table_get(int fd)
{
	struct file_table *table = &process_current()->file_table;
	struct open_file *open = NULL;

	if (likely(__atomic_load_n(&table->used, __ATOMIC_ACQUIRE) == 0))
		return NULL;
	lock_take(&table->lock);
	if (fd >= 0 && (unsigned int)fd < table->room)
		open = table->files[fd];
	if (open)
		open_file_get(open);
	lock_drop(&table->lock);
	return open;
}

/* Room for FD; the lock is not held. */
static int make_room(struct file_table *table, unsigned int fd)
{
	unsigned int room = ROOM_LEAST;
	struct open_file **new, **old;

	/* Whatever a proxy says that its descriptor is */
	if (fd >= ROOM_MOST)
		return -ENOMEM;
	while (room <= fd)
		room *= 2;
	new = heap_alloc_zero(room * sizeof(struct open_file *));
	if (!new)
		return -ENOMEM;
	lock_take(&table->lock);
	old = new;
	if (table->room < room) {
		old = table->files;
		if (old)
			memcpy(new, old, table->room * sizeof(struct open_file *));
		table->files = new;
		table->room = room;
	}
	lock_drop(&table->lock);
	heap_free(old);
	return 0;
}

int file_table_set(int fd, struct open_file *open)
{
	struct file_table *table = &process_current()->file_table;
	struct open_file *before = NULL;
	unsigned int used;

	if (!open && likely(__atomic_load_n(&table->used, __ATOMIC_ACQUIRE) == 0))
		return 0;
	if (open && make_room(table, (unsigned int)fd) != 0) {
		open_file_put(open);
		return -ENOMEM;
	}
	lock_take(&table->lock);
	if (fd >= 0 && (unsigned int)fd < table->room) {
		before = table->files[fd];
		table->files[fd] = open;
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

void file_table_destroy(struct file_table *table)
{
	for (unsigned int i = 0; i < table->room; i++) {
		if (table->files[i])
			open_file_put(table->files[i]);
	}
	heap_free(table->files);
}
