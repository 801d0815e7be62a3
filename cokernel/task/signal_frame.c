/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frame that a handler finds on its stack, as the x86-64 kernel ABI lays it out. */
#include "arch/context.h"
#include "arch/features.h"
#include "arch/frame.h"
#include "arch/trap.h"
#include "arch/user.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "task/process.h"
#include "task/signal.h"
#include "task/thread.h"

struct machine_context {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	uint16_t cs, gs, fs, ss;
	uint64_t error, vector, old_mask, cr2;
	user_addr_t fpu;
	uint64_t unused[8];
};
_Static_assert(sizeof(struct machine_context) == 256, "struct sigcontext of the ABI");

struct user_context {
	uint64_t flags;
	user_addr_t link;
	struct user_stack stack;
	struct machine_context machine;
	signal_set_t mask;
};

struct signal_frame {
	user_addr_t restorer; /* where the handler returns to */
	struct user_context context;
	struct signal_info info;
};
_Static_assert(sizeof(struct signal_frame) == 440, "struct rt_sigframe of the ABI");

/* uc_flags */
#define CONTEXT_XSTATE 1u	 /* the FPU image says which parts it has */
#define CONTEXT_SS 2u		 /* machine.ss is valid */
#define CONTEXT_STRICT_SS 4u

/* Below RSP there may be live data of a function that calls nothing. */
#define RED_ZONE 128u

#define FLAG_TRAP (1u << 8)
#define FLAG_DIRECTION (1u << 10)
#define FLAG_RESUME (1u << 16)

size_t signal_frame_size(void)
{
	return sizeof(struct signal_frame) + fpu_size() + RED_ZONE + 64 + 16;
}

#define STACK_LEAST 2048u

bool signal_on_altstack(user_addr_t rsp)
{
	const struct thread_signals *signals = &thread_current()->signals;

	/* One that disarms itself is free as soon as its handler runs. */
	if (signals->altstack_flags & SIGNAL_STACK_AUTODISARM)
		return false;
	return signals->altstack_size != 0 && rsp > signals->altstack &&
	       rsp - signals->altstack <= signals->altstack_size;
}

int signal_set_altstack(const struct user_stack *stack, user_addr_t rsp)
{
	struct thread_signals *signals = &thread_current()->signals;
	bool disable = (stack->flags & SIGNAL_STACK_DISABLE) != 0;

	if (signal_on_altstack(rsp))
		return -EPERM;
	if (stack->flags & ~(SIGNAL_STACK_ON | SIGNAL_STACK_DISABLE | SIGNAL_STACK_AUTODISARM))
		return -EINVAL;
	if (!disable && stack->size < STACK_LEAST)
		return -ENOMEM;
	signals->altstack = disable ? 0 : stack->base;
	signals->altstack_size = disable ? 0 : stack->size;
	signals->altstack_flags = stack->flags & ~SIGNAL_STACK_ON;
	return 0;
}

static void save_registers(struct machine_context *to, const struct frame *frame)
{
	const struct thread *self = thread_current();

	to->r8 = frame->r8;
	to->r9 = frame->r9;
	to->r10 = frame->r10;
	to->r11 = frame->r11;
	to->r12 = frame->r12;
	to->r13 = frame->r13;
	to->r14 = frame->r14;
	to->r15 = frame->r15;
	to->rdi = frame->rdi;
	to->rsi = frame->rsi;
	to->rbp = frame->rbp;
	to->rbx = frame->rbx;
	to->rdx = frame->rdx;
	to->rax = frame->rax;
	to->rcx = frame->rcx;
	to->rsp = frame->rsp;
	to->rip = frame->rip;
	to->rflags = frame->rflags;
	to->cs = USER_CS;
	to->ss = USER_SS;
	to->vector = self->fault_vector;
	to->error = self->fault_error;
	to->cr2 = self->fault_address;
}

