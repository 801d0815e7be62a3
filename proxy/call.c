/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls that a program in an enclave can have executed on Linux, as a
 * table: what each argument is. The buffers and structures are exactly those of
 * the system call, so most calls need a row and nothing else.
 *
 * Whether a buffer is read or written makes no difference here: the data area
 * is both. A length that the kernel reads from the data area itself would be
 * one that the co-kernel can change after the check; the table has none.
 */
#include "call.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "descriptor.h"
#include "interruptible.h"
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
};

struct argument {
	uint8_t kind;
	uint8_t length; /* index of another argument */
	uint16_t size;
};

enum blocks {
	BLOCKS_NEVER,	   /* the main thread executes it at once */
	BLOCKS_UNLESS_FILE, /* the same if argument 0 is a regular file */
	BLOCKS,
};

struct call_type {
	enum blocks blocks;
	struct argument arg[6];
	int (*prepare)(struct call *call, const struct channel *channel,
		       const struct pisces_message *message);
};

#define VALUE	      { .kind = ARG_VALUE }
#define FD	      { .kind = ARG_FD }
#define PATH	      { .kind = ARG_PATH }
#define OPTIONAL_PATH { .kind = ARG_NO_PATH }
#define BUFFER(index) { .kind = ARG_BUFFER, .length = (index) }
#define STRUCT(bytes) { .kind = ARG_STRUCT, .size = (bytes) }
#define OPTIONAL(bytes) { .kind = ARG_OPTIONAL, .size = (bytes) }
#define ARRAY(index, bytes) { .kind = ARG_ARRAY, .length = (index), .size = (bytes) }

/* Sizes of the kernel's structures on x86-64. */
#define STAT	   STRUCT(144)
#define STATX	   STRUCT(256)
#define STATFS	   STRUCT(120)
#define TWO_TIMES  OPTIONAL(32)
#define OFFSET	   OPTIONAL(8)
#define POLLFD	   8

