/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of fs/mapped_*.c share. */
#ifndef CK_FS_MAPPED_INTERNAL_H
#define CK_FS_MAPPED_INTERNAL_H

#include "fs/mapped_file.h"
#include "fs/status.h"
#include "lib/list.h"
#include "task/turn.h"

struct object;

struct mapped_file {
	struct list link; /* in the list of all */
	uint64_t device, inode;
	uint32_t uid;
	unsigned int holds; /* its users, and who is at it; under the lock of the list */
	struct object *object;
	struct turn turn;  /* of who fills it, writes it back, or changes the below */
	struct list users; /* who maps it: their address spaces live as long as they are here */
};

/* Of one process. */
struct file_user {
	struct list of_file;
	struct list of_process; /* under the lock of the list of files */
	struct mapped_file *file;
	struct process *process;
	int fd; /* the proxy's, kept by us */
	bool may_write; /* FD can */
	bool touched; /* something of it was unmapped; under the lock of the list */
};

/* What could not be written back, for who says it when the turn is over. */
struct mapped_loss {
	int64_t error; /* 0: nothing */
	uint64_t pages;
	char path[160]; /* empty: it has none that can be had */
};

/* ---- mapped_list.c. All that is found comes with a hold; the lists have a lock. ---- */

/* That of STATUS. NULL: nobody maps it, or, to MAKE it, out of memory. */
struct mapped_file *mapped_find(const struct user_stat *status, bool make);

/*
 * What the running process maps: the next after the one of *NUMBER (0 to begin with), of
 * those that are TOUCHED, which it is not any more, or of all. That of OBJECT. Or NULL.
 */
struct mapped_file *mapped_next(uint64_t *number, bool touched);
struct mapped_file *mapped_of(const struct object *object);
void mapped_put(struct mapped_file *file);

/* Does it map any? Has one of these been written? Touches that of OBJECT: false: it is none. */
bool mapped_any(void);
bool mapped_any_marked(void);
bool mapped_touch(const struct object *object);

/* The running process becomes USER, from the heap, of FILE; and goes. In the turn. */
void mapped_add_user(struct mapped_file *file, struct file_user *user);
void mapped_remove_user(struct file_user *user);

/* The running process among the users of FILE, or NULL. In the turn. */
struct file_user *mapped_user(struct mapped_file *file);

/* ---- mapped_file.c ---- */

/*
 * The turn of FILE, and calls to Linux that nothing breaks off: an old page must not be
 * written behind a new one. 0, or -EINTR if the process ends.
 */
int mapped_begin(struct mapped_file *file);
void mapped_end(struct mapped_file *file);

/* Takes in the size that the file has now, by USER's descriptor. 0 or -errno. In the turn. */
int mapped_settle(struct mapped_file *file, const struct file_user *user);

/* ---- mapped_write.c, in the turn ---- */

/* A descriptor for us, a copy of FD, whose fcntl(F_GETFL) is FLAGS; or -errno. */
int64_t mapped_descriptor(int fd, int64_t flags);

/* Closes USER's descriptor, if that does no harm. */
void mapped_drop_descriptor(const struct file_user *user);

/*
 * Writes back what was written of [start, end), by USER's descriptor. 0 or -errno: then what
 * was not is as written as before. Nothing if USER cannot write.
 */
int mapped_write_back(struct mapped_file *file, struct file_user *user, uint64_t start,
		      uint64_t end);

/* What is lost if nobody else writes back what USER could not, for ERROR. */
void mapped_note_loss(const struct mapped_file *file, const struct file_user *user, int64_t error,
		      struct mapped_loss *loss);

/* Says it. Not in the turn. */
void mapped_report_loss(struct process *process, const struct mapped_loss *loss);

#endif
