/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a staged program has written to its standard streams, in the order of the writes,
 * until its end. Any thread of the process; not in a turn of the stage.
 */
#ifndef CK_FS_STAGE_LOG_H
#define CK_FS_STAGE_LOG_H

#include "lib/types.h"

struct stage_log;

/* NULL: out of memory. */
struct stage_log *stage_log_create(void);
void stage_log_destroy(struct stage_log *log);

struct vector;

/*
 * As writev(2) of COUNT PARTS (syscall/vector.h) to STREAM, 1 or 2: what others write comes
 * before or behind all of them. -ENOSPC: the enclave has no memory for it.
 */
int64_t stage_log_write(struct stage_log *log, uint32_t stream, const struct vector *parts,
			uint64_t count);

/*
 * Gives all of it to FN, piece by piece and in order, until that says something else
 * than 0, which is returned. Nobody writes any more.
 */
int stage_log_read(struct stage_log *log,
		   int (*fn)(uint32_t stream, const void *bytes, uint64_t size, void *argument),
		   void *argument);

#endif
