/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls of a process with staged I/O: what others have forwarded has a handler
 * of its own here, staged_<name>(), for each FORWARDED or EITHER call of the list. One
 * that is missing is missing for the linker.
 */
#ifndef CK_SYSCALL_STAGED_H
#define CK_SYSCALL_STAGED_H

#include "fs/memory_file.h"
#include "fs/stage_name.h"
#include "fs/stage_open.h"
#include "fs/staged.h"
#include "syscall/handlers.h"

#define CALL(number, name, kind) int64_t staged_##name(const struct syscall_args *args);
#include "syscall/list.h"
#undef CALL

/* HANDLER with these arguments: for older forms of calls. */
static inline int64_t staged_call(syscall_handler_t handler, uint64_t a, uint64_t b, uint64_t c,
				  uint64_t d, uint64_t e)
{
	const struct syscall_args args = { { a, b, c, d, e } };

	return handler(&args);
}

/* A path of the program's: a copy, for heap_free(). 0 or -errno. EMPTY: it may be that, or NULL. */
int staged_load_path(user_addr_t from, bool empty, char **path);

/* The directory that DIR says, AT_FDCWD or a descriptor, with a reference. 0 or -errno. */
int staged_directory(int dir, const char *path, struct stage_node **directory);

/*
 * The node that DIR and the program's PATH name, with a reference. EMPTY: an empty path is
 * DIR itself, whatever that is. FLAGS of stage_walk(). 0 or -errno.
 */
int staged_node(int dir, user_addr_t path, unsigned int flags, bool empty,
		struct stage_node **node);

/* That descriptor FD has open, with a reference. 0, -EBADF. */
int staged_open_node(int fd, struct stage_node **node);

#endif
