/* SPDX-License-Identifier: GPL-2.0-or-later */
/* execve(2) is the co-kernel's; which descriptors it closes is known here. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "call.h"
#include "descriptor.h"

static bool is_closed_by_exec(int fd)
{
	int flags = descriptor_is_hidden(fd) ? -1 : fcntl(fd, F_GETFD);

	return flags >= 0 && flags & FD_CLOEXEC;
}

/* Up to arg[1] of them, into arg[0]. */
static int64_t execute(struct call *call)
{
	int32_t *fds = (int32_t *)call->arg[0];
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int64_t count = 0;

	if (!dir)
		return -errno;
	while (count < call->arg[1] && (entry = readdir(dir))) {
		char *end;
		long fd = strtol(entry->d_name, &end, 10);

		if (*end == '\0' && fd != dirfd(dir) && is_closed_by_exec((int)fd))
			fds[count++] = (int32_t)fd;
	}
	closedir(dir);
	return count;
}

int call_prepare_close_on_exec(struct call *call, const struct channel *channel,
			       const struct pisces_message *message)
{
	int error = call_argument(&call->arg[0], channel, message->arg[0], message->arg[1]);

	if (error)
		return error;
	call->arg[1] = (long)(message->arg[1] / sizeof(int32_t));
	call->execute = execute;
	call->may_block = false;
	return 0;
}
