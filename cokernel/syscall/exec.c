/* SPDX-License-Identifier: GPL-2.0-or-later */
/* execve(2): task/exec_replace.c. */
#include "syscall/handlers.h"
#include "task/exec.h"

int64_t syscall_execve(const struct syscall_args *args)
{
	return exec_replace(args->a[0], args->a[1], args->a[2]);
}
