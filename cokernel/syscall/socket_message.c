/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages through sockets. Every form is sent as sendmsg or recvmsg, by a struct
 * pisces_socket_message with all data in one piece: so a datagram stays one.
 */
#include <asm/unistd_64.h>

#include "arch/time.h"
#include "channel/channel.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "syscall/handlers.h"
#include "syscall/socket_rights.h"
#include "syscall/vector.h"
#include "task/process.h"
#include "task/signal.h"
#include "task/thread.h"

#define HEAD sizeof(struct pisces_socket_message)
/* Data of one piece. A message that cannot be cut is at most this long. */
#define PIECE (CHANNEL_PIECE - HEAD)

/* Of <sys/socket.h>, in the numbers of the ABI. */
#define FLAG_DONTWAIT 0x40u
#define FLAG_WAITALL 0x100u
#define FLAG_NOSIGNAL 0x4000u
#define FLAG_WAITFORONE 0x10000u
#define LEVEL_SOCKET 1
#define OPTION_TYPE 3
#define TYPE_STREAM 1

/* struct msghdr of the ABI, and of sendmmsg(2). */
struct user_message {
	user_addr_t name;
	int32_t name_size;
	uint32_t pad;
	user_addr_t vector;
	uint64_t vector_count;
	user_addr_t control;
	uint64_t control_size;
	uint32_t flags;
	uint32_t pad2;
};

struct user_messages {
	struct user_message message;
	uint32_t bytes;
	uint32_t pad;
};
_Static_assert(sizeof(struct user_message) == 56, "struct msghdr of the ABI");
_Static_assert(sizeof(struct user_messages) == 64, "struct mmsghdr of the ABI");

#define MESSAGES_MOST 1024u

/* One call of the proxy with BUFFER, whose first part is a block with BYTES of data. */
static int64_t call_message(uint32_t number, int fd, const struct channel_buffer *buffer,
			    uint64_t bytes, uint32_t flags)
{
	return channel_call_own(number, (uint64_t)fd, buffer->offset, HEAD + bytes, flags, 0, 0);
}

static bool is_stream(int fd)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	uint32_t word[2] = { 0, sizeof(uint32_t) };
	int64_t result = channel_buffer_take_all(channel, sizeof(word), &buffer);

	if (result < 0)
		return false;
	memcpy(buffer.memory, word, sizeof(word));
	result = channel_call_own(__NR_getsockopt, (uint64_t)fd, LEVEL_SOCKET, OPTION_TYPE,
				  buffer.offset, buffer.offset + sizeof(uint32_t), 0);
	memcpy(word, buffer.memory, sizeof(word));
	channel_buffer_give(channel, &buffer);
	return result == 0 && word[0] == TYPE_STREAM;
}

/* RESULT, the bytes of the one of several messages at AT, to the program. 0 or -EFAULT. */
static int tell_bytes(user_addr_t at, int64_t result)
{
	uint32_t bytes = (uint32_t)result;

	at += offsetof(struct user_messages, bytes);
	return copy_to_user(at, &bytes, sizeof(bytes)) != 0 ? -EFAULT : 0;
}

/* ---- sending ---- */

/* Name and control of MESSAGE into BLOCK. 0 or -errno. */
static int fill_head(struct pisces_socket_message *block, const struct user_message *message)
{
	memset(block, 0, offsetof(struct pisces_socket_message, name));
	if (message->name) {
		if (message->name_size < 0)
			return -EINVAL;
		block->name_size = (uint32_t)message->name_size;
		if (block->name_size > PISCES_SOCKET_NAME_MOST)
			block->name_size = PISCES_SOCKET_NAME_MOST;
		if (copy_from_user(block->name, message->name, block->name_size) != 0)
			return -EFAULT;
	}
	if (message->control_size > PISCES_SOCKET_CONTROL_MOST)
		return -ENOBUFS;
	if (message->control_size == 0)
		return 0;
	block->control_size = (uint32_t)message->control_size;
	return copy_from_user(block->control, message->control, message->control_size) != 0
		       ? -EFAULT
		       : 0;
}

/* Sends BYTES bytes of VECTOR from SKIP on. */
static int64_t send_piece(int fd, const struct user_message *message,
			  const struct vector *vector, uint64_t skip, uint64_t bytes,
			  uint32_t flags)
{
	struct channel *channel = process_current()->channel;
	struct pisces_socket_message *block;
	struct channel_buffer buffer;
	int64_t result = channel_buffer_take_all(channel, HEAD + bytes, &buffer);

	if (result < 0)
		return result;
	block = (struct pisces_socket_message *)buffer.memory;
	result = fill_head(block, message);
	if (result == 0)
		result = vector_gather(block->data, vector, skip, bytes);
	if (result == 0)
		result = call_message(__NR_sendmsg, fd, &buffer, bytes, flags);
	channel_buffer_give(channel, &buffer);
	if (result > (int64_t)bytes) {
		channel_break(channel, "its proxy sent more than it was asked to");
		return -EIO;
	}
	return result;
}

