/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files: all descriptors are the proxy's, and their calls are done there. Calls
 * that have a newer form are sent as that one. What may be about memory files, which are
 * ours, is in own_file.c and own_name.c.
 */
#include <asm/unistd_64.h>

#include "channel/channel.h"
#include "syscall/describe.h"
#include "syscall/handlers.h"
#include "syscall/own_file.h"

/* Of <fcntl.h>, in the numbers of the ABI. */
#define O_CREATE_FLAGS 01101u /* O_CREAT | O_WRONLY | O_TRUNC */
#define SYMLINK_NOFOLLOW 0x100u
#define REMOVE_DIR 0x200u

/* Sizes of the kernel's structures on x86-64. */
#define STATFS_SIZE 120

int64_t syscall_read(const struct syscall_args *args)
{
	return file_read((int)args->a[0], args->a[1], args->a[2]);
}

int64_t syscall_write(const struct syscall_args *args)
{
	return file_write((int)args->a[0], args->a[1], args->a[2]);
}

int64_t syscall_pread64(const struct syscall_args *args)
{
	return file_pread((int)args->a[0], args->a[1], args->a[2], args->a[3]);
}

int64_t syscall_pwrite64(const struct syscall_args *args)
{
	return file_pwrite((int)args->a[0], args->a[1], args->a[2], args->a[3]);
}

FORWARD(flock, VALUE)
FORWARD(fadvise64, VALUE)
FORWARD(fchmod, VALUE)
FORWARD(fchown, VALUE)
FORWARD(fstatfs, VALUE, OUT(STATFS_SIZE))

FORWARD(mkdirat, VALUE, PATH)
FORWARD(symlinkat, PATH, VALUE, PATH)
FORWARD(fchmodat, VALUE, PATH)
FORWARD(fchownat, VALUE, PATH)
FORWARD(utimensat, VALUE, OPTIONAL_PATH, IN_OPTIONAL(32))
FORWARD(statfs, PATH, OUT(STATFS_SIZE))
FORWARD(chdir, PATH)
FORWARD(fchdir, VALUE)
FORWARD(getcwd, OUT_BUFFER(1))
FORWARD(getxattr, PATH, PATH, OUT_BUFFER(3))
FORWARD(lgetxattr, PATH, PATH, OUT_BUFFER(3))
FORWARD(fgetxattr, VALUE, PATH, OUT_BUFFER(3))
FORWARD(listxattr, PATH, OUT_BUFFER(2))
FORWARD(llistxattr, PATH, OUT_BUFFER(2))
FORWARD(flistxattr, VALUE, OUT_BUFFER(2))

/* ---- older forms ---- */

static int64_t call(syscall_handler_t handler, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
		    uint64_t e)
{
	const struct syscall_args args = { { a, b, c, d, e } };

	return handler(&args);
}

int64_t syscall_open(const struct syscall_args *args)
{
	return call(syscall_openat, CWD, args->a[0], args->a[1], args->a[2], 0);
}

int64_t syscall_creat(const struct syscall_args *args)
{
	return call(syscall_openat, CWD, args->a[0], O_CREATE_FLAGS, args->a[1], 0);
}

int64_t syscall_stat(const struct syscall_args *args)
{
	return call(syscall_newfstatat, CWD, args->a[0], args->a[1], 0, 0);
}

int64_t syscall_lstat(const struct syscall_args *args)
{
	return call(syscall_newfstatat, CWD, args->a[0], args->a[1], SYMLINK_NOFOLLOW, 0);
}

int64_t syscall_access(const struct syscall_args *args)
{
	return call(syscall_faccessat, CWD, args->a[0], args->a[1], 0, 0);
}

int64_t syscall_pipe(const struct syscall_args *args)
{
	return call(syscall_pipe2, args->a[0], 0, 0, 0, 0);
}

int64_t syscall_rename(const struct syscall_args *args)
{
	return call(syscall_renameat, CWD, args->a[0], CWD, args->a[1], 0);
}

int64_t syscall_mkdir(const struct syscall_args *args)
{
	return call(syscall_mkdirat, CWD, args->a[0], args->a[1], 0, 0);
}

int64_t syscall_rmdir(const struct syscall_args *args)
{
	return call(syscall_unlinkat, CWD, args->a[0], REMOVE_DIR, 0, 0);
}

int64_t syscall_link(const struct syscall_args *args)
{
	return call(syscall_linkat, CWD, args->a[0], CWD, args->a[1], 0);
}

int64_t syscall_unlink(const struct syscall_args *args)
{
	return call(syscall_unlinkat, CWD, args->a[0], 0, 0, 0);
}

int64_t syscall_symlink(const struct syscall_args *args)
{
	return call(syscall_symlinkat, args->a[0], CWD, args->a[1], 0, 0);
}

int64_t syscall_readlink(const struct syscall_args *args)
{
	return call(syscall_readlinkat, CWD, args->a[0], args->a[1], args->a[2], 0);
}

int64_t syscall_chmod(const struct syscall_args *args)
{
	return call(syscall_fchmodat, CWD, args->a[0], args->a[1], 0, 0);
}

int64_t syscall_chown(const struct syscall_args *args)
{
	return call(syscall_fchownat, CWD, args->a[0], args->a[1], args->a[2], 0);
}

int64_t syscall_lchown(const struct syscall_args *args)
{
	return call(syscall_fchownat, CWD, args->a[0], args->a[1], args->a[2], SYMLINK_NOFOLLOW);
}
