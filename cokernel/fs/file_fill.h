/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects that have what Linux has in a file, read by the running process's proxy. One
 * at a time fills an object.
 */
#ifndef CK_FS_FILE_FILL_H
#define CK_FS_FILE_FILL_H

#include "lib/types.h"

struct object;

/* What OBJECT does not have of pages [at, end) comes from FD. 0 or -errno. */
int file_fill(struct object *object, int fd, uint64_t at, uint64_t end);

/* And what it has of these bytes comes again. 0 or -errno. */
int file_refill(struct object *object, int fd, uint64_t at, uint64_t end);

#endif