static int64_t send_vector(int fd, struct user_message *message, const struct vector *vector,
			   uint64_t bytes, uint32_t flags)
{
	uint64_t total = 0, piece;
	int64_t result;

	/* What cannot be cut is refused there as well: no datagram is that long. */
	if (bytes > PIECE && !is_stream(fd))
		return -EMSGSIZE;
	do {
		piece = min_u64(bytes - total, PIECE);
		result = send_piece(fd, message, vector, total, piece, flags);
		if (result < 0)
			break;
		total += (uint64_t)result;
		/* Descriptors go with the first byte, once. */
		message->control_size = 0;
	} while (total < bytes && (uint64_t)result == piece);
	if (result == -EPIPE && !(flags & FLAG_NOSIGNAL))
		signal_broken_pipe();
	return total ? (int64_t)total : result;
}

/* Loads the vector of MESSAGE; a longer one than may be is told in other words than readv's. */
static int64_t load(const struct user_message *message, struct vector **vector, uint64_t *bytes)
{
	if (message->vector_count > VECTOR_MOST)
		return -EMSGSIZE;
	return vector_load(message->vector, message->vector_count, vector, bytes);
}

static int64_t send_message(int fd, user_addr_t from, uint32_t flags)
{
	struct user_message message;
	struct vector *vector;
	uint64_t bytes;
	int64_t result;

	if (copy_from_user(&message, from, sizeof(message)) != 0)
		return -EFAULT;
	if (message.control_size <= PISCES_SOCKET_CONTROL_MOST) {
		result = socket_give_rights(message.control, message.control_size);
		if (result < 0)
			return result;
	}
	result = load(&message, &vector, &bytes);
	if (result < 0)
		return result;
	result = send_vector(fd, &message, vector, bytes, flags);
	heap_free(vector);
	return result;
}

int64_t syscall_sendmsg(const struct syscall_args *args)
{
	return send_message((int)args->a[0], args->a[1], (uint32_t)args->a[2]);
}

int64_t syscall_sendto(const struct syscall_args *args)
{
	struct user_message message = { .name = args->a[4], .name_size = (int32_t)args->a[5] };
	const struct vector vector = { args->a[1], args->a[2] };

	if ((int64_t)vector.size < 0)
		return -EINVAL;
	if (message.name && message.name_size > (int32_t)PISCES_SOCKET_NAME_MOST)
		return -EINVAL;
	return send_vector((int)args->a[0], &message, &vector, vector.size,
			   (uint32_t)args->a[3]);
}

int64_t syscall_sendmmsg(const struct syscall_args *args)
{
	uint64_t count = min_u64((uint32_t)args->a[2], MESSAGES_MOST), i;
	user_addr_t at = args->a[1];
	int64_t result = 0;

	for (i = 0; i < count; i++, at += sizeof(struct user_messages)) {
		result = send_message((int)args->a[0], at, (uint32_t)args->a[3]);
		if (result < 0)
			break;
		result = tell_bytes(at, result);
		if (result < 0)
			break;
	}
	return i ? (int64_t)i : result;
}

/* ---- receiving ---- */

/* What came with the data, to the program: MESSAGE is then as the call leaves it. */
static int store_head(const struct pisces_socket_message *block, struct user_message *message)
{
	struct pisces_socket_message sizes;
	uint64_t part;

	memcpy(&sizes, block, offsetof(struct pisces_socket_message, name));
	if (message->name) {
		part = min_u64(min_u64(sizes.name_size, (uint32_t)message->name_size),
			       PISCES_SOCKET_NAME_MOST);
		if (copy_to_user(message->name, block->name, part) != 0)
			return -EFAULT;
		message->name_size = (int32_t)sizes.name_size;
	}
	part = min_u64(min_u64(sizes.control_size, message->control_size),
		       PISCES_SOCKET_CONTROL_MOST);
	if (part != 0 && copy_to_user(message->control, block->control, part) != 0)
		return -EFAULT;
	message->control_size = part;
	message->flags = sizes.flags;
	return 0;
}

