/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "call_table.h"

#include <fcntl.h>
#include <sys/syscall.h>

#include "local_file.h"
#include "local_name.h"

static bool is_file(const struct call *call)
{
	return local_file((int)call->arg[0]);
}

static bool closes(const struct call *call)
{
	return local_file_closes((int)call->arg[0]);
}

/* Calls that have time, in ms, as argument 2 or 3: MPI libraries look so for messages, all day. */
static bool only_looks(const struct call *call)
{
	return (int)call->arg[call->number == SYS_poll ? 2 : 3] == 0;
}

/* Directory and name are arguments 0 and 1 in all of these. No name: it may be a file itself. */
static bool is_name(const struct call *call, bool follow)
{
	const char *name = (const char *)call->arg[1];

	return *name ? local_name(call, (int)call->arg[0], name, follow) : is_file(call);
}

static bool is_followed(const struct call *call)
{
	return is_name(call, true);
}

static bool is_not_followed(const struct call *call)
{
	return is_name(call, false);
}

static bool is_for_status(const struct call *call)
{
	return is_name(call, !(call->arg[call->number == SYS_statx ? 2 : 3] & AT_SYMLINK_NOFOLLOW));
}

#define VALUE	      { .kind = ARG_VALUE }
#define FD	      { .kind = ARG_FD }
#define PATH	      { .kind = ARG_PATH }
#define OPTIONAL_PATH { .kind = ARG_NO_PATH }
#define BUFFER(index) { .kind = ARG_BUFFER, .length = (index) }
#define STRUCT(bytes) { .kind = ARG_STRUCT, .size = (bytes) }
#define OPTIONAL(bytes) { .kind = ARG_OPTIONAL, .size = (bytes) }
#define OPTIONAL_BUFFER(index) { .kind = ARG_OPTIONAL_BUFFER, .length = (index) }
#define SIZED(index)  { .kind = ARG_SIZED, .length = (index) }
#define SIZE	      { .kind = ARG_SIZE }
#define ARRAY(index, bytes) { .kind = ARG_ARRAY, .length = (index), .size = (bytes) }

/* Sizes of the kernel's structures on x86-64. */
#define STAT	   STRUCT(144)
#define STATX	   STRUCT(256)
#define STATFS	   STRUCT(120)
#define TWO_TIMES  OPTIONAL(32)
#define OFFSET	   OPTIONAL(8)
#define POLLFD	   8
#define EPOLL_EVENT 12
#define TIMER_SPEC 32

