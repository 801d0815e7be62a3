/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that a C library makes and that change nothing for others: rseq, restart_syscall. */
#include "syscall/handlers.h"
#include "task/rseq.h"

#define FLAG_UNREGISTER 1u

int64_t syscall_rseq(const struct syscall_args *args)
{
	uint32_t size = (uint32_t)args->a[1], signature = (uint32_t)args->a[3];

	if ((uint32_t)args->a[2] & ~FLAG_UNREGISTER)
		return -EINVAL;
	if ((uint32_t)args->a[2] & FLAG_UNREGISTER)
		return rseq_unregister(args->a[0], size, signature);
	return rseq_register(args->a[0], size, signature);
}

/* A call is done again by itself, so nothing is ever left to be restarted by this one. */
int64_t syscall_restart_syscall(const struct syscall_args *args)
{
	(void)args;
	return -EINTR;
}