static int64_t receive_piece(int fd, struct user_message *message, const struct vector *vector,
			     uint64_t skip, uint64_t bytes, uint32_t flags)
{
	struct channel *channel = process_current()->channel;
	struct pisces_socket_message *block;
	struct channel_buffer buffer;
	int64_t result = channel_buffer_take_all(channel, HEAD + bytes, &buffer);

	if (result < 0)
		return result;
	block = (struct pisces_socket_message *)buffer.memory;
	memset(block, 0, offsetof(struct pisces_socket_message, name));
	if (message->name)
		block->name_size = (uint32_t)min_u64((uint32_t)message->name_size,
						     PISCES_SOCKET_NAME_MOST);
	block->control_size = (uint32_t)min_u64(message->control_size,
						PISCES_SOCKET_CONTROL_MOST);
	result = call_message(__NR_recvmsg, fd, &buffer, bytes, flags);
	/* With MSG_TRUNC the result is a datagram's size, of which this may be a part. */
	if (result >= 0 && (vector_scatter(block->data, vector, skip,
					   min_u64((uint64_t)result, bytes)) != 0 ||
			    store_head(block, message) != 0))
		result = -EFAULT;
	channel_buffer_give(channel, &buffer);
	return result;
}

static int64_t receive_vector(int fd, struct user_message *message,
			      const struct vector *vector, uint64_t bytes, uint32_t flags)
{
	uint64_t total = 0, piece;
	int64_t result;

	do {
		piece = min_u64(bytes - total, PIECE);
		result = receive_piece(fd, message, vector, total, piece, flags);
		if (result < 0)
			break;
		total += (uint64_t)result;
	} while ((flags & FLAG_WAITALL) && total < bytes && (uint64_t)result == piece);
	return total ? (int64_t)total : result;
}

static int64_t receive_message(int fd, user_addr_t at, uint32_t flags)
{
	struct user_message message;
	struct vector *vector;
	uint64_t bytes;
	int64_t result;

	if (copy_from_user(&message, at, sizeof(message)) != 0)
		return -EFAULT;
	if (message.name && message.name_size < 0)
		return -EINVAL;
	result = load(&message, &vector, &bytes);
	if (result < 0)
		return result;
	result = receive_vector(fd, &message, vector, bytes, flags);
	heap_free(vector);
	if (result < 0)
		return result;
	/* Three fields are answers; the rest of a program's header stays as it is. */
	if (copy_to_user(at + offsetof(struct user_message, name_size), &message.name_size,
			 sizeof(message.name_size)) != 0 ||
	    copy_to_user(at + offsetof(struct user_message, control_size), &message.control_size,
			 sizeof(message.control_size)) != 0 ||
	    copy_to_user(at + offsetof(struct user_message, flags), &message.flags,
			 sizeof(message.flags)) != 0)
		return -EFAULT;
	return result;
}

int64_t syscall_recvmsg(const struct syscall_args *args)
{
	return receive_message((int)args->a[0], args->a[1], (uint32_t)args->a[2]);
}

int64_t syscall_recvfrom(const struct syscall_args *args)
{
	struct user_message message = { .name = args->a[4] };
	const struct vector vector = { args->a[1], args->a[2] };
	int64_t result;

	if ((int64_t)vector.size < 0)
		return -EINVAL;
	if (message.name && copy_from_user(&message.name_size, args->a[5],
					   sizeof(message.name_size)) != 0)
		return -EFAULT;
	if (message.name_size < 0)
		return -EINVAL;
	result = receive_vector((int)args->a[0], &message, &vector, vector.size,
				(uint32_t)args->a[3]);
	if (result >= 0 && message.name &&
	    copy_to_user(args->a[5], &message.name_size, sizeof(message.name_size)) != 0)
		return -EFAULT;
	return result;
}

int64_t syscall_recvmmsg(const struct syscall_args *args)
{
	uint64_t count = min_u64((uint32_t)args->a[2], MESSAGES_MOST), i;
	uint32_t flags = (uint32_t)args->a[3];
	nsec_t span = NSEC_FOREVER, end;
	user_addr_t at = args->a[1];
	int64_t result = 0;
	int error;

	if (args->a[4]) {
		error = time_from_user(args->a[4], &span);
		if (error)
			return error;
	}
	end = time_after(span);
	for (i = 0; i < count; i++, at += sizeof(struct user_messages)) {
		result = receive_message((int)args->a[0], at, flags & ~FLAG_WAITFORONE);
		if (result < 0)
			break;
		result = tell_bytes(at, result);
		if (result < 0)
			break;
		if (flags & FLAG_WAITFORONE)
			flags |= FLAG_DONTWAIT;
		/* As on Linux it is looked at between messages and ends no wait. */
		if (time_now() >= end) {
			i++;
			break;
		}
	}
	if (args->a[4] && i != 0) {
		span = time_now() < end ? end - time_now() : 0;
		if (time_to_user(args->a[4], span) != 0)
			return -EFAULT;
	}
	return i ? (int64_t)i : result;
}
