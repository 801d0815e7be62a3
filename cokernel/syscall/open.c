/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that do not mean on Linux what they mean to a program in an enclave: fs/. */
#include <asm/unistd_64.h>

#include "fs/own.h"
#include "fs/shared_names.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "syscall/describe.h"
#include "syscall/handlers.h"
#include "syscall/own_file.h"
#include "task/process.h"
#include "task/thread.h"

/* Names of ours are short; a longer one is Linux's. */
static bool load_path(user_addr_t from, char *path, size_t size)
{
	return string_from_user(path, from, size) > 0 && path[0] == '/';
}

int64_t syscall_openat(const struct syscall_args *args)
{
	static const struct description description = { __NR_openat, { VALUE, PATH } };
	char path[SHARED_PATH_MOST + 1];
	int64_t result;

	if (load_path(args->a[1], path, sizeof(path)) &&
	    (own_open(path, (uint32_t)args->a[2], &result) ||
	     own_file_open(path, (uint32_t)args->a[2], (uint32_t)args->a[3], &result)))
		return result;
	return describe_call(&description, args->a);
}

int64_t syscall_readlinkat(const struct syscall_args *args)
{
	static const struct description description = {
		__NR_readlinkat, { VALUE, PATH, OUT_BUFFER(3) },
	};
	char path[OWN_PATH_MOST];
	const char *target;
	uint64_t size;

	if (!load_path(args->a[1], path, sizeof(path)))
		return describe_call(&description, args->a);
	target = own_link(path);
	if (!target)
		return describe_call(&description, args->a);
	if ((int32_t)args->a[3] <= 0)
		return -EINVAL;
	/* As readlink(2): no NUL, cut at the buffer's end. */
	size = min_u64(strlen(target), args->a[3]);
	return copy_to_user(args->a[2], target, size) != 0 ? -EFAULT : (int64_t)size;
}
