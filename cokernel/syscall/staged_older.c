/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Staged I/O: older forms of calls, as their newer ones. */
#include "syscall/staged.h"

#define O_CREATE_FLAGS 01101u /* O_CREAT | O_WRONLY | O_TRUNC */
#define SYMLINK_NOFOLLOW 0x100u
#define REMOVE_DIR 0x200u

#define OLDER(name, newer, a, b, c, d, e)                                     \
	int64_t staged_##name(const struct syscall_args *args)                 \
	{                                                                      \
		return staged_call(staged_##newer, a, b, c, d, e);              \
	}

#define ARG(i) (args->a[i])

OLDER(open, openat, CWD, ARG(0), ARG(1), ARG(2), 0)
OLDER(creat, openat, CWD, ARG(0), O_CREATE_FLAGS, ARG(1), 0)
OLDER(stat, newfstatat, CWD, ARG(0), ARG(1), 0, 0)
OLDER(lstat, newfstatat, CWD, ARG(0), ARG(1), SYMLINK_NOFOLLOW, 0)
OLDER(access, faccessat2, CWD, ARG(0), ARG(1), 0, 0)
OLDER(faccessat, faccessat2, ARG(0), ARG(1), ARG(2), 0, 0)
OLDER(rename, renameat2, CWD, ARG(0), CWD, ARG(1), 0)
OLDER(renameat, renameat2, ARG(0), ARG(1), ARG(2), ARG(3), 0)
OLDER(mkdir, mkdirat, CWD, ARG(0), ARG(1), 0, 0)
OLDER(rmdir, unlinkat, CWD, ARG(0), REMOVE_DIR, 0, 0)
OLDER(link, linkat, CWD, ARG(0), CWD, ARG(1), 0)
OLDER(unlink, unlinkat, CWD, ARG(0), 0, 0, 0)
OLDER(symlink, symlinkat, ARG(0), CWD, ARG(1), 0, 0)
OLDER(readlink, readlinkat, CWD, ARG(0), ARG(1), ARG(2), 0)
OLDER(chmod, fchmodat, CWD, ARG(0), ARG(1), 0, 0)
OLDER(chown, fchownat, CWD, ARG(0), ARG(1), ARG(2), 0)
OLDER(lchown, fchownat, CWD, ARG(0), ARG(1), ARG(2), SYMLINK_NOFOLLOW)
OLDER(utimes, futimesat, CWD, ARG(0), ARG(1), 0, 0)
