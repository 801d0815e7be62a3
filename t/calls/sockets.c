/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets: of Unix and of IP on the loopback, and messages through them. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "calls.h"

static void pairs(void)
{
	char text[64] = "";
	int pair[2], type;
	socklen_t size = sizeof(type);

	part("socket, socketpair");
	TRY(socket, 999, SOCK_STREAM, 0);
	TRY(socket, AF_UNIX, 99, 0);
	TRY(socket, AF_INET, SOCK_RAW, IPPROTO_ICMP);
	TRY(socketpair, AF_INET, SOCK_STREAM, 0, pair);
	TRY(socketpair, AF_UNIX, SOCK_STREAM, 0, BAD);
	TRY(socketpair, AF_UNIX, SOCK_STREAM, 0, pair);
	SHOW(pair[0]);
	SHOW(pair[1]);
	TRY(sendto, pair[0], "hello", 5, 0, NULL, 0);
	TRY(recvfrom, pair[1], text, sizeof(text), MSG_PEEK, NULL, NULL);
	TRY(recvfrom, pair[1], text, 3, 0, NULL, NULL);
	TRY(recvfrom, pair[1], text + 3, 10, 0, NULL, NULL);
	SHOW_TEXT(text);
	TRY(recvfrom, pair[1], text, 10, MSG_DONTWAIT, NULL, NULL);
	TRY(recvfrom, pair[1], BAD, 10, MSG_DONTWAIT, NULL, NULL);
	TRY(sendto, pair[0], BAD, 5, 0, NULL, 0);
	TRY(sendto, 99, "x", 1, 0, NULL, 0);
	TRY(sendto, 0, "x", 1, 0, NULL, 0);
	TRY(getsockopt, pair[0], SOL_SOCKET, SO_TYPE, &type, &size);
	SHOW(type);
	SHOW(size);
	TRY(shutdown, pair[0], SHUT_WR);
	TRY(recvfrom, pair[1], text, 10, 0, NULL, NULL);
	TRY(sendto, pair[0], "x", 1, MSG_NOSIGNAL, NULL, 0);
	TRY(shutdown, pair[0], 7);
	TRY(shutdown, 99, SHUT_RD);
	TRY(close, pair[1]);
	TRY(sendto, pair[0], "x", 1, MSG_NOSIGNAL, NULL, 0);
	TRY(close, pair[0]);
}

static void names(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX }, other;
	socklen_t size;
	char text[16] = "";
	int listener, caller, server;

	part("bind, listen, connect, accept, names");
	snprintf(address.sun_path, sizeof(address.sun_path), "socket");
	listener = (int)TRY(socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	TRY(bind, listener, BAD, sizeof(address));
	TRY(bind, listener, &address, 1);
	TRY(bind, listener, &address, 500);
	TRY(bind, listener, &address, sizeof(address));
	TRY(bind, listener, &address, sizeof(address));
	TRY(bind, 99, &address, sizeof(address));
	TRY(bind, 1, &address, sizeof(address));
	caller = (int)TRY(socket, AF_UNIX, SOCK_STREAM, 0);
	TRY(connect, caller, &address, sizeof(address));
	TRY(listen, listener, 5);
	TRY(listen, 99, 5);
	TRY(accept, caller, NULL, NULL);
	size = sizeof(other);
	TRY(getpeername, caller, &other, &size);
	TRY(connect, caller, BAD, sizeof(address));
	TRY(connect, caller, &address, sizeof(address));
	TRY(connect, caller, &address, sizeof(address));
	size = sizeof(other);
	TRY(accept4, listener, &other, &size, 12345);
	server = (int)TRY(accept4, listener, &other, &size, SOCK_CLOEXEC);
	SHOW(size);
	SHOW(fcntl(server, F_GETFD));
	size = sizeof(other);
	memset(&other, 0, sizeof(other));
	TRY(getpeername, caller, &other, &size);
	SHOW(size);
	SHOW_TEXT(other.sun_path);
	size = 4;
	memset(&other, 0, sizeof(other));
	TRY(getsockname, server, &other, &size);
	SHOW(size);
	SHOW_TEXT(other.sun_path);
	size = (socklen_t)-1;
	TRY(getsockname, server, &other, &size);
	TRY(getsockname, server, NULL, NULL);
	TRY(write, caller, "by write", 8);
	TRY(read, server, text, sizeof(text));
	SHOW_TEXT(text);
	fcntl(listener, F_SETFL, O_NONBLOCK);
	TRY(accept, listener, NULL, NULL);
	TRY(accept, 99, NULL, NULL);
	TRY(close, server);
	TRY(close, caller);
	TRY(close, listener);
	caller = (int)TRY(socket, AF_UNIX, SOCK_STREAM, 0);
	TRY(connect, caller, &address, sizeof(address));
	TRY(unlink, "socket");
	TRY(connect, caller, &address, sizeof(address));
	TRY(close, caller);
}

