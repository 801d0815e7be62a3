/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls that a program in an enclave can have executed on Linux, as a
 * table: what each argument is. The buffers and structures are exactly those of
 * the system call, so most calls need a row and nothing else.
 *
 * Whether a buffer is read or written makes no difference here: the data area
 * is both. A length that the kernel reads from memory (ARG_SIZE) is a copy, since
 * the co-kernel could change the data area's after the check.
 */
#include "call.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "descriptor.h"
#include "interruptible.h"
#include "local_file.h"
#include "message.h"

enum argument_kind {
	ARG_NONE = 0,
	ARG_VALUE,    /* as it is */
	ARG_FD,	      /* a descriptor; never one of the proxy's own */
	ARG_PATH,     /* offset of a NUL-terminated path: copied */
	ARG_NO_PATH,  /* the same, or NULL */
	ARG_BUFFER,   /* offset of as many bytes as argument `length` says */
	ARG_ARRAY,    /* offset of as many elements of `size` as argument `length` says */
	ARG_STRUCT,   /* offset of `size` bytes */
	ARG_OPTIONAL, /* the same, or NULL */
	ARG_OPTIONAL_BUFFER, /* ARG_BUFFER, or NULL */
	ARG_SIZED,    /* offset of as many bytes as the word of argument `length` says, or NULL */
	ARG_SIZE,     /* offset of that word, in and out, or NULL */
};

struct argument {
	uint8_t kind;
	uint8_t length; /* index of another argument */
	uint16_t size;
};

enum blocks {
	BLOCKS_NEVER,	   /* the main thread executes it at once */
	BLOCKS_UNLESS_FILE, /* the same if argument 0 is a regular file of this machine */
	BLOCKS,
	BLOCKS_FOR_TIME,   /* the same unless argument `time`, in ms, is 0 */
	BLOCKS_BEGUN,	   /* interrupted, it goes on in Linux: so not before it has begun */
	BLOCKS_FIRMLY,	   /* no signal interrupts it in Linux */
	BLOCKS_FIRMLY_UNLESS_FILE,
};

struct call_type {
	enum blocks blocks;
	struct argument arg[6];
	uint8_t time; /* of BLOCKS_FOR_TIME: index of an argument */
	int (*prepare)(struct call *call, const struct channel *channel,
		       const struct pisces_message *message);
	int (*refuse)(const struct call *call); /* 0, or the negative errno that is the answer */
};

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
	[SYS_read] = { BLOCKS_UNLESS_FILE, { FD, BUFFER(2), VALUE } },
	[SYS_write] = { BLOCKS_UNLESS_FILE, { FD, BUFFER(2), VALUE } },
	[SYS_pread64] = { BLOCKS_FIRMLY_UNLESS_FILE, { FD, BUFFER(2), VALUE, VALUE } },
	[SYS_pwrite64] = { BLOCKS_FIRMLY_UNLESS_FILE, { FD, BUFFER(2), VALUE, VALUE } },
	[SYS_sendfile] = { BLOCKS, { FD, FD, OFFSET, VALUE } },
	[SYS_copy_file_range] = { BLOCKS, { FD, OFFSET, FD, OFFSET, VALUE, VALUE } },
	[SYS_splice] = { BLOCKS, { FD, OFFSET, FD, OFFSET, VALUE, VALUE } },
	[SYS_tee] = { BLOCKS, { FD, FD, VALUE, VALUE } },
	[SYS_poll] = { BLOCKS_FOR_TIME, { ARRAY(1, POLLFD), VALUE, VALUE }, .time = 2 },

	/* events */
	[SYS_epoll_create1] = { BLOCKS_NEVER, { VALUE } },
	[SYS_epoll_ctl] = { BLOCKS_FIRMLY, { FD, VALUE, FD, OPTIONAL(EPOLL_EVENT) } },
	[SYS_epoll_wait] = { BLOCKS_FOR_TIME, { FD, ARRAY(2, EPOLL_EVENT), VALUE, VALUE },
			     .time = 3 },
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
	[SYS_close] = { BLOCKS_FIRMLY, { FD } },
	[SYS_lseek] = { BLOCKS_FIRMLY_UNLESS_FILE, { FD, VALUE, VALUE } },
	[SYS_fstat] = { BLOCKS_FIRMLY_UNLESS_FILE, { FD, STAT } },
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
	[SYS_getdents64] = { BLOCKS_FIRMLY, { FD, BUFFER(2), VALUE } },
	[SYS_getdents] = { BLOCKS_FIRMLY, { FD, BUFFER(2), VALUE } },
	[SYS_close_range] = { .prepare = call_prepare_close_range },
	[SYS_sync_file_range] = { BLOCKS_FIRMLY, { FD, VALUE, VALUE, VALUE } },
	[SYS_syncfs] = { BLOCKS_FIRMLY, { FD } },
	[SYS_sync] = { BLOCKS_FIRMLY, { VALUE } },
	[SYS_readahead] = { BLOCKS_FIRMLY, { FD, VALUE, VALUE } },

	/* names */
	[SYS_openat] = { BLOCKS, { FD, PATH, VALUE, VALUE } },
	[SYS_openat2] = { BLOCKS, { FD, PATH, BUFFER(3), VALUE } },
	[SYS_newfstatat] = { BLOCKS_FIRMLY, { FD, PATH, STAT, VALUE } },
	[SYS_statx] = { BLOCKS_FIRMLY, { FD, PATH, VALUE, VALUE, STATX } },
	[SYS_faccessat] = { BLOCKS_FIRMLY, { FD, PATH, VALUE } },
	[SYS_faccessat2] = { BLOCKS_FIRMLY, { FD, PATH, VALUE, VALUE } },
	[SYS_readlinkat] = { BLOCKS_FIRMLY, { FD, PATH, BUFFER(3), VALUE } },
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

