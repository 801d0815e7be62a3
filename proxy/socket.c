/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sendmsg(2) and recvmsg(2). The message header that Linux reads is the proxy's
 * own; name and control of what is sent are copies, as they are checked and the
 * co-kernel could change the data area's.
 */
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "call.h"
#include "descriptor.h"

#ifndef SO_ATTACH_REUSEPORT_CBPF
#define SO_ATTACH_REUSEPORT_CBPF 51
#endif

/* From here on up options of level IP are the packet filter's, with tables of addresses. */
#define IP_FILTER_FIRST 64

struct header {
	struct msghdr message;
	struct iovec data;
};

/* Where a call's private parts are: it has no path that would need the room. */
static struct header *header_of(struct call *call)
{
	_Static_assert(sizeof(struct header) + PISCES_SOCKET_NAME_MOST <= PATH_MAX,
		       "header and name fit where a path does");
	return (struct header *)call->path[0];
}

static uint8_t *control_of(struct call *call)
{
	_Static_assert(PISCES_SOCKET_CONTROL_MOST <= PATH_MAX, "and so does control");
	return (uint8_t *)call->path[1];
}

/* No descriptor of the proxy's own is given to others. */
static int check_control(struct msghdr *message)
{
	struct cmsghdr *part;
	size_t i, count;
	int fd;

	for (part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS ||
		    part->cmsg_len < CMSG_LEN(0))
			continue;
		count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(fd);
		for (i = 0; i < count; i++) {
			memcpy(&fd, CMSG_DATA(part) + i * sizeof(fd), sizeof(fd));
			if (descriptor_is_hidden(fd))
				return -EBADF;
		}
	}
	return 0;
}

/* What both have: header and sizes from the block, all addresses of the proxy's own making. */
static int prepare(struct call *call, const struct channel *channel,
		   const struct pisces_message *message, struct pisces_socket_message **block)
{
	struct header *header = header_of(call);
	struct pisces_socket_message sizes;
	uint64_t total = message->arg[2];

	*block = channel_data(channel, message->arg[1], total);
	if (!*block || total < sizeof(**block))
		return -EFAULT;
	memcpy(&sizes, *block, offsetof(struct pisces_socket_message, name));
	if (sizes.name_size > PISCES_SOCKET_NAME_MOST ||
	    sizes.control_size > PISCES_SOCKET_CONTROL_MOST)
		return -EINVAL;
	if (descriptor_is_hidden((int)message->arg[0]))
		return -EBADF;

	memset(header, 0, sizeof(*header));
	header->data.iov_base = (*block)->data;
	header->data.iov_len = total - sizeof(**block);
	header->message.msg_iov = &header->data;
	header->message.msg_iovlen = 1;
	header->message.msg_namelen = sizes.name_size;
	header->message.msg_controllen = sizes.control_size;
	call->arg[0] = (int)message->arg[0];
	call->arg[1] = (long)&header->message;
	call->arg[2] = (long)message->arg[3];
	call->shared = *block;
	call->may_block = true;
	return 0;
}

int call_prepare_sendmsg(struct call *call, const struct channel *channel,
			 const struct pisces_message *message)
{
	struct pisces_socket_message *block;
	struct header *header = header_of(call);
	uint8_t *name = (uint8_t *)(header + 1);
	int error = prepare(call, channel, message, &block);

	if (error)
		return error;
	if (header->message.msg_namelen) {
		memcpy(name, block->name, header->message.msg_namelen);
		header->message.msg_name = name;
	}
	if (header->message.msg_controllen) {
		memcpy(control_of(call), block->control, header->message.msg_controllen);
		header->message.msg_control = control_of(call);
	}
	return check_control(&header->message);
}

/* The sizes that there were, and the flags. */
static void received(struct call *call, int64_t result)
{
	struct pisces_socket_message *block = call->shared;
	const struct msghdr *message = &header_of(call)->message;

	if (result < 0)
		return;
	block->name_size = message->msg_namelen;
	block->control_size = (uint32_t)message->msg_controllen;
	block->flags = (uint32_t)message->msg_flags;
}

int call_prepare_recvmsg(struct call *call, const struct channel *channel,
			 const struct pisces_message *message)
{
	struct pisces_socket_message *block;
	struct header *header = header_of(call);
	int error = prepare(call, channel, message, &block);

	if (error)
		return error;
	if (header->message.msg_namelen)
		header->message.msg_name = block->name;
	if (header->message.msg_controllen)
		header->message.msg_control = block->control;
	call->finish = received;
	return 0;
}

int call_refuse_sockopt(const struct call *call)
{
	long level = call->arg[1], name = call->arg[2];

	switch ((int)level) {
	case SOL_SOCKET:
		return name == SO_ATTACH_FILTER || name == SO_ATTACH_REUSEPORT_CBPF ? -ENOPROTOOPT
										     : 0;
	case IPPROTO_TCP:
#ifdef TCP_ZEROCOPY_RECEIVE
		if (name == TCP_ZEROCOPY_RECEIVE)
			return -ENOPROTOOPT;
#endif
		return 0;
	case IPPROTO_IP:
		return name >= IP_FILTER_FIRST ? -ENOPROTOOPT : 0;
	case IPPROTO_IPV6:
		/* 64 and 65 are the packet filter's. */
		return name == IP_FILTER_FIRST || name == IP_FILTER_FIRST + 1 ? -ENOPROTOOPT : 0;
	case IPPROTO_UDP:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}
