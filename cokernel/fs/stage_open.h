/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open files of a stage: a struct open_file (memory_file.h) with a node. Not in a turn.
 * Regular files are read and written as memory files; what is different is here.
 */
#ifndef CK_FS_STAGE_OPEN_H
#define CK_FS_STAGE_OPEN_H

#include "fs/stage.h"

struct open_file;
struct vector;

/* Of open(2), besides those of status.h. */
#define OPEN_NON_BLOCKING 04000u
#define OPEN_DIRECTORY 0200000u
#define OPEN_NO_FOLLOW 0400000u
#define OPEN_PATH 010000000u
#define OPEN_TEMPORARY 020200000u

/* Of NODE, whose reference is taken over; given back on failure. FLAGS of open(2). 0 or -errno. */
int stage_open(struct stage_node *node, uint32_t flags, struct open_file **open);

/* As open_file_read_parts() and open_file_write_parts(), of whatever is open. */
int64_t stage_read(struct open_file *open, const struct vector *parts, uint64_t count,
		   uint64_t offset);
int64_t stage_write(struct open_file *open, const struct vector *parts, uint64_t count,
		    uint64_t offset);

int64_t stage_seek(struct open_file *open, int64_t offset, unsigned int whence);
int64_t stage_resize(struct open_file *open, int64_t size);
int64_t stage_allocate(struct open_file *open, uint32_t mode, int64_t offset, int64_t size);

/* What is written from now on is not seen here: a shared mapping that can be written. */
void stage_mark(struct open_file *open);

/* fstat(2), of what is no file of a stage too. */
void stage_status(const struct open_file *open, struct user_stat *status);

/* getdents64(2). */
int64_t stage_list(struct stage_view *view, struct open_file *open, user_addr_t to,
		   uint64_t size);

#endif
