/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * membarrier(2): every CPU that runs the program passes through the co-kernel, by the
 * requests of arch/tlb.h, which are answered before they return.
 */
#include <linux/membarrier.h>

#include "arch/tlb.h"
#include "syscall/handlers.h"
#include "task/process.h"
#include "task/rseq.h"
#include "task/thread.h"

/* Not the one that makes CPUs fetch changed code anew: a return by SYSRET does not. */
#define SUPPORTED                                                                           \
	(MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |                           \
	 MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED |       \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ | \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ)

int64_t syscall_membarrier(const struct syscall_args *args)
{
	struct process *process = process_current();
	uint32_t command = (uint32_t)args->a[0], flags = (uint32_t)args->a[1];

	if (flags != 0 && (command != MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ ||
			   flags != MEMBARRIER_CMD_FLAG_CPU))
		return -EINVAL;
	switch (command) {
	case MEMBARRIER_CMD_QUERY:
		return SUPPORTED;
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
		return 0;
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
		process->barriers = true;
		return 0;
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ:
		process->barriers_rseq = true;
		return 0;
	case MEMBARRIER_CMD_GLOBAL:
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		/* Memory is shared with no other program of which it would have to be true. */
		break;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
		if (!process->barriers)
			return -EPERM;
		break;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ:
		if (!process->barriers_rseq)
			return -EPERM;
		rseq_disturb(process);
		break;
	default:
		return -EINVAL;
	}
	tlb_flush(process->aspace, 0, 0);
	return 0;
}
