/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "syscall/describe.h"

#include "channel/channel.h"
#include "lib/string.h"
#include "syscall/handlers.h"
#include "task/process.h"
#include "task/thread.h"

#define PATH_SIZE 4096u /* with NUL: PATH_MAX of Linux */

/* A buffer that a program gives for names or directory entries is used up to this. */
#define OUT_BUFFER_MOST 0x8000u
#define ARRAY_MOST 4096u /* elements */

#define ARGUMENT_ALIGN 16u

/* A call on its way: where its arguments lie in the buffer. */
struct transfer {
	const struct description *description;
	const uint64_t *values;
	uint64_t sent[6];
	uint64_t at[6];	  /* offset in the buffer */
	uint64_t size[6]; /* 0: nothing there */
	uint64_t total;
};

/* Bytes of argument I in the buffer, or -errno. */
static int64_t size_of(struct transfer *transfer, unsigned int i)
{
	const struct argument *argument = &transfer->description->arg[i];
	uint64_t *length = &transfer->sent[argument->length];

	switch ((enum argument_kind)argument->kind) {
	case ARG_VALUE:
		return 0;
	case ARG_PATH:
		return PATH_SIZE;
	case ARG_PATH_OPTIONAL:
		return transfer->values[i] ? PATH_SIZE : 0;
	case ARG_OUT_BUFFER:
		*length = min_u64(*length, OUT_BUFFER_MOST);
		return (int64_t)*length;
	case ARG_IN_OPTIONAL:
	case ARG_INOUT_OPTIONAL:
		return transfer->values[i] ? argument->size : 0;
	case ARG_IN:
	case ARG_OUT:
		return argument->size;
	case ARG_INOUT_ARRAY:
		if (*length > ARRAY_MOST)
			return -EINVAL;
		return (int64_t)(*length * argument->size);
	}
	return -EINVAL;
}

static int lay_out(struct transfer *transfer)
{
	unsigned int i;
	int64_t size;

	for (i = 0; i < 6; i++)
		transfer->sent[i] = transfer->values[i];
	for (i = 0; i < 6; i++) {
		size = size_of(transfer, i);
		if (size < 0)
			return (int)size;
		transfer->at[i] = transfer->total;
		transfer->size[i] = (uint64_t)size;
		transfer->total += align_up((uint64_t)size, ARGUMENT_ALIGN);
	}
	return 0;
}

/* Fills the buffer and makes the arguments that are sent. */
static int copy_in(struct transfer *transfer, const struct channel_buffer *buffer)
{
	unsigned int i;
	long length;

	for (i = 0; i < 6; i++) {
		uint8_t *memory = buffer->memory + transfer->at[i];
		user_addr_t from = transfer->values[i];

		switch ((enum argument_kind)transfer->description->arg[i].kind) {
		case ARG_VALUE:
			continue;
		case ARG_PATH_OPTIONAL:
		case ARG_IN_OPTIONAL:
		case ARG_INOUT_OPTIONAL:
			if (!from) {
				transfer->sent[i] = PISCES_CHANNEL_NULL;
				continue;
			}
			break;
		default:
			break;
		}
		transfer->sent[i] = buffer->offset + transfer->at[i];
		switch ((enum argument_kind)transfer->description->arg[i].kind) {
		case ARG_PATH:
		case ARG_PATH_OPTIONAL:
			length = string_from_user((char *)memory, from, transfer->size[i]);
			if (length < 0)
				return (int)length;
			break;
		case ARG_IN:
		case ARG_IN_OPTIONAL:
		case ARG_INOUT_OPTIONAL:
		case ARG_INOUT_ARRAY:
			if (copy_from_user(memory, from, transfer->size[i]) != 0)
				return -EFAULT;
			break;
		default:
			break;
		}
	}
	return 0;
}

/* What the call has written, to the program. Returns RESULT or -errno. */
static int64_t copy_out(struct transfer *transfer, const struct channel_buffer *buffer,
			int64_t result)
{
	unsigned int i;

	for (i = 0; i < 6; i++) {
		const uint8_t *memory = buffer->memory + transfer->at[i];
		uint64_t size = transfer->size[i];

		switch ((enum argument_kind)transfer->description->arg[i].kind) {
		case ARG_OUT_BUFFER:
			/* Who gives no room asks how much is needed. */
			if (size != 0 && (uint64_t)result > size)
				return -EIO;
			size = size != 0 ? (uint64_t)result : 0;
			break;
		case ARG_OUT:
		case ARG_INOUT_OPTIONAL:
		case ARG_INOUT_ARRAY:
			break;
		default:
			continue;
		}
		if (size != 0 && copy_to_user(transfer->values[i], memory, size) != 0)
			return -EFAULT;
	}
	return result;
}

int64_t describe_call(const struct description *description, const uint64_t values[6])
{
	struct channel *channel = process_current()->channel;
	struct transfer transfer = { .description = description, .values = values };
	struct channel_buffer buffer = { 0 };
	int64_t result = lay_out(&transfer);

	if (result < 0)
		return result;
	if (transfer.total != 0)
		result = channel_buffer_take_all(channel, transfer.total, &buffer);
	if (result < 0)
		return result;
	result = copy_in(&transfer, &buffer);
	if (result == 0)
		result = channel_call(channel, description->number, transfer.sent);
	if (result >= 0)
		result = copy_out(&transfer, &buffer, result);
	if (transfer.total != 0)
		channel_buffer_give(channel, &buffer);
	return result;
}
