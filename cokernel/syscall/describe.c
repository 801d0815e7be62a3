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
	uint32_t room; /* what the program's ARG_INOUT_SIZE said */
};

/* Bytes of room for ARG_OUT_SIZED argument I, or -errno. */
static int64_t sized_room(struct transfer *transfer, unsigned int i)
{
	user_addr_t word = transfer->values[transfer->description->arg[i].length];

	if (!transfer->values[i])
		return 0;
	if (copy_from_user(&transfer->room, word, sizeof(transfer->room)) != 0)
		return -EFAULT;
	if ((int32_t)transfer->room < 0)
		return -EINVAL;
	/* No address and no option is longer. */
	transfer->room = (uint32_t)min_u64(transfer->room, OUT_BUFFER_MOST);
	return transfer->room;
}

/* The word goes with its buffer: without that it is not looked at. */
static bool has_sized(const struct transfer *transfer, unsigned int i)
{
	unsigned int other;

	for (other = 0; other < 6; other++) {
		if (transfer->description->arg[other].kind == ARG_OUT_SIZED &&
		    transfer->description->arg[other].length == i)
			return transfer->values[other] != 0;
	}
	return false;
}

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
	case ARG_IN_BUFFER:
		if (*length > argument->size)
			return -EINVAL;
		return transfer->values[i] ? (int64_t)*length : 0;
	case ARG_OUT_OPTIONAL:
		return transfer->values[i] ? argument->size : 0;
	case ARG_OUT_ARRAY:
		/* A program gets the rest the next time that it asks. */
		*length = min_u64(*length, ARRAY_MOST);
		return (int64_t)(*length * argument->size);
	case ARG_OUT_SIZED:
		return sized_room(transfer, i);
	case ARG_INOUT_SIZE:
		return has_sized(transfer, i) ? argument->size : 0;
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
		case ARG_IN_BUFFER:
		case ARG_OUT_OPTIONAL:
		case ARG_OUT_SIZED:
			if (!from) {
				transfer->sent[i] = PISCES_CHANNEL_NULL;
				continue;
			}
			break;
		case ARG_INOUT_SIZE:
			if (transfer->size[i] == 0) {
				transfer->sent[i] = PISCES_CHANNEL_NULL;
				continue;
			}
			memcpy(memory, &transfer->room, sizeof(transfer->room));
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
		case ARG_IN_BUFFER:
			if (copy_from_user(memory, from, transfer->size[i]) != 0)
				return -EFAULT;
			break;
		default:
			break;
		}
	}
	return 0;
}

/* What the call says of the size of ARG_OUT_SIZED argument I. */
static uint32_t sized_result(const struct transfer *transfer, const struct channel_buffer *buffer,
			     unsigned int i)
{
	unsigned int word = transfer->description->arg[i].length;
	uint32_t size;

	memcpy(&size, buffer->memory + transfer->at[word], sizeof(size));
	return transfer->size[word] ? size : 0;
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
		case ARG_OUT_ARRAY:
			if ((uint64_t)result * transfer->description->arg[i].size > size)
				size = 0;
			else
				size = (uint64_t)result * transfer->description->arg[i].size;
			break;
		case ARG_OUT_SIZED:
			size = min_u64(size, sized_result(transfer, buffer, i));
			break;
		case ARG_OUT:
		case ARG_OUT_OPTIONAL:
		case ARG_INOUT_OPTIONAL:
		case ARG_INOUT_ARRAY:
		case ARG_INOUT_SIZE:
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