static void options(void)
{
	int fd = (int)TRY(socket, AF_INET, SOCK_STREAM, 0), value = 1;
	struct timeval limit = { 0, 50000 };
	struct linger linger;
	socklen_t size = sizeof(value);
	char text[8];

	part("socket options");
	TRY(setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof(value));
	value = 0;
	TRY(getsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &value, &size);
	SHOW(value);
	value = 1;
	TRY(setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof(value));
	value = 0;
	TRY(getsockopt, fd, IPPROTO_TCP, TCP_NODELAY, &value, &size);
	SHOW(value != 0);
	TRY(setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &value, 1);
	TRY(setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, BAD, sizeof(value));
	TRY(setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, NULL, sizeof(value));
	TRY(setsockopt, fd, SOL_SOCKET, 12345, &value, sizeof(value));
	TRY(setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &value, -1);
	TRY(getsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &value, NULL);
	TRY(getsockopt, fd, SOL_SOCKET, SO_REUSEADDR, NULL, &size);
	TRY(getsockopt, fd, SOL_SOCKET, 12345, &value, &size);
	TRY(getsockopt, 99, SOL_SOCKET, SO_TYPE, &value, &size);
	TRY(getsockopt, 0, SOL_SOCKET, SO_TYPE, &value, &size);
	size = sizeof(linger);
	TRY(getsockopt, fd, SOL_SOCKET, SO_LINGER, &linger, &size);
	SHOW(size);
	size = 2;
	TRY(getsockopt, fd, SOL_SOCKET, SO_LINGER, &linger, &size);
	SHOW(size);
	TRY(close, fd);
	fd = (int)TRY(socket, AF_INET, SOCK_DGRAM, 0);
	TRY(setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	TRY(recvfrom, fd, text, sizeof(text), 0, NULL, NULL);
	TRY(close, fd);
}

static void datagrams(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET }, from;
	struct sockaddr_in bad = { .sin_family = 77 };
	socklen_t size = sizeof(address);
	char text[16] = "", *big = calloc(1, 400000);
	int one = (int)TRY(socket, AF_INET, SOCK_DGRAM, 0);
	int two = (int)TRY(socket, AF_INET, SOCK_DGRAM, 0);

	part("datagrams");
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	TRY(bind, one, &address, sizeof(address));
	getsockname(one, (struct sockaddr *)&address, &size);
	TRY(sendto, two, "datagram", 8, 0, &address, sizeof(address));
	TRY(sendto, two, "", 0, 0, &address, sizeof(address));
	TRY(sendto, two, "x", 1, 0, NULL, 0);
	TRY(sendto, two, "x", 1, 0, &bad, sizeof(bad));
	TRY(sendto, two, "x", 1, 0, &address, 200);
	TRY(sendto, two, "x", 1, 0, BAD, sizeof(address));
	TRY(sendto, two, big, 70000, 0, &address, sizeof(address));
	TRY(sendto, two, big, 400000, 0, &address, sizeof(address));
	TRY(sendto, two, big, 60000, 0, &address, sizeof(address));
	size = sizeof(from);
	TRY(recvfrom, one, text, 4, MSG_TRUNC, &from, &size);
	SHOW(size);
	SHOW(from.sin_addr.s_addr == address.sin_addr.s_addr);
	SHOW_TEXT(text);
	TRY(recvfrom, one, text, 4, 0, &from, &size);
	size = (socklen_t)-4;
	TRY(recvfrom, one, text, 4, MSG_PEEK, &from, &size);
	TRY(recvfrom, one, text, 4, MSG_PEEK, &from, BAD);
	TRY(recvfrom, one, big, 400000, 0, NULL, NULL);
	TRY(close, one);
	TRY(close, two);
	free(big);
}

