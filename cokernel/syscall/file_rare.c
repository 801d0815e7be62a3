/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls on files that few programs use; all are sent as they are, or in their newer form. */
#include <asm/unistd_64.h>

#include "syscall/describe.h"
#include "syscall/handlers.h"

/* As Linux: a longer value of an attribute is E2BIG. */
#define ATTRIBUTE_MOST 0x10000u
/* Of which this much gets through a channel beside two paths. */
#define ATTRIBUTE_SENT 0x8000u

FORWARD(getdents, VALUE, OUT_BUFFER(2))
FORWARD(mknodat, VALUE, PATH)
FORWARD(utime, PATH, IN_OPTIONAL(16))
FORWARD(utimes, PATH, IN_OPTIONAL(32))
FORWARD(futimesat, VALUE, OPTIONAL_PATH, IN_OPTIONAL(32))
FORWARD(readahead, VALUE)
FORWARD(removexattr, PATH, PATH)
FORWARD(lremovexattr, PATH, PATH)
FORWARD(fremovexattr, VALUE, PATH)

int64_t syscall_mknod(const struct syscall_args *args)
{
	const struct syscall_args all = { { CWD, args->a[0], args->a[1], args->a[2] } };

	return syscall_mknodat(&all);
}

static int64_t set_attribute(const struct description *description,
			     const struct syscall_args *args)
{
	if (args->a[3] > ATTRIBUTE_MOST)
		return -E2BIG;
	if (args->a[3] > ATTRIBUTE_SENT)
		return -ENOSPC;
	return describe_call(description, args->a);
}

#define SET_ATTRIBUTE(name, file)                                                       \
	int64_t syscall_##name(const struct syscall_args *args)                          \
	{                                                                                \
		static const struct description description = {                          \
			__NR_##name, { file, PATH, IN_BUFFER(3, ATTRIBUTE_SENT) },       \
		};                                                                       \
                                                                                         \
		return set_attribute(&description, args);                                \
	}

SET_ATTRIBUTE(setxattr, PATH)
SET_ATTRIBUTE(lsetxattr, PATH)
SET_ATTRIBUTE(fsetxattr, VALUE)
