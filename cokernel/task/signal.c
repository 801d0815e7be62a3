/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sending signals: who gets one, and what becomes of it before it is delivered. */
#include "task/signal.h"

#include "arch/frame.h"
#include "arch/trap.h"
#include "task/posix_timer.h"
#include "task/process.h"
#include "task/sched.h"
#include "task/signal_file.h"
#include "task/signal_internal.h"
#include "task/thread.h"

#define STOPPERS                                                                          \
	(SIGNAL_BIT(SIGNAL_STOP) | SIGNAL_BIT(SIGNAL_TSTP) | SIGNAL_BIT(SIGNAL_TTIN) |     \
	 SIGNAL_BIT(SIGNAL_TTOU))
#define UNBLOCKABLE (SIGNAL_BIT(SIGNAL_KILL) | SIGNAL_BIT(SIGNAL_STOP))

bool signal_default_is_ignore(int signal)
{
	return signal == SIGNAL_CHLD || signal == SIGNAL_CONT || signal == SIGNAL_URG ||
	       signal == SIGNAL_WINCH;
}

bool signal_default_is_stop(int signal)
{
	return (STOPPERS & SIGNAL_BIT(signal)) != 0;
}

/* Signals that THREAD is to deliver; process->lock is held. */
static signal_set_t deliverable(const struct thread *thread)
{
	return (thread->signals.pending.set | thread->process->pending.set) &
	       ~thread->signals.blocked;
}

void signal_refresh(struct thread *thread)
{
	__atomic_store_n(&thread->signals.notify,
			 deliverable(thread) != 0 || thread->process->stopped, __ATOMIC_SEQ_CST);
}

void signal_tell(struct thread *thread)
{
	__atomic_store_n(&thread->signals.notify, true, __ATOMIC_SEQ_CST);
	wait_interrupt(thread);
	sched_poke(thread);
}

static bool wants(const struct thread *thread, int signal)
{
	return !(thread->signals.blocked & SIGNAL_BIT(signal)) && !thread->dying;
}

/* A thread that takes SIGNAL, the first one before others, or NULL. */
static struct thread *choose(struct process *process, int signal, const struct thread *but)
{
	struct thread *chosen = NULL, *thread;
	struct list *pos;

	LIST_FOR_EACH(pos, &process->threads) {
		thread = signal_thread_of(pos);
		if (thread == but || !wants(thread, signal))
			continue;
		if (!chosen || thread->tid == process->pid)
			chosen = thread;
	}
	return chosen;
}

/* Some thread of the process has SIGNAL blocked, or waits for it. */
static bool is_blocked(struct process *process, const struct thread *only, int signal)
{
	struct thread *thread;
	struct list *pos;

	LIST_FOR_EACH(pos, &process->threads) {
		thread = signal_thread_of(pos);
		if ((!only || only == thread) &&
		    ((thread->signals.blocked | thread->signals.waited) & SIGNAL_BIT(signal)))
			return true;
	}
	return false;
}

bool signal_action_ignores(const struct signal_action *action, int signal)
{
	return action->handler == SIGNAL_IGNORE ||
	       (action->handler == SIGNAL_DEFAULT && signal_default_is_ignore(signal));
}

static void drop_everywhere(struct process *process, signal_set_t set)
{
	struct list *pos;

	posix_timers_dropped(process, set);
	signal_queue_drop(&process->pending, set);
	LIST_FOR_EACH(pos, &process->threads)
		signal_queue_drop(&signal_thread_of(pos)->signals.pending, set);
}

static void go_on(struct process *process)
{
	if (!process->stopped)
		return;
	process->stopped = false;
	lock_take(&process->stop_queue.lock);
	wake_all(&process->stop_queue);
	lock_drop(&process->stop_queue.lock);
}

/*
 * What SIGNAL does by being sent, delivered or not. False: it has no further
 * effect. ONLY: the thread it is for, or NULL.
 */
static bool take_effect(struct process *process, const struct thread *only, int signal)
{
	if (process->ending)
		return false;
	if (signal == SIGNAL_CONT) {
		drop_everywhere(process, STOPPERS);
		go_on(process);
	} else if (STOPPERS & SIGNAL_BIT(signal)) {
		drop_everywhere(process, SIGNAL_BIT(SIGNAL_CONT));
	}
	return !signal_action_ignores(&process->actions[signal - 1], signal) ||
	       is_blocked(process, only, signal);
}

/* SIGNAL is queued: threads that wait for what a signal file reads, blocked as it may be. */
static void tell_watchers(struct process *process, const struct thread *only, int signal)
{
	struct thread *thread;
	struct list *pos;

	if (likely(!signal_files_read(process, signal)))
		return;
	LIST_FOR_EACH(pos, &process->threads) {
		thread = signal_thread_of(pos);
		if ((!only || only == thread) &&
		    __atomic_load_n(&thread->signals.watching, __ATOMIC_SEQ_CST))
			signal_tell(thread);
	}
}

int signal_send_process(struct process *process, const struct signal_info *info)
{
	struct thread *thread;
	int queued = 0;

	if (info->signo == SIGNAL_KILL) {
		process_end(process, WAIT_SIGNALED(SIGNAL_KILL));
		return 1;
	}
	lock_take(&process->lock);
	if (take_effect(process, NULL, info->signo))
		queued = signal_queue_add(&process->pending, info);
	thread = queued > 0 ? choose(process, info->signo, NULL) : NULL;
	if (thread)
		signal_tell(thread);
	if (queued > 0)
		tell_watchers(process, NULL, info->signo);
	lock_drop(&process->lock);
	return queued;
}

