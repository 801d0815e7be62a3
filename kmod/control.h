/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control rings. */
#ifndef PISCES_KMOD_CONTROL_H
#define PISCES_KMOD_CONTROL_H

#include <linux/types.h>
#include <pisces/message.h>

struct enclave;

/*
 * Slots of each control ring. So many that what must always be sayable fits in
 * besides: a TASK_KILL for each task, and STOP.
 */
#define CONTROL_SLOTS 2048u
#define CONTROL_RESERVE (PISCES_MAX_TASKS + 1u)

/*
 * Sends COUNT messages to the co-kernel, all or none, and rings it. URGENT ones
 * may use the reserve. -EAGAIN: no room; -EBUSY or -ESHUTDOWN: it does not run.
 * e->lock is held.
 */
int control_send_locked(struct enclave *e, const struct pisces_message *messages,
			unsigned int count, bool urgent);

/* Reads at most *BUDGET messages. True if there is more. e->drain is held. */
bool control_drain(struct enclave *e, unsigned int *budget);

/* The status says that the co-kernel has panicked, and why. */
void control_panicked(struct enclave *e);

#endif
