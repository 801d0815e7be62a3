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
#include <time.h>
#include <unistd.h>
#include <sys/file.h>

/* It is root's, so nobody else can hold us up. */
#define NODE_LOCK "/run/pisces.lock"

/* Of 20 ms: a little more than the patience of who waits, who is then told. */
#define POLITE_TRIES 105

/* Waits for the lock of FD. 0, or -1 with errno. */
static int wait_for(int fd)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	int result = flock(fd, LOCK_EX | LOCK_NB);

	if (result == 0 || errno != EWOULDBLOCK)
		return result;
	pisces_doing("waiting for another enclave of this node, which is just being started");
	for (int i = 0; i < POLITE_TRIES; i++) {
		nanosleep(&pause, NULL);
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
	}
	/* From here on in the queue of those who wait; but first it is said. */
	pisces_still_doing();
	/* A signal that does not end us does not end the wait. */
	do {
		result = flock(fd, LOCK_EX);
	} while (result != 0 && errno == EINTR);
	return result;
}

int pisces_node_lock(struct pisces_error *error)
{
	int fd = open(NODE_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 && errno == EACCES)
		return pisces_fail(error, "only root can take of a node (%s)", NODE_LOCK);
	if (fd < 0)
		return pisces_fail(error, "%s: %s", NODE_LOCK, strerror(errno));
	if (wait_for(fd) == 0)
		return fd;
	pisces_fail(error, "%s: %s", NODE_LOCK, strerror(errno));
	close(fd);
	return -1;
}