static const struct call_type call_types[] = {
	/* data */
	[SYS_read] = { BLOCKS_UNLESS_FILE, { FD, BUFFER(2), VALUE } },
	[SYS_write] = { BLOCKS_UNLESS_FILE, { FD, BUFFER(2), VALUE } },
	[SYS_pread64] = { BLOCKS_UNLESS_FILE, { FD, BUFFER(2), VALUE, VALUE } },
	[SYS_pwrite64] = { BLOCKS_UNLESS_FILE, { FD, BUFFER(2), VALUE, VALUE } },
	[SYS_sendfile] = { BLOCKS, { FD, FD, OFFSET, VALUE } },
	[SYS_copy_file_range] = { BLOCKS, { FD, OFFSET, FD, OFFSET, VALUE, VALUE } },
	[SYS_poll] = { BLOCKS, { ARRAY(1, POLLFD), VALUE, VALUE } },

	/* descriptors */
	[SYS_close] = { BLOCKS, { FD } },
	[SYS_lseek] = { BLOCKS_NEVER, { FD, VALUE, VALUE } },
	[SYS_fstat] = { BLOCKS_NEVER, { FD, STAT } },
	[SYS_dup] = { BLOCKS_NEVER, { FD } },
	[SYS_dup2] = { BLOCKS, { FD, FD } },
	[SYS_dup3] = { BLOCKS, { FD, FD, VALUE } },
	[SYS_pipe2] = { BLOCKS_NEVER, { STRUCT(8), VALUE } },
	[SYS_ioctl] = { .prepare = call_prepare_ioctl },
	[SYS_fcntl] = { .prepare = call_prepare_fcntl },
	[SYS_flock] = { BLOCKS, { FD, VALUE } },
	[SYS_fsync] = { BLOCKS, { FD } },
	[SYS_fdatasync] = { BLOCKS, { FD } },
	[SYS_ftruncate] = { BLOCKS, { FD, VALUE } },
	[SYS_fallocate] = { BLOCKS, { FD, VALUE, VALUE, VALUE } },
	[SYS_fadvise64] = { BLOCKS, { FD, VALUE, VALUE, VALUE } },
	[SYS_fchmod] = { BLOCKS, { FD, VALUE } },
	[SYS_fchown] = { BLOCKS, { FD, VALUE, VALUE } },
	[SYS_fstatfs] = { BLOCKS, { FD, STATFS } },
	[SYS_getdents64] = { BLOCKS, { FD, BUFFER(2), VALUE } },

	/* names */
	[SYS_openat] = { BLOCKS, { FD, PATH, VALUE, VALUE } },
	[SYS_newfstatat] = { BLOCKS, { FD, PATH, STAT, VALUE } },
	[SYS_statx] = { BLOCKS, { FD, PATH, VALUE, VALUE, STATX } },
	[SYS_faccessat] = { BLOCKS, { FD, PATH, VALUE } },
	[SYS_faccessat2] = { BLOCKS, { FD, PATH, VALUE, VALUE } },
	[SYS_readlinkat] = { BLOCKS, { FD, PATH, BUFFER(3), VALUE } },
	[SYS_mkdirat] = { BLOCKS, { FD, PATH, VALUE } },
	[SYS_unlinkat] = { BLOCKS, { FD, PATH, VALUE } },
	[SYS_renameat] = { BLOCKS, { FD, PATH, FD, PATH } },
	[SYS_renameat2] = { BLOCKS, { FD, PATH, FD, PATH, VALUE } },
	[SYS_linkat] = { BLOCKS, { FD, PATH, FD, PATH, VALUE } },
	[SYS_symlinkat] = { BLOCKS, { PATH, FD, PATH } },
	[SYS_fchmodat] = { BLOCKS, { FD, PATH, VALUE } },
	[SYS_fchownat] = { BLOCKS, { FD, PATH, VALUE, VALUE, VALUE } },
	[SYS_utimensat] = { BLOCKS, { FD, OPTIONAL_PATH, TWO_TIMES, VALUE } },
	[SYS_truncate] = { BLOCKS, { PATH, VALUE } },
	[SYS_statfs] = { BLOCKS, { PATH, STATFS } },
	[SYS_chdir] = { BLOCKS, { PATH } },
	[SYS_fchdir] = { BLOCKS, { FD } },
	[SYS_getcwd] = { BLOCKS_NEVER, { BUFFER(1), VALUE } },
	[SYS_getxattr] = { BLOCKS, { PATH, PATH, BUFFER(3), VALUE } },
	[SYS_lgetxattr] = { BLOCKS, { PATH, PATH, BUFFER(3), VALUE } },
	[SYS_fgetxattr] = { BLOCKS, { FD, PATH, BUFFER(3), VALUE } },
	[SYS_listxattr] = { BLOCKS, { PATH, BUFFER(2), VALUE } },
	[SYS_llistxattr] = { BLOCKS, { PATH, BUFFER(2), VALUE } },
	[SYS_flistxattr] = { BLOCKS, { FD, BUFFER(2), VALUE } },
	[SYS_memfd_create] = { BLOCKS_NEVER, { PATH, VALUE } },
	[SYS_getrandom] = { BLOCKS_NEVER, { BUFFER(1), VALUE, VALUE } },
	[SYS_umask] = { BLOCKS_NEVER, { VALUE } },
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

static int prepare_argument(struct call *call, const struct channel *channel,
			    const struct pisces_message *message, unsigned int i,
			    const struct argument *type)
{
	uint64_t value = message->arg[i];
	uint64_t elements;

	switch ((enum argument_kind)type->kind) {
	case ARG_FD:
		if (descriptor_is_hidden((int)value))
			return -EBADF;
		call->arg[i] = (int)value;
		return 0;
	case ARG_NO_PATH:
		if (value == PISCES_CHANNEL_NULL) {
			call->arg[i] = 0;
			return 0;
		}
		/* fall through */
	case ARG_PATH:
		return copy_path(call, &call->arg[i], channel, value);
	case ARG_BUFFER:
		return call_argument(&call->arg[i], channel, value, message->arg[type->length]);
	case ARG_ARRAY:
		elements = message->arg[type->length];
		/* The kernel takes these counts as 32 bits. */
		if (elements > UINT32_MAX)
			return -EINVAL;
		return call_argument(&call->arg[i], channel, value, elements * type->size);
	case ARG_OPTIONAL:
		if (value == PISCES_CHANNEL_NULL) {
			call->arg[i] = 0;
			return 0;
		}
		return call_argument(&call->arg[i], channel, value, type->size);
	case ARG_STRUCT:
		return call_argument(&call->arg[i], channel, value, type->size);
	case ARG_VALUE:
	case ARG_NONE:
		break;
	}
	call->arg[i] = (long)value;
	return 0;
}

static bool is_regular_file(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
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

int call_prepare(struct call *call, const struct channel *channel,
		 const struct pisces_message *message)
{
	const struct call_type *type;
	unsigned int i;
	int error;

	call->tag = message->tag;
	call->number = message->number;
	call->cancelled = 0;
	call->paths = 0;
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
	call->may_block = type->blocks == BLOCKS ||
			  (type->blocks == BLOCKS_UNLESS_FILE && !is_regular_file((int)call->arg[0]));
	return 0;
}

int64_t call_execute(struct call *call)
{
	int64_t result;

	/*
	 * A signal that was meant for an earlier call, or came from elsewhere, is no
	 * reason to bother the program. close(2) has done its work even then.
	 */
	do {
		result = interruptible_call(&call->cancelled, call->number, call->arg);
	} while (result == -EINTR && call->number != SYS_close &&
		 !__atomic_load_n(&call->cancelled, __ATOMIC_ACQUIRE));
	return result;
}
