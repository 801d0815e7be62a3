/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The doorbell: the interrupt by which a co-kernel calls Linux, and the one by
 * which Linux calls a co-kernel.
 */
#ifndef PISCES_KMOD_BELL_H
#define PISCES_KMOD_BELL_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <pisces/abi.h>

struct enclave;

struct bell {
	struct list_head link; /* bells in use; see bell.c */
	unsigned int irq;      /* of Linux; 0: none */
	unsigned int old_irq;  /* that is being replaced by irq */
	unsigned int cpu;      /* of Linux, that irq goes to */
	char irq_name[PISCES_NAME_LEN + 8];
	struct delayed_work answer_work;
	unsigned long window; /* jiffies when counting of `vain` began */
	u32 vain;	      /* interrupts since then that had nothing to say */
};

/* Makes the interrupt, on a CPU of Linux near NODE, and publishes it to the co-kernel. */
int bell_create(struct enclave *e, int node);

/* Takes it away; no handler runs after it. The co-kernel must be gone. */
void bell_destroy(struct enclave *e);

/* Rings the enclave's CPU of that index; an index that no CPU has is ignored. e->lock is held. */
void bell_ring_locked(struct enclave *e, u32 cpu);

/* Reads all that the co-kernel has sent, however much. The co-kernel must be stopped. */
void bell_drain(struct enclave *e);

/* Hotplug: Linux's CPU is about to go: let no doorbell use it. */
void bells_leave_cpu(unsigned int cpu);

/* Hotplug: interrupts may have moved; tell the co-kernels where. */
void bells_publish(void);

#endif