static void load_registers(struct frame *frame, const struct machine_context *from)
{
	frame->r8 = from->r8;
	frame->r9 = from->r9;
	frame->r10 = from->r10;
	frame->r11 = from->r11;
	frame->r12 = from->r12;
	frame->r13 = from->r13;
	frame->r14 = from->r14;
	frame->r15 = from->r15;
	frame->rdi = from->rdi;
	frame->rsi = from->rsi;
	frame->rbp = from->rbp;
	frame->rbx = from->rbx;
	frame->rdx = from->rdx;
	frame->rax = from->rax;
	frame->rcx = from->rcx;
	frame->rsp = from->rsp;
	frame->rip = from->rip;
	frame->rflags = from->rflags;
	frame_sanitize(frame);
}

bool signal_push_frame(struct frame *frame, const struct signal_action *action,
		       const struct signal_info *info, signal_set_t mask)
{
	struct thread_signals *signals = &thread_current()->signals;
	struct signal_frame image;
	user_addr_t top = frame->rsp - RED_ZONE, fpu, at;
	bool on_altstack = signal_on_altstack(frame->rsp);
	bool enter_altstack = false;

	if (!(action->flags & SIGNAL_RESTORER))
		return false;
	/*
	 * A handler that is no address faults before its first instruction. If that may be
	 * its own cause, it would go on so until the stack ends; and all of that in the
	 * co-kernel, since no CPU leaves for such an address.
	 */
	if (action->handler >= USER_END)
		return false;
	if ((action->flags & SIGNAL_ON_STACK) && signals->altstack_size != 0 && !on_altstack) {
		top = signals->altstack + signals->altstack_size;
		enter_altstack = true;
	}
	fpu = align_down(top - fpu_size(), 64);
	/* The ABI of a call: RSP + 8 is a multiple of 16 at a function's first instruction. */
	at = align_down(fpu - sizeof(image), 16) - 8;
	if (at > top || ((on_altstack || enter_altstack) && at < signals->altstack))
		return false;

	memset(&image, 0, sizeof(image));
	image.restorer = action->restorer;
	image.context.flags = CONTEXT_SS | CONTEXT_STRICT_SS;
	if (cpu_features.xsave)
		image.context.flags |= CONTEXT_XSTATE;
	image.context.stack.base = signals->altstack;
	image.context.stack.size = signals->altstack_size;
	image.context.stack.flags = signals->altstack_flags;
	image.context.mask = mask;
	image.info = *info;
	save_registers(&image.context.machine, frame);
	image.context.machine.old_mask = mask;
	image.context.machine.fpu = fpu;
	if (!fpu_save_user(fpu) || copy_to_user(at, &image, sizeof(image)) != 0)
		return false;

	if (signals->altstack_flags & SIGNAL_STACK_AUTODISARM) {
		signals->altstack = 0;
		signals->altstack_size = 0;
		signals->altstack_flags = SIGNAL_STACK_DISABLE;
	}
	frame->rdi = (uint64_t)info->signo;
	frame->rsi = at + offsetof(struct signal_frame, info);
	frame->rdx = at + offsetof(struct signal_frame, context);
	frame->rax = 0;
	frame->rsp = at;
	frame->rip = action->handler;
	frame->rflags &= ~(uint64_t)(FLAG_TRAP | FLAG_DIRECTION | FLAG_RESUME);
	frame->vector = 0;
	return true;
}

int64_t signal_return(struct frame *frame)
{
	struct user_context context;
	/* The handler's RET has taken the restorer's address off. */
	user_addr_t at = frame->rsp - sizeof(user_addr_t);

	if (copy_from_user(&context, at + offsetof(struct signal_frame, context),
			   sizeof(context)) != 0 ||
	    !fpu_load_user(context.machine.fpu)) {
		frame->vector = 0;
		signal_fault(frame, SIGNAL_SEGV, SIGNAL_CODE_KERNEL, at);
		return 0;
	}
	signal_set_blocked(context.mask);
	/* As on Linux, what it cannot be is left as it is. */
	signal_set_altstack(&context.stack, frame->rsp);
	load_registers(frame, &context.machine);
	/* What is in RAX now is no result of a call that could want to be done again. */
	frame->vector = 0;
	return (int64_t)frame->rax;
}