/* Messages in several pieces, with descriptors. */
static void messages(void)
{
	struct iovec out[3] = { { "one ", 4 }, { "two ", 4 }, { "three", 5 } };
	char a[6] = "", b[20] = "", room[CMSG_SPACE(sizeof(int))], text[8] = "";
	struct iovec in[2] = { { a, 5 }, { b, 19 } };
	struct msghdr message = { .msg_iov = out, .msg_iovlen = 3 };
	struct mmsghdr many[3];
	struct cmsghdr *part_of;
	struct timespec limit = { 1, 0 };
	int pair[2], pipes[2], passed = -1;

	part("sendmsg, recvmsg");
	TRY(socketpair, AF_UNIX, SOCK_SEQPACKET, 0, pair);
	TRY(pipe2, pipes, 0);
	TRY(sendmsg, pair[0], &message, 0);
	message.msg_iov = in;
	message.msg_iovlen = 2;
	TRY(recvmsg, pair[1], &message, 0);
	SHOW_TEXT(a);
	SHOW_TEXT(b);
	SHOW(message.msg_flags & MSG_EOR);

	memset(room, 0, sizeof(room));
	message.msg_control = room;
	message.msg_controllen = sizeof(room);
	part_of = CMSG_FIRSTHDR(&message);
	part_of->cmsg_level = SOL_SOCKET;
	part_of->cmsg_type = SCM_RIGHTS;
	part_of->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(part_of), &pipes[1], sizeof(int));
	message.msg_iovlen = 1;
	TRY(sendmsg, pair[0], &message, 0);
	memset(room, 0, sizeof(room));
	TRY(recvmsg, pair[1], &message, MSG_CMSG_CLOEXEC);
	SHOW(message.msg_controllen);
	part_of = CMSG_FIRSTHDR(&message);
	if (part_of)
		memcpy(&passed, CMSG_DATA(part_of), sizeof(int));
	SHOW(passed);
	SHOW(fcntl(passed, F_GETFD));
	TRY(write, passed, "passed", 6);
	TRY(read, pipes[0], text, sizeof(text));
	SHOW_TEXT(text);
	passed = 99;
	message.msg_controllen = sizeof(room);
	part_of = CMSG_FIRSTHDR(&message);
	part_of->cmsg_level = SOL_SOCKET;
	part_of->cmsg_type = SCM_RIGHTS;
	part_of->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(part_of), &passed, sizeof(int));
	TRY(sendmsg, pair[0], &message, 0);
	part_of->cmsg_len = 4000;
	TRY(sendmsg, pair[0], &message, 0);
	message.msg_control = NULL;
	message.msg_controllen = 0;

	TRY(sendmsg, pair[0], &message, 0);
	message.msg_iov = &in[1];
	in[1].iov_len = 3;
	TRY(recvmsg, pair[1], &message, 0);
	SHOW(message.msg_flags & MSG_TRUNC);
	TRY(recvmsg, pair[1], BAD, 0);
	TRY(sendmsg, pair[1], BAD, 0);
	message.msg_iov = BAD;
	TRY(sendmsg, pair[0], &message, 0);
	message.msg_iov = in;
	message.msg_iovlen = 2000;
	TRY(sendmsg, pair[0], &message, 0);
	message.msg_iovlen = 1;
	TRY(sendmsg, 99, &message, 0);
	TRY(sendmsg, pipes[0], &message, 0);
	TRY(recvmsg, pair[1], &message, MSG_DONTWAIT);

	memset(many, 0, sizeof(many));
	many[0].msg_hdr = many[1].msg_hdr = many[2].msg_hdr = message;
	TRY(sendmmsg, pair[0], many, 2, 0);
	SHOW(many[0].msg_len);
	SHOW(many[1].msg_len);
	TRY(recvmmsg, pair[1], many, 3, MSG_WAITFORONE, NULL);
	TRY(recvmmsg, pair[1], many, 3, MSG_DONTWAIT, &limit);
	TRY(recvmmsg, pair[1], many, 3, MSG_DONTWAIT, BAD);
	TRY(sendmmsg, pair[0], BAD, 2, 0);
	TRY(close, pair[0]);
	TRY(recvmsg, pair[1], &message, 0);
}

