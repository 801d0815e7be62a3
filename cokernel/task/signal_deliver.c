/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delivering signals: what happens to a thread that has one, on its way to user mode. */
#include "arch/frame.h"
#include "arch/time.h"
#include "lib/errno.h"
#include "task/posix_timer.h"
#include "task/process.h"
#include "task/rseq.h"
#include "task/signal.h"
#include "task/signal_internal.h"
#include "task/thread.h"

/* Takes the next signal to deliver, and its action. 0: none, and notify is up to date. */
static int next_signal(struct thread *self, struct signal_info *info,
		       struct signal_action *action, signal_set_t *mask)
{
	struct thread_signals *signals = &self->signals;
	struct process *process = self->process;
	struct list *pos;
	int signal;

	lock_take(&process->lock);
	for (;;) {
		signal = 0;
		if (!process->stopped)
			signal = signal_queue_take(&signals->pending, ~signals->blocked, info);
		if (!signal && !process->stopped)
			signal = signal_queue_take(&process->pending, ~signals->blocked, info);
		if (!signal)
			break;
		posix_timer_delivered(process, info);
		*action = process->actions[signal - 1];
		if (signal_action_ignores(action, signal))
			continue;
		if (action->handler != SIGNAL_DEFAULT)
			break;
		if (!signal_default_is_stop(signal))
			break;
		process->stopped = true;
		LIST_FOR_EACH(pos, &process->threads)
			signal_tell(signal_thread_of(pos));
	}
	if (signal && action->handler > SIGNAL_IGNORE) {
		*mask = signals->restore_saved ? signals->saved : signals->blocked;
		signals->restore_saved = false;
		signals->blocked |= action->mask;
		if (!(action->flags & SIGNAL_NO_DEFER))
			signals->blocked |= SIGNAL_BIT(signal);
		if (action->flags & SIGNAL_RESET_HANDLER)
			process->actions[signal - 1].handler = SIGNAL_DEFAULT;
	}
	signal_refresh(self);
	lock_drop(&process->lock);
	return signal;
}

static void wait_while_stopped(struct process *process)
{
	lock_take(&process->stop_queue.lock);
	while (process->stopped && !process->ending)
		wait_on_mode(&process->stop_queue, NSEC_FOREVER, WAIT_KILLABLE);
	lock_drop(&process->stop_queue.lock);
}

static const char *fault_name(const struct signal_info *info)
{
	switch (info->signo) {
	case SIGNAL_SEGV:
		return "segmentation fault";
	case SIGNAL_BUS:
		return info->code == 2 ? "bus error: behind the end of what is mapped" : "bus error";
	case SIGNAL_ILL:
		return "illegal instruction";
	case SIGNAL_FPE:
		return "arithmetic fault";
	case SIGNAL_TRAP:
		return "trap";
	default:
		return NULL;
	}
}

static __noreturn void die(const struct frame *frame, const struct signal_info *info)
{
	struct process *process = process_current();
	const char *name = info->code > 0 ? fault_name(info) : NULL;

	if (name)
		process_report(process, "%s: %s at address 0x%llx, rip 0x%llx",
			       process_name(process), name,
			       (unsigned long long)info->fault.address,
			       (unsigned long long)frame->rip);
	process_end(process, WAIT_SIGNALED(info->signo));
	thread_exit(process->wait_status);
}

/* Makes the system call that FRAME comes from be done once more. */
static void restart(struct frame *frame)
{
	frame->rax = frame->error;
	frame->rip -= 2; /* of SYSCALL */
}

/* A call was interrupted; ACTION: of the handler that will run, NULL: none. */
static void settle_call(struct frame *frame, const struct signal_action *action)
{
	int64_t result = (int64_t)frame->rax;

	if (frame->vector != FRAME_SYSCALL)
		return;
	if (result != -ERESTARTSYS && result != -ERESTARTNOINTR && result != -ERESTARTNOHAND &&
	    result != -ERESTART_DEADLINE)
		return;
	if (!action || result == -ERESTARTNOINTR ||
	    (result == -ERESTARTSYS && (action->flags & SIGNAL_RESTART)))
		restart(frame);
	else
		frame->rax = (uint64_t)-EINTR;
	if (action)
		thread_current()->restart_deadline = 0;
	frame->vector = 0;
}

void signal_deliver(struct frame *frame)
{
	struct thread *self = thread_current();
	struct process *process = self->process;
	struct signal_action action = { 0 };
	struct signal_info info;
	signal_set_t mask = 0;
	int signal;

	for (;;) {
		if (process->stopped)
			wait_while_stopped(process);
		if (process->ending)
			return;
		signal = next_signal(self, &info, &action, &mask);
		if (process->stopped && !signal)
			continue;
		if (signal) {
			if (action.handler == SIGNAL_DEFAULT)
				die(frame, &info);
			settle_call(frame, &action);
			/*
			 * The frame that the handler returns by is outside of any sequence. If
			 * it cannot be, the handler of SIGSEGV would be its next cause. For
			 * the next signal return_to_user() comes here again.
			 */
			if ((!self->rseq || rseq_resume(frame) || signal != SIGNAL_SEGV) &&
			    signal_push_frame(frame, &action, &info, mask))
				return;
			info = (struct signal_info){ .signo = SIGNAL_SEGV,
						     .code = SIGNAL_CODE_KERNEL };
			info.fault.address = frame->rsp;
			die(frame, &info);
		}
		settle_call(frame, NULL);
		if (!self->signals.restore_saved)
			return;
		self->signals.restore_saved = false;
		signal_set_blocked(self->signals.saved);
	}
}
