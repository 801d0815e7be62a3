/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/trap.h"
#include "channel/channel.h"
#include "channel/control.h"

void bell_interrupt(void)
{
	control_poll();
	channel_poll_all();
}
