/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Staged I/O: calls that wait as they do elsewhere, what is known of Linux from the
 * beginning, and what there is not. What there is not says so with the error that
 * programs are ready for, as from a system without it.
 */
#include "mm/heap.h"
#include "syscall/staged.h"
#include "task/process.h"
#include "task/thread.h"

/* The same handler: what it asks of descriptors, it asks of these. */
#define SAME(name)                                            \
	int64_t staged_##name(const struct syscall_args *args) \
	{                                                      \
		return syscall_##name(args);                    \
	}

SAME(poll)
SAME(ppoll)
SAME(select)
SAME(pselect6)
SAME(getrandom)

#define REFUSED(name, error)                                  \
	int64_t staged_##name(const struct syscall_args *args) \
	{                                                      \
		(void)args;                                     \
		return -(error);                                \
	}

/* Nothing is on the other side of a socket: there is one process, and no Linux. */
REFUSED(socket, EAFNOSUPPORT)
REFUSED(socketpair, EAFNOSUPPORT)
REFUSED(connect, ENOTSOCK)
REFUSED(accept, ENOTSOCK)
REFUSED(accept4, ENOTSOCK)
REFUSED(sendto, ENOTSOCK)
REFUSED(recvfrom, ENOTSOCK)
REFUSED(sendmsg, ENOTSOCK)
REFUSED(recvmsg, ENOTSOCK)
REFUSED(sendmmsg, ENOTSOCK)
REFUSED(recvmmsg, ENOTSOCK)
REFUSED(shutdown, ENOTSOCK)
REFUSED(bind, ENOTSOCK)
REFUSED(listen, ENOTSOCK)
REFUSED(getsockname, ENOTSOCK)
REFUSED(getpeername, ENOTSOCK)
REFUSED(setsockopt, ENOTSOCK)
REFUSED(getsockopt, ENOTSOCK)

REFUSED(epoll_create, ENOSYS)
REFUSED(epoll_create1, ENOSYS)
REFUSED(epoll_ctl, EINVAL)
REFUSED(epoll_wait, EINVAL)
REFUSED(epoll_pwait, EINVAL)
REFUSED(epoll_pwait2, EINVAL)
REFUSED(eventfd, ENOSYS)
REFUSED(signalfd, ENOSYS)
REFUSED(signalfd4, ENOSYS)
REFUSED(eventfd2, ENOSYS)
REFUSED(timerfd_create, ENOSYS)
REFUSED(timerfd_settime, EINVAL)
REFUSED(timerfd_gettime, EINVAL)
REFUSED(inotify_init, ENOSYS)
REFUSED(inotify_init1, ENOSYS)
REFUSED(inotify_add_watch, EINVAL)
REFUSED(inotify_rm_watch, EINVAL)

/* As a file system without extended attributes. */
REFUSED(getxattr, EOPNOTSUPP)
REFUSED(lgetxattr, EOPNOTSUPP)
REFUSED(fgetxattr, EOPNOTSUPP)
REFUSED(listxattr, EOPNOTSUPP)
REFUSED(llistxattr, EOPNOTSUPP)
REFUSED(flistxattr, EOPNOTSUPP)
REFUSED(setxattr, EOPNOTSUPP)
REFUSED(lsetxattr, EOPNOTSUPP)
REFUSED(fsetxattr, EOPNOTSUPP)
REFUSED(removexattr, EOPNOTSUPP)
REFUSED(lremovexattr, EOPNOTSUPP)
REFUSED(fremovexattr, EOPNOTSUPP)

REFUSED(mknod, EPERM)
REFUSED(mknodat, EPERM)
REFUSED(splice, EINVAL)
REFUSED(tee, EINVAL)
REFUSED(getdents, ENOSYS)
REFUSED(setpgid, EPERM)
REFUSED(setsid, EPERM)

/* ---- who it is on Linux ---- */

int64_t staged_getpgrp(const struct syscall_args *args)
{
	(void)args;
	return staged_current()->group;
}

static bool is_own(uint64_t pid)
{
	return (tid_t)pid == 0 || (tid_t)pid == process_current()->pid;
}

int64_t staged_getpgid(const struct syscall_args *args)
{
	return is_own(args->a[0]) ? staged_current()->group : -ESRCH;
}

int64_t staged_getsid(const struct syscall_args *args)
{
	return is_own(args->a[0]) ? staged_current()->session : -ESRCH;
}

int64_t staged_getgroups(const struct syscall_args *args)
{
	const struct stage_view *view = &staged_current()->view;

	if ((int32_t)args->a[0] < 0)
		return -EINVAL;
	if ((uint32_t)args->a[0] == 0)
		return view->group_count;
	if ((uint32_t)args->a[0] < view->group_count)
		return -EINVAL;
	if (copy_to_user(args->a[1], view->groups, view->group_count * sizeof(*view->groups)) != 0)
		return -EFAULT;
	return view->group_count;
}
