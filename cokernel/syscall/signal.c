/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "syscall/handlers.h"

#include <asm/unistd_64.h>

#include "arch/frame.h"
#include "channel/channel.h"
#include "lib/string.h"
#include "task/process.h"
#include "task/signal.h"
#include "task/thread.h"

#define SET_SIZE sizeof(signal_set_t)

/* how of rt_sigprocmask(2) */
#define HOW_BLOCK 0
#define HOW_UNBLOCK 1
#define HOW_SET 2

/* An int: what a program leaves in the upper half of the register says nothing. */
static bool is_signal(uint64_t number)
{
	return (uint32_t)number >= 1 && (uint32_t)number <= SIGNAL_COUNT;
}

static bool is_signal_or_none(uint64_t number)
{
	return (uint32_t)number == 0 || is_signal(number);
}

int64_t syscall_rt_sigaction(const struct syscall_args *args)
{
	struct signal_action new, old;
	bool change = args->a[1] != 0;
	int signal = (int)args->a[0];

	if (args->a[3] != SET_SIZE)
		return -EINVAL;
	if (change && copy_from_user(&new, args->a[1], sizeof(new)) != 0)
		return -EFAULT;
	if (!is_signal(args->a[0]) || (change && (signal == SIGNAL_KILL || signal == SIGNAL_STOP)))
		return -EINVAL;
	/* As Linux: a program can see by that what flags there are. */
	if (change)
		new.flags &= SIGNAL_FLAGS;
	signal_set_action(signal, change ? &new : NULL, &old);
	if (args->a[2] && copy_to_user(args->a[2], &old, sizeof(old)) != 0)
		return -EFAULT;
	return 0;
}

int64_t syscall_rt_sigprocmask(const struct syscall_args *args)
{
	signal_set_t old = thread_current()->signals.blocked, set;

	if (args->a[3] != SET_SIZE)
		return -EINVAL;
	if (args->a[1]) {
		if (copy_from_user(&set, args->a[1], sizeof(set)) != 0)
			return -EFAULT;
		switch ((uint32_t)args->a[0]) {
		case HOW_BLOCK:
			set |= old;
			break;
		case HOW_UNBLOCK:
			set = old & ~set;
			break;
		case HOW_SET:
			break;
		default:
			return -EINVAL;
		}
		signal_set_blocked(set);
	}
	if (args->a[2] && copy_to_user(args->a[2], &old, sizeof(old)) != 0)
		return -EFAULT;
	return 0;
}

int64_t syscall_rt_sigpending(const struct syscall_args *args)
{
	struct thread *self = thread_current();
	signal_set_t set;

	if (args->a[1] > SET_SIZE)
		return -EINVAL;
	lock_take(&self->process->lock);
	set = (self->signals.pending.set | self->process->pending.set) & self->signals.blocked;
	lock_drop(&self->process->lock);
	return copy_to_user(args->a[0], &set, args->a[1]);
}

int64_t syscall_rt_sigreturn(const struct syscall_args *args)
{
	(void)args;
	return signal_return(syscall_frame());
}

/* Waits until a handler has run. */
static int64_t wait_for_signal(void)
{
	struct wait_queue nobody;

	wait_queue_init(&nobody);
	lock_take(&nobody.lock);
	while (!signal_pending())
		wait_on(&nobody, NSEC_FOREVER, true);
	lock_drop(&nobody.lock);
	return -ERESTARTNOHAND;
}

int64_t syscall_pause(const struct syscall_args *args)
{
	(void)args;
	return wait_for_signal();
}

int64_t syscall_rt_sigsuspend(const struct syscall_args *args)
{
	struct thread_signals *signals = &thread_current()->signals;
	signal_set_t set;

	if (args->a[1] != SET_SIZE)
		return -EINVAL;
	if (copy_from_user(&set, args->a[0], sizeof(set)) != 0)
		return -EFAULT;
	signals->saved = signals->blocked;
	signals->restore_saved = true;
	signal_set_blocked(set);
	return wait_for_signal();
}

int64_t syscall_rt_sigtimedwait(const struct syscall_args *args)
{
	struct thread_signals *signals = &thread_current()->signals;
	nsec_t deadline = NSEC_FOREVER, span;
	signal_set_t set, blocked = signals->blocked;
	struct signal_info info;
	int signal, error;

	if (args->a[3] != SET_SIZE)
		return -EINVAL;
	if (copy_from_user(&set, args->a[0], sizeof(set)) != 0)
		return -EFAULT;
	if (args->a[2]) {
		error = time_from_user(args->a[2], &span);
		if (error)
			return error;
		deadline = time_after(span);
	}
	set &= ~(SIGNAL_BIT(SIGNAL_KILL) | SIGNAL_BIT(SIGNAL_STOP));

	signal = signal_take(set, &info);
	if (!signal) {
		/* Unblocked while it waits, they end the wait; they are taken before they
		 * could be delivered. */
		signals->waited = set;
		signal_set_blocked(blocked & ~set);
		error = sleep_until(deadline);
		signal = signal_take(set, &info);
		signal_set_blocked(blocked);
		signals->waited = 0;
		thread_current()->restart_deadline = 0;
		if (!signal)
			return error ? -EINTR : -EAGAIN;
	}
	if (args->a[1] && copy_to_user(args->a[1], &info, sizeof(info)) != 0)
		return -EFAULT;
	return signal;
}