static int stream[2];

static void *drain(void *total)
{
	char *buffer = malloc(100000);
	ssize_t bytes;

	while ((bytes = recv(stream[1], buffer, 100000, 0)) > 0)
		*(long *)total += bytes;
	free(buffer);
	return NULL;
}

/* More than fits anywhere, while another thread reads. */
static void much(void)
{
	char *big = calloc(1, 3000000);
	pthread_t thread;
	long total = 0;

	part("3,000,000 bytes");
	TRY(socketpair, AF_UNIX, SOCK_STREAM, 0, stream);
	pthread_create(&thread, NULL, drain, &total);
	TRY(sendto, stream[0], big, 3000000, 0, NULL, 0);
	TRY(close, stream[0]);
	pthread_join(thread, NULL);
	SHOW(total);
	TRY(close, stream[1]);
	free(big);
}

/* Made before its thread, so that numbers of descriptors do not depend on who is first. */
static int client;

static void *connect_later(void *address)
{
	sleep_ms(100);
	if (connect(client, address, sizeof(struct sockaddr_in)) == 0 &&
	    write(client, "tcp", 3) == 3)
		shutdown(client, SHUT_WR);
	return NULL;
}

static void tcp(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	struct pollfd wait = { .events = POLLIN };
	char text[8] = "";
	pthread_t thread;
	int listener = (int)TRY(socket, AF_INET, SOCK_STREAM, 0), fd;

	part("TCP");
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	TRY(bind, listener, &address, sizeof(address));
	getsockname(listener, (struct sockaddr *)&address, &size);
	fd = (int)TRY(socket, AF_INET, SOCK_STREAM, 0);
	TRY(connect, fd, &address, sizeof(address));
	TRY(close, fd);
	TRY(listen, listener, 1);
	client = (int)TRY(socket, AF_INET, SOCK_STREAM, 0);
	pthread_create(&thread, NULL, connect_later, &address);
	wait.fd = listener;
	TRY(poll, &wait, 1, 5000);
	SHOW(wait.revents);
	fd = (int)TRY(accept4, listener, &address, &size, 0);
	SHOW(size);
	TRY(recvfrom, fd, text, 3, MSG_WAITALL, NULL, NULL);
	SHOW_TEXT(text);
	TRY(recvfrom, fd, text, 3, 0, NULL, NULL);
	pthread_join(thread, NULL);
	TRY(close, client);
	TRY(close, fd);
	TRY(close, listener);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons(1);
	fd = (int)TRY(socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	TRY(bind, fd, &address, sizeof(address));
	TRY(close, fd);
}

static int pipes_seen;

static void on_pipe(int signal)
{
	(void)signal;
	pipes_seen++;
}

static void broken(void)
{
	struct sigaction action = { .sa_handler = on_pipe };
	int pair[2];

	part("a stream without a reader");
	sigaction(SIGPIPE, &action, NULL);
	TRY(socketpair, AF_UNIX, SOCK_STREAM, 0, pair);
	close(pair[1]);
	TRY(sendto, pair[0], "x", 1, 0, NULL, 0);
	SHOW(pipes_seen);
	TRY(sendto, pair[0], "x", 1, MSG_NOSIGNAL, NULL, 0);
	SHOW(pipes_seen);
	close(pair[0]);
}

int main(void)
{
	pairs();
	names();
	options();
	datagrams();
	messages();
	much();
	tcp();
	broken();
	return 0;
}
