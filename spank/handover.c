/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A socket pair per task, made before the tasks are forked. By the time that a
 * task looks, slurmstepd has sent: it lets no task go before all are forked and
 * their hooks are done. The descriptor waits in the socket, so slurmstepd needs not
 * hold it, and it is received without close-on-exec by the one process that
 * passes it on, by exec, to the proxy.
 */
#include "enclave.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Only a slurmstepd that died in between lets a task wait. */
#define RECEIVE_LIMIT_MS 60000

struct handover {
	unsigned int count;
	int pair[][2]; /* slurmstepd's end, the task's end; -1 when closed */
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

struct handover *handover_make(unsigned int count, struct pisces_error *error)
{
	struct handover *all = calloc(1, sizeof(*all) + count * sizeof(all->pair[0]));

	if (!all) {
		snprintf(error->text, sizeof(error->text), "no memory for %u tasks", count);
		return NULL;
	}
	for (; all->count < count; all->count++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			       all->pair[all->count]) < 0) {
			snprintf(error->text, sizeof(error->text), "socketpair for task %u: %s",
				 all->count, strerror(errno));
			handover_free(all);
			return NULL;
		}
	}
	return all;
}

void handover_send(struct handover *all, unsigned int task, const struct handover_news *news,
		   int task_fd)
{
	struct iovec text = { (void *)news, sizeof(*news) };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = &text, .msg_iovlen = 1 };
	struct cmsghdr *header;

	if (task >= all->count || all->pair[task][0] < 0)
		return;
	if (task_fd >= 0) {
		message.msg_control = control.space;
		message.msg_controllen = sizeof(control.space);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &task_fd, sizeof(int));
	}
	if (sendmsg(all->pair[task][0], &message, MSG_NOSIGNAL) < 0)
		slurm_error("enclave: task %u cannot be told of its enclave: %m", task);
	close_end(&all->pair[task][0]);
	close_end(&all->pair[task][1]);
}

/* Waits for the message. Returns the fd that came with it, or -1. */
static int receive(int from, struct handover_news *news)
{
	struct pollfd wait = { .fd = from, .events = POLLIN };
	struct iovec text = { news, sizeof(*news) };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = {
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *header;
	int fd = -1;

	if (poll(&wait, 1, RECEIVE_LIMIT_MS) != 1 ||
	    recvmsg(from, &message, 0) != (ssize_t)sizeof(*news)) {
		news->good = false;
		snprintf(news->text, sizeof(news->text),
			 "slurmstepd did not say what became of the enclave; see the log of slurmd");
		return -1;
	}
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(header), sizeof(int));
	return fd;
}

int handover_receive(struct handover *all, unsigned int task, struct handover_news *news)
{
	unsigned int i;
	int fd = -1;

	memset(news, 0, sizeof(*news));
	if (task >= all->count || all->pair[task][1] < 0) {
		snprintf(news->text, sizeof(news->text), "there is no task %u in this step", task);
		return -1;
	}
	/* With our copies of the other ends closed, a dead slurmstepd is noticed at once. */
	for (i = 0; i < all->count; i++) {
		close_end(&all->pair[i][0]);
		if (i != task)
			close_end(&all->pair[i][1]);
	}
	fd = receive(all->pair[task][1], news);
	close_end(&all->pair[task][1]);
	return fd;
}

void handover_free(struct handover *all)
{
	unsigned int i;

	if (!all)
		return;
	for (i = 0; i < all->count; i++) {
		close_end(&all->pair[i][0]);
		close_end(&all->pair[i][1]);
	}
	free(all);
}
