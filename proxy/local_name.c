/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "local_name.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/openat2.h>

#include "local_file.h"
#include "worker.h"

/* What makes or empties a file: on a disk, which is why RESOLVE_CACHED knows none of these. */
#define OPEN_MAKES (O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

/* What is at the end of PATH, without opening it; or -1. */
static int find_cached(int dir, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | flags,
		.resolve = RESOLVE_CACHED,
	};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

bool local_name(const struct call *call, int dir, const char *path, bool follow)
{
	bool local;
	int fd;

	if (!worker_is_alone(call))
		return false;
	fd = find_cached(dir, path, follow ? 0 : O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT;
	local = local_file_now(fd);
	close(fd);
	return local;
}

bool local_name_opens(const struct call *call)
{
	long flags = call->arg[2];

	return (flags & OPEN_MAKES) == 0 &&
	       local_name(call, (int)call->arg[0], (const char *)call->arg[1],
			  !(flags & O_NOFOLLOW));
}

int64_t local_name_open(struct call *call)
{
	long flags = call->arg[2];
	/* O_PATH opens nothing, and knows no O_NONBLOCK. */
	bool asks = !(flags & (O_PATH | O_NONBLOCK));
	long fd = syscall(SYS_openat, call->arg[0], call->arg[1], asks ? flags | O_NONBLOCK : flags,
			  call->arg[3]);

	if (fd < 0 && asks && errno == EWOULDBLOCK) {
		call->execute = NULL;
		return CALL_WOULD_BLOCK;
	}
	if (fd < 0)
		return -errno;
	if (asks)
		fcntl((int)fd, F_SETFL, flags);
	return fd;
}
