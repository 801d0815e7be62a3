/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls on files of Linux that first want what was written to their mappings, or
 * change their size.
 */
#include <asm/unistd_64.h>

#include "fs/mapped_file.h"
#include "syscall/describe.h"
#include "syscall/handlers.h"

static int64_t send(uint32_t number, const struct syscall_args *args)
{
	const struct description description = { number, { VALUE } };

	return describe_call(&description, args->a);
}

static int64_t sync_one(uint32_t number, const struct syscall_args *args)
{
	int error = mapped_file_sync_fd((int)args->a[0]);

	return error ? error : send(number, args);
}

int64_t syscall_fsync(const struct syscall_args *args)
{
	return sync_one(__NR_fsync, args);
}

int64_t syscall_fdatasync(const struct syscall_args *args)
{
	return sync_one(__NR_fdatasync, args);
}

int64_t syscall_sync_file_range(const struct syscall_args *args)
{
	return sync_one(__NR_sync_file_range, args);
}

int64_t syscall_syncfs(const struct syscall_args *args)
{
	mapped_file_sync_all();
	return send(__NR_syncfs, args);
}

int64_t syscall_sync(const struct syscall_args *args)
{
	mapped_file_sync_all();
	return send(__NR_sync, args);
}

int64_t syscall_truncate(const struct syscall_args *args)
{
	static const struct description description = { __NR_truncate, { PATH } };
	int64_t result = describe_call(&description, args->a);

	mapped_file_resized();
	return result;
}