#define CALL_TYPES (sizeof(call_types) / sizeof(call_types[0]))

int call_argument(long *arg, const struct channel *channel, uint64_t offset, uint64_t size)
{
	void *memory = channel_data(channel, offset, size);

	if (!memory)
		return -EFAULT;
	*arg = (long)memory;
	return 0;
}

static int copy_path(struct call *call, long *arg, const struct channel *channel, uint64_t offset)
{
	char *path = call->path[call->paths++];
	uint64_t size = channel->data_size;
	const char *source;

	if (offset >= size)
		return -EFAULT;
	size -= offset;
	if (size > PATH_MAX)
		size = PATH_MAX;
	source = channel_data(channel, offset, size);
	memcpy(path, source, size);
	if (!memchr(path, '\0', size))
		return size == PATH_MAX ? -ENAMETOOLONG : -EFAULT;
	*arg = (long)path;
	return 0;
}

static bool can_be_null(uint8_t kind)
{
	return kind == ARG_NO_PATH || kind == ARG_OPTIONAL || kind == ARG_OPTIONAL_BUFFER ||
	       kind == ARG_SIZED || kind == ARG_SIZE;
}

static void store_size(struct call *call, int64_t result)
{
	(void)result;
	memcpy(call->shared, &call->size, sizeof(call->size));
}

/* The word at OFFSET is read once, whoever asks for it. */
static int load_size(struct call *call, const struct channel *channel, uint64_t offset)
{
	if (call->shared)
		return 0;
	call->shared = channel_data(channel, offset, sizeof(call->size));
	if (!call->shared)
		return -EFAULT;
	memcpy(&call->size, call->shared, sizeof(call->size));
	call->finish = store_size;
	return 0;
}

static int prepare_argument(struct call *call, const struct channel *channel,
			    const struct pisces_message *message, unsigned int i,
			    const struct argument *type)
{
	uint64_t value = message->arg[i];
	uint64_t elements;
	int error;

	if (value == PISCES_CHANNEL_NULL && can_be_null(type->kind)) {
		call->arg[i] = 0;
		return 0;
	}
	switch ((enum argument_kind)type->kind) {
	case ARG_FD:
		if (descriptor_is_hidden((int)value))
			return -EBADF;
		call->arg[i] = (int)value;
		return 0;
	case ARG_NO_PATH:
	case ARG_PATH:
		return copy_path(call, &call->arg[i], channel, value);
	case ARG_OPTIONAL_BUFFER:
	case ARG_BUFFER:
		return call_argument(&call->arg[i], channel, value, message->arg[type->length]);
	case ARG_ARRAY:
		elements = message->arg[type->length];
		/* The kernel takes these counts as 32 bits. */
		if (elements > UINT32_MAX)
			return -EINVAL;
		return call_argument(&call->arg[i], channel, value, elements * type->size);
	case ARG_SIZED:
		error = load_size(call, channel, message->arg[type->length]);
		if (error)
			return error;
		return call_argument(&call->arg[i], channel, value, call->size);
	case ARG_SIZE:
		call->arg[i] = (long)&call->size;
		return load_size(call, channel, value);
	case ARG_OPTIONAL:
	case ARG_STRUCT:
		return call_argument(&call->arg[i], channel, value, type->size);
	case ARG_VALUE:
	case ARG_NONE:
		break;
	}
	call->arg[i] = (long)value;
	return 0;
}

