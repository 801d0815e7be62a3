/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "syscall/syscall.h"

#include <asm/unistd_64.h>

#include "arch/context.h"
#include "arch/trap.h"
#include "boot/boot.h"
#include "lib/errno.h"
#include "task/process.h"
#include "task/thread.h"

#define CALL(number, name, kind) int64_t syscall_##name(const struct syscall_args *args);
#include "syscall/list.h"
#undef CALL

const struct syscall_entry syscall_table[SYSCALL_TABLE_SIZE] = {
#define CALL(number, name, kind) [number] = { #name, syscall_##name, SYSCALL_##kind },
#include "syscall/list.h"
#undef CALL
};

#define CALL(number, name, kind) int64_t staged_##name(const struct syscall_args *args);
#include "syscall/list.h"
#undef CALL

#define HANDLER_INSIDE(name) syscall_##name
#define HANDLER_FORWARDED(name) staged_##name
#define HANDLER_EITHER(name) staged_##name

const struct syscall_entry syscall_staged_table[SYSCALL_TABLE_SIZE] = {
#define CALL(number, name, kind) [number] = { #name, HANDLER_##kind(name), SYSCALL_INSIDE },
#include "syscall/list.h"
#undef CALL
};

struct frame *syscall_frame(void)
{
	return context_frame(&thread_current()->context);
}

/* Once for a program, whose own words for ENOSYS seldom say what it was that it wanted. */
static void tell_no_fork(struct process *process)
{
	if (!__atomic_exchange_n(&process->told_no_fork, true, __ATOMIC_RELAXED))
		process_report(process,
			       "no new process for %s: an enclave has threads, but no fork(2)",
			       process_name(process));
}

/* A program asked for it in vain: `pisces stat` shows how often. */
static void missing(struct process *process, uint64_t number)
{
	uint64_t last = PISCES_STATUS_CALLS - 1;

	__atomic_fetch_add(&boot_status->missing[number < last ? number : last], 1u,
			   __ATOMIC_RELAXED);
	if (number == __NR_fork || number == __NR_vfork || number == __NR_clone ||
	    number == __NR_clone3)
		tell_no_fork(process);
}

void syscall_dispatch(struct frame *frame)
{
	const struct syscall_args args = {
		{ frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9 },
	};
	struct thread *self = thread_current();
	const struct syscall_entry *table = likely(!self->process->staged) ? syscall_table :
									      syscall_staged_table;
	uint64_t number = (uint32_t)frame->error;
	int64_t result = -ENOSYS;

	self->context.calls++;
	if (number < SYSCALL_TABLE_SIZE && table[number].handler)
		result = table[number].handler(&args);
	else if (number == SYSCALL_COUNT_OWN)
		result = (int64_t)self->context.calls;
	if (unlikely(result == -ENOSYS))
		missing(self->process, number);
	frame->rax = (uint64_t)result;
}