static const struct call_type call_types[] = {
	/* data */
	[SYS_read] = { BLOCKS, { FD, BUFFER(2), VALUE }, is_file },
	[SYS_write] = { BLOCKS, { FD, BUFFER(2), VALUE }, is_file },
	[SYS_pread64] = { BLOCKS_FIRMLY, { FD, BUFFER(2), VALUE, VALUE }, is_file },
	[SYS_pwrite64] = { BLOCKS_FIRMLY, { FD, BUFFER(2), VALUE, VALUE }, is_file },
	[SYS_sendfile] = { BLOCKS, { FD, FD, OFFSET, VALUE } },
	[SYS_copy_file_range] = { BLOCKS, { FD, OFFSET, FD, OFFSET, VALUE, VALUE } },
	[SYS_splice] = { BLOCKS, { FD, OFFSET, FD, OFFSET, VALUE, VALUE } },
	[SYS_tee] = { BLOCKS, { FD, FD, VALUE, VALUE } },
	[SYS_poll] = { BLOCKS, { ARRAY(1, POLLFD), VALUE, VALUE }, only_looks },

	/* events */
	[SYS_epoll_create1] = { BLOCKS_NEVER, { VALUE } },
	[SYS_epoll_ctl] = { BLOCKS_FIRMLY, { FD, VALUE, FD, OPTIONAL(EPOLL_EVENT) } },
	[SYS_epoll_wait] = { BLOCKS, { FD, ARRAY(2, EPOLL_EVENT), VALUE, VALUE }, only_looks },
	[SYS_eventfd2] = { BLOCKS_NEVER, { VALUE, VALUE } },
	[SYS_timerfd_create] = { BLOCKS_NEVER, { VALUE, VALUE } },
	[SYS_timerfd_settime] = { BLOCKS_NEVER, { FD, VALUE, STRUCT(TIMER_SPEC),
						  OPTIONAL(TIMER_SPEC) } },
	[SYS_timerfd_gettime] = { BLOCKS_NEVER, { FD, STRUCT(TIMER_SPEC) } },
	[SYS_inotify_init1] = { BLOCKS_NEVER, { VALUE } },
	[SYS_inotify_add_watch] = { BLOCKS_FIRMLY, { FD, PATH, VALUE } },
	[SYS_inotify_rm_watch] = { BLOCKS_FIRMLY, { FD, VALUE } },

	/* sockets */
	[SYS_socket] = { BLOCKS_NEVER, { VALUE, VALUE, VALUE } },
	[SYS_socketpair] = { BLOCKS_NEVER, { VALUE, VALUE, VALUE, STRUCT(8) } },
	[SYS_bind] = { BLOCKS_FIRMLY, { FD, OPTIONAL_BUFFER(2), VALUE } },
	[SYS_connect] = { BLOCKS_BEGUN, { FD, OPTIONAL_BUFFER(2), VALUE } },
	[SYS_listen] = { BLOCKS_FIRMLY, { FD, VALUE } },
	[SYS_accept4] = { BLOCKS, { FD, SIZED(2), SIZE, VALUE } },
	[SYS_getsockname] = { BLOCKS_FIRMLY, { FD, SIZED(2), SIZE } },
	[SYS_getpeername] = { BLOCKS_FIRMLY, { FD, SIZED(2), SIZE } },
	[SYS_shutdown] = { BLOCKS_FIRMLY, { FD, VALUE } },
	[SYS_setsockopt] = { BLOCKS_FIRMLY, { FD, VALUE, VALUE, OPTIONAL_BUFFER(4), VALUE },
			     .refuse = call_refuse_sockopt },
	[SYS_getsockopt] = { BLOCKS_FIRMLY, { FD, VALUE, VALUE, SIZED(4), SIZE },
			     .refuse = call_refuse_sockopt },
	[SYS_sendmsg] = { .prepare = call_prepare_sendmsg },
	[SYS_recvmsg] = { .prepare = call_prepare_recvmsg },

	/* descriptors */
	[SYS_close] = { BLOCKS_FIRMLY, { FD }, closes },
	[SYS_lseek] = { BLOCKS_FIRMLY, { FD, VALUE, VALUE }, is_file },
	[SYS_fstat] = { BLOCKS_FIRMLY, { FD, STAT }, is_file },
	[SYS_dup] = { BLOCKS_NEVER, { FD } },
	[SYS_dup2] = { BLOCKS_FIRMLY, { FD, FD } },
	[SYS_dup3] = { BLOCKS_FIRMLY, { FD, FD, VALUE } },
	[SYS_pipe2] = { BLOCKS_NEVER, { STRUCT(8), VALUE } },
	[SYS_ioctl] = { .prepare = call_prepare_ioctl },
	[SYS_fcntl] = { .prepare = call_prepare_fcntl },
	[SYS_flock] = { BLOCKS, { FD, VALUE } },
	[SYS_fsync] = { BLOCKS_FIRMLY, { FD } },
	[SYS_fdatasync] = { BLOCKS_FIRMLY, { FD } },
	[SYS_ftruncate] = { BLOCKS_FIRMLY, { FD, VALUE } },
	[SYS_fallocate] = { BLOCKS, { FD, VALUE, VALUE, VALUE } },
	[SYS_fadvise64] = { BLOCKS_FIRMLY, { FD, VALUE, VALUE, VALUE } },
	[SYS_fchmod] = { BLOCKS_FIRMLY, { FD, VALUE } },
	[SYS_fchown] = { BLOCKS_FIRMLY, { FD, VALUE, VALUE } },
	[SYS_fstatfs] = { BLOCKS_FIRMLY, { FD, STATFS } },
	[SYS_getdents64] = { BLOCKS_FIRMLY, { FD, BUFFER(2), VALUE }, is_file },
	[SYS_getdents] = { BLOCKS_FIRMLY, { FD, BUFFER(2), VALUE }, is_file },
	[SYS_close_range] = { .prepare = call_prepare_close_range },
	[SYS_sync_file_range] = { BLOCKS_FIRMLY, { FD, VALUE, VALUE, VALUE } },
	[SYS_syncfs] = { BLOCKS_FIRMLY, { FD } },
	[SYS_sync] = { BLOCKS_FIRMLY, { VALUE } },
	[SYS_readahead] = { BLOCKS_FIRMLY, { FD, VALUE, VALUE } },

	/* names */
	[SYS_openat] = { BLOCKS, { FD, PATH, VALUE, VALUE }, local_name_opens, local_name_open },
	[SYS_openat2] = { BLOCKS, { FD, PATH, BUFFER(3), VALUE } },
	[SYS_newfstatat] = { BLOCKS_FIRMLY, { FD, PATH, STAT, VALUE }, is_for_status },
	[SYS_statx] = { BLOCKS_FIRMLY, { FD, PATH, VALUE, VALUE, STATX }, is_for_status },
	[SYS_faccessat] = { BLOCKS_FIRMLY, { FD, PATH, VALUE }, is_followed },
	[SYS_faccessat2] = { BLOCKS_FIRMLY, { FD, PATH, VALUE, VALUE }, is_for_status },
	[SYS_readlinkat] = { BLOCKS_FIRMLY, { FD, PATH, BUFFER(3), VALUE }, is_not_followed },
	[SYS_mkdirat] = { BLOCKS_FIRMLY, { FD, PATH, VALUE } },
	[SYS_unlinkat] = { BLOCKS_FIRMLY, { FD, PATH, VALUE } },
	[SYS_renameat] = { BLOCKS_FIRMLY, { FD, PATH, FD, PATH } },
	[SYS_renameat2] = { BLOCKS_FIRMLY, { FD, PATH, FD, PATH, VALUE } },
	[SYS_linkat] = { BLOCKS_FIRMLY, { FD, PATH, FD, PATH, VALUE } },
	[SYS_symlinkat] = { BLOCKS_FIRMLY, { PATH, FD, PATH } },
	[SYS_fchmodat] = { BLOCKS_FIRMLY, { FD, PATH, VALUE } },
	[SYS_fchownat] = { BLOCKS_FIRMLY, { FD, PATH, VALUE, VALUE, VALUE } },
	[SYS_utimensat] = { BLOCKS_FIRMLY, { FD, OPTIONAL_PATH, TWO_TIMES, VALUE } },
	[SYS_utime] = { BLOCKS_FIRMLY, { PATH, OPTIONAL(16) } },
	[SYS_utimes] = { BLOCKS_FIRMLY, { PATH, TWO_TIMES } },
	[SYS_futimesat] = { BLOCKS_FIRMLY, { FD, OPTIONAL_PATH, TWO_TIMES } },
	[SYS_mknodat] = { BLOCKS_FIRMLY, { FD, PATH, VALUE, VALUE } },
	[SYS_truncate] = { BLOCKS_FIRMLY, { PATH, VALUE } },
	[SYS_statfs] = { BLOCKS_FIRMLY, { PATH, STATFS } },
	[SYS_chdir] = { BLOCKS_FIRMLY, { PATH } },
	[SYS_fchdir] = { BLOCKS_FIRMLY, { FD } },
	[SYS_getcwd] = { BLOCKS_NEVER, { BUFFER(1), VALUE } },
	[SYS_getxattr] = { BLOCKS_FIRMLY, { PATH, PATH, BUFFER(3), VALUE } },
	[SYS_lgetxattr] = { BLOCKS_FIRMLY, { PATH, PATH, BUFFER(3), VALUE } },
	[SYS_fgetxattr] = { BLOCKS_FIRMLY, { FD, PATH, BUFFER(3), VALUE } },
	[SYS_listxattr] = { BLOCKS_FIRMLY, { PATH, BUFFER(2), VALUE } },
	[SYS_llistxattr] = { BLOCKS_FIRMLY, { PATH, BUFFER(2), VALUE } },
	[SYS_flistxattr] = { BLOCKS_FIRMLY, { FD, BUFFER(2), VALUE } },
	[SYS_setxattr] = { BLOCKS_FIRMLY, { PATH, PATH, OPTIONAL_BUFFER(3), VALUE, VALUE } },
	[SYS_lsetxattr] = { BLOCKS_FIRMLY, { PATH, PATH, OPTIONAL_BUFFER(3), VALUE, VALUE } },
	[SYS_fsetxattr] = { BLOCKS_FIRMLY, { FD, PATH, OPTIONAL_BUFFER(3), VALUE, VALUE } },
	[SYS_removexattr] = { BLOCKS_FIRMLY, { PATH, PATH } },
	[SYS_lremovexattr] = { BLOCKS_FIRMLY, { PATH, PATH } },
	[SYS_fremovexattr] = { BLOCKS_FIRMLY, { FD, PATH } },
	[SYS_memfd_create] = { BLOCKS_NEVER, { PATH, VALUE } },
	[SYS_getrandom] = { BLOCKS_NEVER, { BUFFER(1), VALUE, VALUE } },
	[SYS_umask] = { BLOCKS_NEVER, { VALUE } },

	/* who it is */
	[SYS_getgroups] = { BLOCKS_NEVER, { VALUE, ARRAY(0, 4) } },
	[SYS_getpgid] = { BLOCKS_NEVER, { VALUE } },
	[SYS_getsid] = { BLOCKS_NEVER, { VALUE } },
	[SYS_setpgid] = { BLOCKS_NEVER, { VALUE, VALUE } },
	[SYS_setsid] = { BLOCKS_NEVER, { VALUE } },
};

const struct call_type *call_type(uint32_t number)
{
	const struct call_type *type;

	if (number >= sizeof(call_types) / sizeof(call_types[0]))
		return NULL;
	type = &call_types[number];
	return type->prepare || type->arg[0].kind != ARG_NONE ? type : NULL;
}
