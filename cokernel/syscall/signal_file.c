/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signalfd(2): making signal files, and reading them. */
#include <asm/unistd_64.h>
#include <linux/fcntl.h>
#include <linux/signalfd.h>

#include "channel/channel.h"
#include "fs/linux.h"
#include "lib/string.h"
#include "syscall/handlers.h"
#include "syscall/own_file.h"
#include "task/posix_timer.h"
#include "task/process.h"
#include "task/signal_file.h"
#include "task/thread.h"

_Static_assert(sizeof(struct signalfd_siginfo) == 128, "signalfd_siginfo of the ABI");

#define CLOCK_MONOTONIC 1u

/* ---- making them ---- */

static int64_t make_file(signal_set_t set, uint32_t flags)
{
	/* The flags of timerfd_create(2) are the same, as both are those of open(2). */
	int64_t fd = channel_call_own(__NR_timerfd_create, CLOCK_MONOTONIC, flags, 0, 0, 0, 0);
	int error;

	if (fd < 0)
		return fd;
	error = signal_file_open((int)fd, set);
	if (error)
		linux_close(fd);
	return error ? error : fd;
}

int64_t syscall_signalfd4(const struct syscall_args *args)
{
	uint32_t flags = (uint32_t)args->a[3];
	int fd = (int)args->a[0];
	signal_set_t set;
	int64_t result;

	if (args->a[2] != sizeof(set))
		return -EINVAL;
	if (copy_from_user(&set, args->a[1], sizeof(set)) != 0)
		return -EFAULT;
	if (flags & ~(uint32_t)(SFD_CLOEXEC | SFD_NONBLOCK))
		return -EINVAL;
	set &= ~(SIGNAL_BIT(SIGNAL_KILL) | SIGNAL_BIT(SIGNAL_STOP));
	if (fd == -1)
		return make_file(set, flags);
	if (signal_file_set(fd, set))
		return fd;
	result = channel_call_own(__NR_fcntl, (uint64_t)fd, F_GETFD, 0, 0, 0, 0);
	return result < 0 ? result : -EINVAL;
}

int64_t syscall_signalfd(const struct syscall_args *args)
{
	const struct syscall_args all = { { args->a[0], args->a[1], args->a[2], 0 } };

	return syscall_signalfd4(&all);
}

/* ---- what is read ---- */

/* What a kernel says of a fault, of a child, of a descriptor. */
static void fill_event(struct signalfd_siginfo *to, const struct signal_info *info)
{
	switch (info->signo) {
	case SIGNAL_ILL:
	case SIGNAL_FPE:
	case SIGNAL_SEGV:
	case SIGNAL_BUS:
	case SIGNAL_TRAP:
		to->ssi_addr = info->fault.address;
		break;
	case SIGNAL_CHLD:
		to->ssi_pid = (uint32_t)info->child.pid;
		to->ssi_uid = info->child.uid;
		to->ssi_status = info->child.status;
		to->ssi_utime = (uint64_t)info->child.user_time;
		to->ssi_stime = (uint64_t)info->child.system_time;
		break;
	default:
		to->ssi_band = (uint32_t)info->poll.band;
		to->ssi_fd = info->poll.fd;
		break;
	}
}

static void fill(struct signalfd_siginfo *to, const struct signal_info *info)
{
	memset(to, 0, sizeof(*to));
	to->ssi_signo = (uint32_t)info->signo;
	to->ssi_errno = info->error;
	to->ssi_code = info->code;
	if (info->code > SIGNAL_CODE_USER && info->code < SIGNAL_CODE_KERNEL) {
		fill_event(to, info);
		return;
	}
	if (info->code == SIGNAL_CODE_TIMER) {
		to->ssi_tid = (uint32_t)info->timer.timer;
		to->ssi_overrun = (uint32_t)info->timer.overrun;
	} else {
		to->ssi_pid = (uint32_t)info->from.pid;
		to->ssi_uid = info->from.uid;
	}
	/* Both have it in the same place; of kill(2) there is none. */
	if (info->code < 0) {
		to->ssi_ptr = info->from.value;
		to->ssi_int = (int32_t)info->from.value;
	}
}

/* ---- reading ---- */

/* Takes one, without waiting for it. False: there is none. */
static bool take(struct signal_file *file, struct signal_info *info)
{
	return signal_take(signal_file_reads(file), info) != 0;
}

/* Waits for one. 0, or -ERESTARTSYS: another signal has come. */
static int64_t wait_for(struct signal_file *file, struct signal_info *info)
{
	struct wait_queue nobody;
	int64_t result = 0;

	wait_queue_init(&nobody);
	signal_watch(true);
	while (!take(file, info)) {
		if (signal_really_pending()) {
			result = -ERESTARTSYS;
			break;
		}
		lock_take(&nobody.lock);
		while (!signal_pending())
			wait_on(&nobody, NSEC_FOREVER, true);
		lock_drop(&nobody.lock);
	}
	signal_watch(false);
	return result;
}

/* The first one: what O_NONBLOCK is set to only the proxy knows. */
static int64_t take_first(int fd, struct signal_file *file, struct signal_info *info)
{
	int64_t flags;

	if (take(file, info))
		return 0;
	flags = channel_call_own(__NR_fcntl, (uint64_t)fd, F_GETFL, 0, 0, 0, 0);
	if (flags < 0)
		return flags;
	return flags & O_NONBLOCK ? -EAGAIN : wait_for(file, info);
}

int64_t signal_file_read(int fd, struct signal_file *file, user_addr_t to, uint64_t size)
{
	uint64_t count = size / sizeof(struct signalfd_siginfo), done;
	struct signalfd_siginfo one;
	struct signal_info info;
	int64_t error;

	if (count == 0)
		return -EINVAL;
	error = take_first(fd, file, &info);
	if (error)
		return error;
	for (done = 0;;) {
		fill(&one, &info);
		if (copy_to_user(to + done * sizeof(one), &one, sizeof(one)) != 0) {
			error = -EFAULT;
			break;
		}
		if (++done == count || !take(file, &info))
			break;
	}
	return done ? (int64_t)(done * sizeof(one)) : error;
}