int signal_send_thread(struct thread *thread, const struct signal_info *info)
{
	struct process *process = thread->process;
	int queued = 0;

	if (info->signo == SIGNAL_KILL) {
		process_end(process, WAIT_SIGNALED(SIGNAL_KILL));
		return 1;
	}
	lock_take(&process->lock);
	if (!thread->dying && take_effect(process, thread, info->signo))
		queued = signal_queue_add(&thread->signals.pending, info);
	if (queued > 0 && wants(thread, info->signo))
		signal_tell(thread);
	if (queued > 0)
		tell_watchers(process, thread, info->signo);
	lock_drop(&process->lock);
	return queued;
}

void signal_broken_pipe(void)
{
	struct signal_info info = { .signo = SIGNAL_PIPE, .code = SIGNAL_CODE_USER };

	info.from.pid = (int32_t)process_current()->pid;
	info.from.uid = process_current()->uid;
	signal_send_thread(thread_current(), &info);
}

bool signal_pending(void)
{
	return thread_has_work(thread_current());
}

void signal_watch(bool watching)
{
	/* Before it looks whether there are signal files: who makes one looks here then. */
	__atomic_store_n(&thread_current()->signals.watching, watching, __ATOMIC_SEQ_CST);
}

bool signal_really_pending(void)
{
	struct thread *self = thread_current();
	bool pending;

	lock_take(&self->process->lock);
	signal_refresh(self);
	pending = thread_has_work(self);
	lock_drop(&self->process->lock);
	return pending;
}

/* Other threads deliver what of SET is pending for the process. */
static void retarget(struct process *process, const struct thread *but, signal_set_t set)
{
	struct thread *thread;
	int signal;

	for (set &= process->pending.set; set; set &= set - 1) {
		signal = __builtin_ctzll(set) + 1;
		thread = choose(process, signal, but);
		if (thread && !thread->signals.notify)
			signal_tell(thread);
	}
}

void signal_hand_over(struct process *process, struct thread *leaving)
{
	signal_queue_clear(&leaving->signals.pending);
	retarget(process, leaving, ~leaving->signals.blocked);
}

void signal_set_blocked(signal_set_t blocked)
{
	struct thread *self = thread_current();
	struct process *process = self->process;
	signal_set_t newly;

	lock_take(&process->lock);
	newly = blocked & ~self->signals.blocked;
	self->signals.blocked = blocked & ~UNBLOCKABLE;
	if (process->thread_count > 1)
		retarget(process, self, newly);
	signal_refresh(self);
	lock_drop(&process->lock);
}

int signal_take(signal_set_t set, struct signal_info *info)
{
	struct thread *self = thread_current();
	struct process *process = self->process;
	int signal;

	lock_take(&process->lock);
	signal = signal_queue_take(&self->signals.pending, set, info);
	if (!signal)
		signal = signal_queue_take(&process->pending, set, info);
	if (signal)
		posix_timer_delivered(process, info);
	signal_refresh(self);
	lock_drop(&process->lock);
	return signal;
}

void signal_inherit(signal_set_t ignored, signal_set_t blocked)
{
	struct process *process = process_current();
	int signal;

	ignored &= ~UNBLOCKABLE;
	lock_take(&process->lock);
	for (signal = 1; signal <= (int)SIGNAL_COUNT; signal++) {
		if (ignored & SIGNAL_BIT(signal))
			process->actions[signal - 1].handler = SIGNAL_IGNORE;
	}
	/* Those that are blocked are not ignored before they are let in. */
	drop_everywhere(process, ignored & ~blocked);
	lock_drop(&process->lock);
	signal_set_blocked(blocked);
}

void signal_renew(void)
{
	struct thread_signals *signals = &thread_current()->signals;
	struct process *process = process_current();
	struct signal_action *action;

	lock_take(&process->lock);
	for (action = process->actions; action < process->actions + SIGNAL_COUNT; action++)
		*action = (struct signal_action){
			.handler = action->handler == SIGNAL_IGNORE ? SIGNAL_IGNORE :
								      SIGNAL_DEFAULT,
		};
	signals->restore_saved = false;
	signals->waited = 0;
	signals->altstack = 0;
	signals->altstack_size = 0;
	signals->altstack_flags = SIGNAL_STACK_DISABLE;
	lock_drop(&process->lock);
}

void signal_set_action(int signal, const struct signal_action *new, struct signal_action *old)
{
	struct process *process = process_current();
	struct signal_action *action = &process->actions[signal - 1];

	lock_take(&process->lock);
	*old = *action;
	if (new) {
		*action = *new;
		action->mask &= ~UNBLOCKABLE;
		if (signal_action_ignores(action, signal))
			drop_everywhere(process, SIGNAL_BIT(signal));
	}
	lock_drop(&process->lock);
}

void signal_fault(struct frame *frame, int signal, int code, user_addr_t address)
{
	struct thread *self = thread_current();
	struct process *process = self->process;
	struct signal_action *action = &process->actions[signal - 1];
	struct signal_info info = { .signo = signal, .code = code };

	info.fault.address = address;
	self->fault_vector = frame->vector;
	self->fault_error = frame->error;
	self->fault_address = address;
	lock_take(&process->lock);
	/* The instruction cannot be left out: who does not handle its fault dies of it. */
	if (action->handler == SIGNAL_IGNORE || (self->signals.blocked & SIGNAL_BIT(signal))) {
		action->handler = SIGNAL_DEFAULT;
		self->signals.blocked &= ~SIGNAL_BIT(signal);
	}
	signal_queue_drop(&self->signals.pending, SIGNAL_BIT(signal));
	signal_queue_add(&self->signals.pending, &info);
	self->signals.notify = true;
	lock_drop(&process->lock);
}
