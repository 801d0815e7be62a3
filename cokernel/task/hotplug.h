/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUs that come to a running enclave and leave it, as the module asks: one at a time.
 *
 * One that comes waits in boot/entry.S. The CPU that serves the message makes what it
 * needs and lets it go; it comes up alone and says CHANGED itself.
 *
 * One that leaves is taken out of all sets first, so nothing new goes there; it is poked,
 * and what it runs moves on its way to user mode. Idle, it closes its queue, calls
 * another CPU, and parks. That one takes over its timers and bells, and says CHANGED.
 */
#ifndef CK_TASK_HOTPLUG_H
#define CK_TASK_HOTPLUG_H

#include "lib/types.h"

/* CPU_ADD and CPU_REMOVE; INDEX as it came. */
void hotplug_add(uint64_t tag, uint64_t index);
void hotplug_remove(uint64_t tag, uint64_t index);

/* A CPU that was added is up and online, and about to run threads. */
void hotplug_arrived(void);

/* The idle loop: parks this CPU if it is to leave and nothing is here any more. */
void hotplug_check_leave(void);
bool hotplug_leaving(void); /* is it this CPU that is to leave? */

#endif
