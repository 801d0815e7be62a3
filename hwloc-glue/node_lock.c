/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One at a time plans what to take of a node and takes it: two that plan at once would plan
 * the same CPUs, and one of them would fail though there are enough; and what a job's other
 * enclaves have of its memory is known when they have it.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/file.h>

/* It is root's, so nobody else can hold us up. */
#define NODE_LOCK "/run/pisces.lock"

int pisces_node_lock(struct pisces_error *error)
{
	int fd = open(NODE_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int result;

	if (fd < 0 && errno == EACCES)
		return pisces_fail(error, "only root can take of a node (%s)", NODE_LOCK);
	if (fd < 0)
		return pisces_fail(error, "%s: %s", NODE_LOCK, strerror(errno));
	/* A signal that does not end us does not end the wait. */
	do {
		result = flock(fd, LOCK_EX);
	} while (result != 0 && errno == EINTR);
	if (result == 0)
		return fd;
	pisces_fail(error, "%s: %s", NODE_LOCK, strerror(errno));
	close(fd);
	return -1;
}
