/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The watchdog: notices a co-kernel that hangs. */
#ifndef PISCES_KMOD_WATCH_H
#define PISCES_KMOD_WATCH_H

#include <linux/types.h>
#include <linux/workqueue.h>

struct enclave;

/* What the watchdog has seen; under e->lock. Of each CPU: see struct enclave_cpu. */
struct watch {
	struct delayed_work work;
	u64 looked_ns; /* CLOCK_MONOTONIC, when it last looked */
	u64 silent_ns; /* the longest time without a sign of life, of all kinds */
	u32 tail;      /* of the ring to the co-kernel, */
	u64 unread_ns; /* and for how long it has rested there with messages behind it */
	u64 ping;      /* tag of the last ping */
	bool pinged;   /* it has not been answered, */
	u64 ping_ns;   /* for so long */
	u64 boot_beats; /* while it boots: all heartbeats together */
	bool panicked; /* the status said so when it last looked */
};

void watch_init(struct enclave *e);

/* Its CPUs are about to be launched: from now on it is watched. e->lock is held. */
void watch_start_locked(struct enclave *e);

/* PONG has come. e->lock is held. */
void watch_pong_locked(struct enclave *e, u64 tag);

/* No more; the enclave does not run. Sleeps. */
void watch_stop(struct enclave *e);

#endif
