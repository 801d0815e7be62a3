/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "call.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "call_table.h"
#include "descriptor.h"
#include "interruptible.h"
#include "local_file.h"
#include "message.h"

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
	if (message->number == PISCES_CALL_CLOSE_ON_EXEC)
		return call_prepare_close_on_exec(call, channel, message);
	type = call_type(message->number);
	if (!type)
		return -ENOSYS;
	if (type->prepare)
		return type->prepare(call, channel, message);
	for (i = 0; i < 6; i++) {
		error = prepare_argument(call, channel, message, i, &type->arg[i]);
		if (error)
			return error;
	}
	if (type->refuse && type->refuse(call) != 0)
		return type->refuse(call);
	call->may_block = type->blocks != BLOCKS_NEVER && !(type->at_once && type->at_once(call));
	if (!call->may_block)
		call->execute = type->execute;
	if (type->blocks == BLOCKS_BEGUN)
		call->cancel = CANCEL_BEGUN;
	else if (type->blocks == BLOCKS_FIRMLY)
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
