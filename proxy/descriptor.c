/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "descriptor.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Descriptors that the proxy needs, and room for as many again. */
#define OWN 16

/*
 * A table of descriptors is as long as its highest number: a limit of a million
 * is no reason to make it so.
 */
#define HIGHEST 1024

static int hidden[OWN];
static int count;

int descriptor_move(int fd)
{
	struct rlimit limit;
	int from = HIGHEST - OWN;
	int moved;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < HIGHEST)
		from = (int)limit.rlim_cur - OWN;
	if (from <= STDERR_FILENO)
		from = STDERR_FILENO + 1;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, from);
	if (moved < 0)
		return fd;
	close(fd);
	return moved;
}

int descriptor_hide(int fd)
{
	if (count == OWN)
		return fd;
	fd = descriptor_move(fd);
	hidden[count++] = fd;
	return fd;
}

bool descriptor_is_hidden(int fd)
{
	int i;

	for (i = 0; i < count; i++)
		if (hidden[i] == fd)
			return true;
	return false;
}

int descriptor_next_hidden(unsigned int first)
{
	int i, next = -1;

	for (i = 0; i < count; i++)
		if (hidden[i] >= 0 && (unsigned int)hidden[i] >= first &&
		    (next < 0 || hidden[i] < next))
			next = hidden[i];
	return next;
}
