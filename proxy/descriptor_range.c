/* SPDX-License-Identifier: GPL-2.0-or-later */
/* close_range(2) goes round the descriptors that are the proxy's own. */
#include <errno.h>
#include <unistd.h>
#include <sys/syscall.h>

#include "call.h"
#include "descriptor.h"

static int64_t close_part(unsigned int first, unsigned int last, long flags)
{
	return syscall(SYS_close_range, first, last, flags) < 0 ? -errno : 0;
}

static int64_t execute(struct call *call)
{
	unsigned int first = (unsigned int)call->arg[0], last = (unsigned int)call->arg[1];
	int64_t result = 0;
	int own;

	while (first <= last) {
		own = descriptor_next_hidden(first);
		if (own < 0 || (unsigned int)own > last)
			return close_part(first, last, call->arg[2]);
		if ((unsigned int)own > first)
			result = close_part(first, (unsigned int)own - 1, call->arg[2]);
		if (result < 0)
			return result;
		first = (unsigned int)own + 1;
	}
	return 0;
}

int call_prepare_close_range(struct call *call, const struct channel *channel,
			     const struct pisces_message *message)
{
	unsigned int i;

	(void)channel;
	for (i = 0; i < 3; i++)
		call->arg[i] = (long)message->arg[i];
	/* The table of descriptors is one for all threads, as a program's is: nothing to unshare. */
	if (call->arg[2] & ~(long)CLOSE_RANGE_CLOEXEC ||
	    (unsigned int)call->arg[0] > (unsigned int)call->arg[1])
		return -EINVAL;
	call->execute = execute;
	call->may_block = true;
	call->cancel = CANCEL_NEVER;
	return 0;
}
