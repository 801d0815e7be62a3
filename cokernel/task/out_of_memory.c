/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page that a program has touched cannot be had: its end, as with Linux's own
 * killer, but of nobody else, and with what there was and what was asked for.
 */
#include "arch/trap.h"
#include "mm/aspace.h"
#include "mm/page.h"
#include "task/process.h"
#include "task/thread.h"

/* What the process dies of is what happened first. */
static void note(struct process *process, user_addr_t address)
{
	struct memory_shortage shortage = {
		.address = address,
		.mapping = aspace_mapping(process->aspace, address),
		.resident = aspace_resident(process->aspace),
		.reserved = aspace_reserved(process->aspace),
		.total = page_total(),
		.free = page_free_bytes(),
	};

	if (!__atomic_test_and_set(&process->short_of_memory, __ATOMIC_ACQUIRE))
		process->shortage = shortage;
}

void out_of_memory(user_addr_t address, bool in_call)
{
	struct process *process = process_current();

	note(process, address);
	/* A call may hold locks that ending a process needs. It fails, and on its way out... */
	if (in_call)
		thread_current()->short_of_memory = true;
	else
		process_end(process, WAIT_SIGNALED(SIGNAL_KILL));
}

void out_of_memory_end(struct thread *thread)
{
	thread->short_of_memory = false;
	process_end(thread->process, WAIT_SIGNALED(SIGNAL_KILL));
}

/* By the last thread, since a fault in the middle of a call is no place to sleep. */
void out_of_memory_report(struct process *process)
{
	const struct memory_shortage *shortage = &process->shortage;

	if (!process->short_of_memory || shortage->total == 0)
		return;
	process_report(process,
		       "%s: out of memory: the enclave has %lu MiB, %lu KiB of them free; this task "
		       "has %lu MiB of %lu MiB that it reserved, and asked for more at address "
		       "0x%lx, in a mapping of %lu KiB; give it more with --enclave-mem (srun) or "
		       "--mem (pisces run)",
		       process_name(process), shortage->total >> 20, shortage->free >> 10,
		       shortage->resident >> 20, shortage->reserved >> 20, shortage->address,
		       shortage->mapping >> 10);
}
