/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "syscall/syscall.h"

#include "arch/context.h"
#include "arch/trap.h"
#include "boot/boot.h"
#include "lib/errno.h"
#include "task/thread.h"

#define CALL(number, name, kind) int64_t syscall_##name(const struct syscall_args *args);
#include "syscall/list.h"
#undef CALL

const struct syscall_entry syscall_table[SYSCALL_TABLE_SIZE] = {
#define CALL(number, name, kind) [number] = { #name, syscall_##name, SYSCALL_##kind },
#include "syscall/list.h"
#undef CALL
};

struct frame *syscall_frame(void)
{
	return context_frame(&thread_current()->context);
}

/* For `pisces stat`: what a program asked for in vain. */
static void count_missing(uint64_t number)
{
	uint64_t last = PISCES_STATUS_CALLS - 1;

	__atomic_fetch_add(&boot_status->missing[number < last ? number : last], 1u,
			   __ATOMIC_RELAXED);
}

void syscall_dispatch(struct frame *frame)
{
	const struct syscall_args args = {
		{ frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9 },
	};
	uint64_t number = (uint32_t)frame->error;
	int64_t result = -ENOSYS;

	thread_current()->syscalls++;
	if (number < SYSCALL_TABLE_SIZE && syscall_table[number].handler)
		result = syscall_table[number].handler(&args);
	else if (number == SYSCALL_COUNT_OWN)
		result = (int64_t)thread_current()->syscalls;
	if (unlikely(result == -ENOSYS))
		count_missing(number);
	frame->rax = (uint64_t)result;
}
