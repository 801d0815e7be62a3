/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside channel/: the list of all channels, and calls that differ from the usual. */
#ifndef CK_CHANNEL_CALLS_H
#define CK_CHANNEL_CALLS_H

#include "channel/channel.h"
#include "task/wait.h"

void channel_list_add(struct channel *channel);
void channel_list_remove(struct channel *channel);
void channel_put(struct channel *channel);

/*
 * As channel_call(). MODE: WAIT_INTERRUPTIBLE as there; WAIT_CERTAIN, for reports: waits
 * for the reply whatever happens to the process, unless its proxy goes.
 */
int64_t channel_call_mode(struct channel *channel, uint32_t nr, const uint64_t args[6],
			  enum wait_mode mode);

#endif
