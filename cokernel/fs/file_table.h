/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of a process's descriptors are memory files (fs/memory_file.h). All others
 * are the proxy's alone, and most processes have no such table at all.
 */
#ifndef CK_FS_FILE_TABLE_H
#define CK_FS_FILE_TABLE_H

#include "lib/lock.h"
#include "lib/types.h"

struct open_file;

struct file_table {
	struct lock lock;
	unsigned int used; /* how many are not NULL; read without the lock */
	unsigned int room;
	struct open_file **files;
};

/* That of FD with a reference, or NULL. Of the running process. */
struct open_file *file_table_get(int fd);

/*
 * FD is OPEN from now on, whose reference it takes over; NULL: it is the proxy's. What
 * was there is closed. 0, or -ENOMEM with the reference given back.
 */
int file_table_set(int fd, struct open_file *open);

/* Descriptors FIRST to LAST are about to be closed. */
void file_table_forget(uint32_t first, uint32_t last);

void file_table_destroy(struct file_table *table);

#endif
