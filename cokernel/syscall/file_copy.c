/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From one descriptor to another, within Linux: not for memory files, which are ours; pipes
 * become Linux's; and of mapped files what was written to the mapping goes first.
 */
#include <asm/unistd_64.h>

#include "fs/mapped_file.h"
#include "syscall/describe.h"
#include "syscall/handlers.h"
#include "syscall/own_file.h"
#include "syscall/pipe.h"

/* From descriptor FROM to TO. */
static int64_t copy(const struct description *description, const struct syscall_args *args,
		    int from, int to)
{
	int64_t result = file_to_linux(from);

	if (result == 0)
		result = file_to_linux(to);
	if (result < 0)
		return result;
	mapped_file_sync_fd(from);
	mapped_file_sync_fd(to);
	result = describe_call(description, args->a);
	/* Wherever it went. */
	if (result > 0)
		mapped_file_after_write(to, 0, INT64_MAX);
	return result;
}

/* Between descriptors Linux would copy what is there: nothing. Programs know another way. */
int64_t syscall_sendfile(const struct syscall_args *args)
{
	static const struct description description = {
		__NR_sendfile, { VALUE, VALUE, { .kind = ARG_INOUT_OPTIONAL, .size = 8 } },
	};

	if (file_is_own((int)args->a[0]) || file_is_own((int)args->a[1]))
		return -EINVAL;
	return copy(&description, args, (int)args->a[1], (int)args->a[0]);
}

int64_t syscall_copy_file_range(const struct syscall_args *args)
{
	static const struct description description = {
		__NR_copy_file_range,
		{ VALUE, { .kind = ARG_INOUT_OPTIONAL, .size = 8 }, VALUE,
		  { .kind = ARG_INOUT_OPTIONAL, .size = 8 } },
	};

	if (file_is_own((int)args->a[0]) || file_is_own((int)args->a[2]))
		return -EXDEV;
	return copy(&description, args, (int)args->a[0], (int)args->a[2]);
}

int64_t syscall_splice(const struct syscall_args *args)
{
	static const struct description description = {
		__NR_splice, { VALUE, OFFSET, VALUE, OFFSET },
	};

	return copy(&description, args, (int)args->a[0], (int)args->a[2]);
}

int64_t syscall_tee(const struct syscall_args *args)
{
	static const struct description description = { __NR_tee, { VALUE } };

	return copy(&description, args, (int)args->a[0], (int)args->a[1]);
}