/* A line of the co-kernel for the user: a write of ours, which may block like any. */
static int prepare_report(struct call *call, const struct channel *channel,
			  const struct pisces_message *message)
{
	const char *text = channel_data(channel, message->arg[0], message->arg[1]);
	char *line = call->path[0];

	if (!text)
		return -EFAULT;
	call->number = SYS_write;
	call->arg[0] = message_fd();
	call->arg[1] = (long)line;
	call->arg[2] = (long)message_line(line, sizeof(call->path[0]), text, message->arg[1]);
	call->may_block = true;
	return 0;
}

static int prepare(struct call *call, const struct channel *channel,
		   const struct pisces_message *message)
{
	const struct call_type *type;
	unsigned int i;
	int error;

	call->tag = message->tag;
	call->number = message->number;
	call->cancel = CANCEL_ANY_TIME;
	call->cancelled = 0;
	call->paths = 0;
	call->shared = NULL;
	call->execute = NULL;
	call->finish = NULL;
	memset(call->arg, 0, sizeof(call->arg));

	if (message->number == PISCES_CALL_REPORT)
		return prepare_report(call, channel, message);
	if (message->number >= CALL_TYPES)
		return -ENOSYS;
	type = &call_types[message->number];
	if (type->prepare)
		return type->prepare(call, channel, message);
	if (type->arg[0].kind == ARG_NONE)
		return -ENOSYS;
	for (i = 0; i < 6; i++) {
		error = prepare_argument(call, channel, message, i, &type->arg[i]);
		if (error)
			return error;
	}
	if (type->refuse && type->refuse(call) != 0)
		return type->refuse(call);
	call->may_block = type->blocks != BLOCKS_NEVER;
	if (type->blocks == BLOCKS_UNLESS_FILE || type->blocks == BLOCKS_FIRMLY_UNLESS_FILE)
		call->may_block = !local_file((int)call->arg[0]);
	/* MPI libraries look so for messages, without an end. */
	else if (type->blocks == BLOCKS_FOR_TIME)
		call->may_block = (int)call->arg[type->time] != 0;
	if (type->blocks == BLOCKS_BEGUN)
		call->cancel = CANCEL_BEGUN;
	else if (type->blocks == BLOCKS_FIRMLY || type->blocks == BLOCKS_FIRMLY_UNLESS_FILE)
		call->cancel = CANCEL_NEVER;
	return 0;
}

/* Calls that make a number, which a file may have, that of another or of none. */
static bool gives_numbers_away(uint32_t number)
{
	return number == SYS_close || number == SYS_close_range || number == SYS_dup2 ||
	       number == SYS_dup3;
}

int call_prepare(struct call *call, const struct channel *channel,
		 const struct pisces_message *message)
{
	int error = prepare(call, channel, message);

	call->renumbers = error == 0 && gives_numbers_away(message->number);
	if (call->renumbers)
		local_file_begin_change();
	return error;
}

void call_drop(struct call *call)
{
	if (call->renumbers)
		local_file_end_change();
}

static int64_t execute(struct call *call)
{
	static const int not_cancelled;
	int64_t result;

	if (call->execute)
		return call->execute(call);
	/* A signal that was meant for an earlier call, or came from elsewhere, is no reason. */
	do {
		result = interruptible_call(call->cancel == CANCEL_ANY_TIME ? &call->cancelled :
									      &not_cancelled,
					    call->number, call->arg);
	} while (result == -EINTR && call->number != SYS_close &&
		 !__atomic_load_n(&call->cancelled, __ATOMIC_ACQUIRE));
	/* It has done its work even then; the number may be another file's by now. */
	if (result == -EINTR && call->number == SYS_close)
		result = 0;
	if (call->finish)
		call->finish(call, result);
	return result;
}

int64_t call_execute(struct call *call)
{
	int64_t result = execute(call);

	call_drop(call);
	return result;
}
