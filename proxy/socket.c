/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sendmsg(2) and recvmsg(2). The message header that Linux reads is the proxy's
 * own; name and control of what is sent are copies, as they are checked and the
 * co-kernel could change the data area's.
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
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

static bool has_hidden(const uint8_t *fds, size_t size)
{
	size_t at;
	int fd;

	for (at = 0; at + sizeof(fd) <= size; at += sizeof(fd)) {
		memcpy(&fd, fds + at, sizeof(fd));
		if (descriptor_is_hidden(fd))
			return true;
	}
	return false;
}

/*
 * No descriptor of the proxy's own is given to others. Walks as Linux does: CMSG_NXTHDR()
 * of an older glibc overlooks a last part that is not padded.
 */
static int check_control(const struct msghdr *message)
{
	const uint8_t *at = message->msg_control;
	size_t left = message->msg_controllen, step;
	struct cmsghdr part;

	while (left >= sizeof(part)) {
		memcpy(&part, at, sizeof(part));
		/* Linux takes no such part either, nor what is behind it. */
		if (part.cmsg_len < sizeof(part) || part.cmsg_len > left)
			return -EINVAL;
		if (part.cmsg_level == SOL_SOCKET && part.cmsg_type == SCM_RIGHTS &&
		    has_hidden(at + CMSG_LEN(0), part.cmsg_len - CMSG_LEN(0)))
			return -EBADF;
		step = CMSG_ALIGN(part.cmsg_len);
		if (step >= left)
			break;
		at += step;
		left -= step;
	}
	return 0;
}

#define AT(member) offsetof(struct pisces_socket_message, member)

/*
 * What both have: header and sizes from the block, all addresses of the proxy's own
 * making. *BLOCK is bytes, since nothing says that it is aligned.
 */
static int prepare(struct call *call, const struct channel *channel,
		   const struct pisces_message *message, uint8_t **block)
{
	struct header *header = header_of(call);
	struct pisces_socket_message sizes;
	uint64_t total = message->arg[2];

	*block = channel_data(channel, message->arg[1], total);
	if (!*block || total < AT(data))
		return -EFAULT;
	memcpy(&sizes, *block, AT(name));
	if (sizes.name_size > PISCES_SOCKET_NAME_MOST ||
	    sizes.control_size > PISCES_SOCKET_CONTROL_MOST)
		return -EINVAL;
	if (descriptor_is_hidden((int)message->arg[0]))
		return -EBADF;

	memset(header, 0, sizeof(*header));
	header->data.iov_base = *block + AT(data);
	header->data.iov_len = total - AT(data);
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
	struct header *header = header_of(call);
	uint8_t *name = (uint8_t *)(header + 1), *block;
	int error = prepare(call, channel, message, &block);

	if (error)
		return error;
	if (header->message.msg_namelen) {
		memcpy(name, block + AT(name), header->message.msg_namelen);
		header->message.msg_name = name;
	}
	if (header->message.msg_controllen) {
		memcpy(control_of(call), block + AT(control), header->message.msg_controllen);
		header->message.msg_control = control_of(call);
	}
	return check_control(&header->message);
}

/* The sizes that there were, and the flags. */
static void received(struct call *call, int64_t result)
{
	const struct msghdr *message = &header_of(call)->message;
	const struct pisces_socket_message sizes = {
		.name_size = message->msg_namelen,
		.control_size = (uint32_t)message->msg_controllen,
		.flags = (uint32_t)message->msg_flags,
	};

	if (result >= 0)
		memcpy(call->shared, &sizes, AT(name));
}

int call_prepare_recvmsg(struct call *call, const struct channel *channel,
			 const struct pisces_message *message)
{
	struct header *header = header_of(call);
	uint8_t *block;
	int error = prepare(call, channel, message, &block);

	if (error)
		return error;
	if (header->message.msg_namelen)
		header->message.msg_name = block + AT(name);
	if (header->message.msg_controllen)
		header->message.msg_control = block + AT(control);
	call->finish = received;
	return 0;
}

int call_refuse_sockopt(const struct call *call)
{
	/* As Linux takes them: of 64 bits it would see 32. */
	int level = (int)call->arg[1], name = (int)call->arg[2];

	switch (level) {
	case SOL_SOCKET:
		switch (name) {
		case SO_ATTACH_FILTER:
		case SO_ATTACH_REUSEPORT_CBPF:
		/* Linux would still send from the channel when that is the next call's. */
		case SO_ZEROCOPY:
			return -ENOPROTOOPT;
		}
		return 0;
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

static void listed(struct call *call, int64_t result)
{
	const struct ifconf *list = (const struct ifconf *)call->path[0];
	int32_t size = list->ifc_len;

	if (result >= 0)
		memcpy(call->shared, &size, sizeof(size));
}

int call_prepare_ifconf(struct call *call, const struct channel *channel,
			const struct pisces_message *message)
{
	struct ifconf *list = (struct ifconf *)call->path[0];
	struct {
		int32_t size;
		uint32_t pad;
		uint64_t at;
	} sent;
	long buffer = 0;

	_Static_assert(sizeof(*list) == sizeof(sent), "struct ifconf of the ABI");
	if (descriptor_is_hidden((int)message->arg[0]))
		return -EBADF;
	call->shared = channel_data(channel, message->arg[2], sizeof(sent));
	if (!call->shared)
		return -EFAULT;
	memcpy(&sent, call->shared, sizeof(sent));
	if (sent.size < 0)
		return -EINVAL;
	if (sent.at != PISCES_CHANNEL_NULL &&
	    call_argument(&buffer, channel, sent.at, (uint64_t)sent.size) != 0)
		return -EFAULT;
	list->ifc_len = sent.size;
	list->ifc_buf = (char *)buffer;
	call->arg[0] = (int)message->arg[0];
	call->arg[1] = SIOCGIFCONF;
	call->arg[2] = (long)list;
	call->finish = listed;
	return 0;
}
