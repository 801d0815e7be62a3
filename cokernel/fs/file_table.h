/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of a process's descriptors are memory files (fs/memory_file.h) or ends of pipes
 * (fs/pipe.h). All others are the proxy's alone, and most processes have no such table at all. With staged I/O
 * all descriptors are here, and what is not here is none.
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
	uint64_t *close_on_exec; /* one bit each; with forwarded I/O, it is the proxy that knows */
};

/* Has the running process any? */
bool file_table_any(void);

/* That of FD with a reference, or NULL. Of the running process. */
struct open_file *file_table_get(int fd);

/* The same of another process, which is there meanwhile. */
struct open_file *file_table_get_of(struct file_table *table, int fd);

/*
 * FD is OPEN from now on, whose reference it takes over; NULL: it is the proxy's. What
 * was there is closed. 0, or -ENOMEM with the reference given back.
 */
int file_table_set(int fd, struct open_file *open);

/* Descriptors FIRST to LAST are about to be closed. */
void file_table_forget(uint32_t first, uint32_t last);

/* ---- staged I/O: numbers are given here ---- */

/*
 * OPEN, whose reference is taken over, gets the lowest free number from LEAST on, below
 * LIMIT. That number, or -EMFILE or -ENOMEM with the reference given back.
 */
int file_table_add(struct open_file *open, unsigned int least, unsigned int limit,
		   bool close_on_exec);

/* Is a number below LIMIT free? Another thread may take it meanwhile. */
bool file_table_has_room(unsigned int limit);

/* 0 or -EBADF. */
int file_table_close(int fd);
int file_table_get_flag(int fd);
int file_table_set_flag(int fd, bool close_on_exec);

/* Closes all that have the flag. */
void file_table_close_on_exec(struct file_table *table);

void file_table_destroy(struct file_table *table);

#endif