int64_t syscall_sigaltstack(const struct syscall_args *args)
{
	struct thread_signals *signals = &thread_current()->signals;
	bool on_it = signal_on_altstack(syscall_frame()->rsp);
	struct user_stack new, old = {
		.base = signals->altstack,
		.flags = signals->altstack_flags | (on_it ? SIGNAL_STACK_ON : 0),
		.size = signals->altstack_size,
	};
	int error;

	if (args->a[0]) {
		if (copy_from_user(&new, args->a[0], sizeof(new)) != 0)
			return -EFAULT;
		error = signal_set_altstack(&new, syscall_frame()->rsp);
		if (error)
			return error;
	}
	if (args->a[1] && copy_to_user(args->a[1], &old, sizeof(old)) != 0)
		return -EFAULT;
	return 0;
}

/* ---- sending ---- */

static void fill_from(struct signal_info *info, int code)
{
	memset(info, 0, sizeof(*info));
	info->code = code;
	info->from.pid = (int32_t)process_current()->pid;
	info->from.uid = process_current()->uid;
}

/* Is TID a thread of ours? Also the first one, when it has left. */
static bool is_ours(int32_t tid)
{
	struct process *process = process_current();
	struct thread *thread;
	bool ours;

	if ((tid_t)tid == process->pid)
		return true;
	thread = thread_find((tid_t)tid);
	ours = thread && thread->process == process;
	if (thread)
		thread_put(thread);
	return ours;
}

/*
 * A program reaches itself. Of its process group, too, only itself: others are on Linux or
 * in other enclaves. Of all processes (-1) it is the one that kill(2) leaves out.
 */
static bool names_own_process(int32_t pid)
{
	int64_t group;

	if (pid >= 0)
		return pid == 0 || is_ours(pid);
	if (pid == -1 || pid == INT32_MIN)
		return false;
	group = channel_call_own(__NR_getpgid, 0, 0, 0, 0, 0, 0);
	return group == -(int64_t)pid;
}

int64_t syscall_kill(const struct syscall_args *args)
{
	struct signal_info info;

	if (!names_own_process((int32_t)args->a[0]))
		return -ESRCH;
	if (!is_signal_or_none(args->a[1]))
		return -EINVAL;
	fill_from(&info, SIGNAL_CODE_USER);
	info.signo = (int32_t)args->a[1];
	if (info.signo)
		signal_send_process(process_current(), &info);
	return 0;
}

/* To thread TID of process TGID (0: any of ours); INFO->signo is looked at last. */
static int64_t send_to_thread(tid_t tgid, tid_t tid, const struct signal_info *info)
{
	struct process *process = process_current();
	struct thread *thread;
	int64_t result = -ESRCH;

	if ((int32_t)tid <= 0)
		return -EINVAL;
	if (tgid != 0 && tgid != process->pid)
		return -ESRCH;
	thread = thread_find(tid);
	if (!thread)
		return -ESRCH;
	if (thread->process == process) {
		result = is_signal_or_none((uint32_t)info->signo) ? 0 : -EINVAL;
		if (result == 0 && info->signo && signal_send_thread(thread, info) < 0)
			result = -EAGAIN;
	}
	thread_put(thread);
	return result;
}

int64_t syscall_tkill(const struct syscall_args *args)
{
	struct signal_info info;

	fill_from(&info, SIGNAL_CODE_TKILL);
	info.signo = (int32_t)args->a[1];
	return send_to_thread(0, (tid_t)args->a[0], &info);
}

int64_t syscall_tgkill(const struct syscall_args *args)
{
	struct signal_info info;

	if ((int32_t)args->a[0] <= 0)
		return -EINVAL;
	fill_from(&info, SIGNAL_CODE_TKILL);
	info.signo = (int32_t)args->a[2];
	return send_to_thread((tid_t)args->a[0], (tid_t)args->a[1], &info);
}

/* What a program says of a signal that it sends. 0 or -EFAULT. */
static int load_info(struct signal_info *info, user_addr_t from, uint64_t signal)
{
	if (copy_from_user(info, from, sizeof(*info)) != 0)
		return -EFAULT;
	info->signo = (int32_t)signal;
	info->own_timer = 0;
	return 0;
}

/* To others nobody says that a kernel, or kill(2), has sent it. */
static bool is_forged(const struct signal_info *info)
{
	return info->code >= 0 || info->code == SIGNAL_CODE_TKILL;
}

int64_t syscall_rt_sigqueueinfo(const struct syscall_args *args)
{
	struct signal_info info;
	int error = load_info(&info, args->a[2], args->a[1]);

	if (error)
		return error;
	if (is_forged(&info) && (tid_t)args->a[0] != thread_current()->tid)
		return -EPERM;
	if (!is_ours((int32_t)args->a[0]))
		return -ESRCH;
	if (!is_signal_or_none(args->a[1]))
		return -EINVAL;
	if (info.signo && signal_send_process(process_current(), &info) < 0)
		return -EAGAIN;
	return 0;
}

int64_t syscall_rt_tgsigqueueinfo(const struct syscall_args *args)
{
	struct signal_info info;
	int error = load_info(&info, args->a[3], args->a[2]);

	if (error)
		return error;
	if ((int32_t)args->a[0] <= 0 || (int32_t)args->a[1] <= 0)
		return -EINVAL;
	if (is_forged(&info) && (tid_t)args->a[1] != thread_current()->tid)
		return -EPERM;
	return send_to_thread((tid_t)args->a[0], (tid_t)args->a[1], &info);
}
