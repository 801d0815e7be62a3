/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clone(2) for threads. New processes are not made here: ENOSYS, counted. */
#include <linux/sched.h>

#include "arch/context.h"
#include "arch/frame.h"
#include "mm/heap.h"
#include "syscall/handlers.h"
#include "task/process.h"
#include "task/sched.h"
#include "task/thread.h"

/* What makes the new one a thread of this process. */
#define THREAD_FLAGS (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)
#define KNOWN_FLAGS                                                                         \
	(THREAD_FLAGS | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_SETTLS |              \
	 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | CLONE_DETACHED |  \
	 CLONE_UNTRACED | CLONE_IO | CLONE_PTRACE)

/* clone3(2) as far as it is about threads: struct clone_args of the ABI. */
struct clone_request {
	uint64_t flags;
	user_addr_t pidfd;
	user_addr_t child_tid;
	user_addr_t parent_tid;
	uint64_t exit_signal;
	user_addr_t stack;
	uint64_t stack_size;
	user_addr_t tls;
};
#define CLONE3_MOST 4096u

struct child_start {
	struct frame frame;
	user_addr_t set_tid;
};

static void child_main(void *argument)
{
	struct child_start start = *(struct child_start *)argument;
	struct thread *self = thread_current();
	uint32_t tid = self->tid;

	heap_free(argument);
	/* As the ABI has it: a bad address is not this thread's to report. */
	if (start.set_tid && copy_to_user(start.set_tid, &tid, sizeof(tid)) != 0)
		start.set_tid = 0;
	context_enter_user(&self->context, &start.frame);
}

static int64_t make_thread(const struct clone_request *request)
{
	struct thread *self = thread_current(), *child;
	struct child_start *start;
	uint64_t flags = request->flags;
	uint32_t tid;
	int error;

	if ((flags & THREAD_FLAGS) != THREAD_FLAGS)
		return -ENOSYS;
	if (flags & ~(uint64_t)KNOWN_FLAGS)
		return -EINVAL;
	if ((flags & CLONE_SETTLS) && request->tls >= USER_END)
		return -EPERM;
	start = heap_alloc(sizeof(*start));
	if (!start)
		return -ENOMEM;
	child = thread_create(self->process, tid_allocate(), self->cpus, child_main, start, &error);
	if (!child) {
		heap_free(start);
		/* A process that ends has no use for the answer. */
		return error == ENOMEM ? -EAGAIN : -EINTR;
	}
	tid = child->tid;
	start->frame = *syscall_frame();
	start->frame.rax = 0;
	/* It returns from no call of its own that could be done again. */
	start->frame.vector = 0;
	if (request->stack)
		start->frame.rsp = request->stack;
	start->set_tid = flags & CLONE_CHILD_SETTID ? request->child_tid : 0;
	fpu_copy(&child->context, &self->context);
	child->context.fs_base = flags & CLONE_SETTLS ? request->tls : context_fs_base();
	child->context.gs_base = context_gs_base();
	child->context.selectors = context_selectors();
	child->signals.blocked = self->signals.blocked;
	child->sched_policy = self->sched_policy;
	child->nice = self->nice;
	if (flags & CLONE_CHILD_CLEARTID)
		child->clear_child_tid = request->child_tid;
	for (unsigned int i = 0; i < sizeof(child->name); i++)
		child->name[i] = self->name[i];
	if ((flags & CLONE_PARENT_SETTID) &&
	    copy_to_user(request->parent_tid, &tid, sizeof(tid)) != 0) {
		thread_discard(child);
		heap_free(start);
		return -EFAULT;
	}
	thread_start(child);
	return tid;
}

int64_t syscall_clone(const struct syscall_args *args)
{
	const struct clone_request request = {
		/* The low byte is the signal for a parent, which a thread does not send. */
		.flags = args->a[0] & ~0xffull,
		.stack = args->a[1],
		.parent_tid = args->a[2],
		.child_tid = args->a[3],
		.tls = args->a[4],
	};

	return make_thread(&request);
}

int64_t syscall_clone3(const struct syscall_args *args)
{
	struct clone_request request;
	uint64_t size = args->a[1], more;
	user_addr_t at;

	if (size < sizeof(request))
		return -EINVAL;
	if (size > CLONE3_MOST)
		return -E2BIG;
	if (copy_from_user(&request, args->a[0], sizeof(request)) != 0)
		return -EFAULT;
	/* Fields that we do not know must ask for nothing. */
	for (at = args->a[0] + sizeof(request); at + 8 <= args->a[0] + size; at += 8) {
		if (copy_from_user(&more, at, sizeof(more)) != 0)
			return -EFAULT;
		if (more != 0)
			return -ENOSYS;
	}
	if ((request.flags & 0xff) || request.exit_signal)
		return request.flags & CLONE_THREAD ? -EINVAL : -ENOSYS;
	if ((request.stack == 0) != (request.stack_size == 0))
		return -EINVAL;
	request.stack += request.stack_size;
	return make_thread(&request);
}
