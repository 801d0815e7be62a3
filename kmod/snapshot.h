/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers of an enclave's CPUs, asked for by NMI. */
#ifndef PISCES_KMOD_SNAPSHOT_H
#define PISCES_KMOD_SNAPSHOT_H

#include <linux/types.h>

struct enclave;

/*
 * Asks all CPUs in the co-kernel or in a program for their registers and waits until
 * they have stored them, at most MS ms: one whose co-kernel does not take the NMI
 * keeps what it had. Does nothing if the enclave does not run. Sleeps.
 */
void snapshot_take(struct enclave *e, unsigned int ms);

/* Keeps the registers of a dead enclave, whose shared area is about to go. */
void snapshot_keep(struct enclave *e);

/*
 * PISCES_IOC_SNAPSHOT: takes one and stores at most *COUNT CPUs' registers at the user's
 * address BUFFER; *COUNT becomes the number of CPUs. -EBUSY: not booted yet; -ESHUTDOWN:
 * it has ended and had not died; -ENOMEM; -EFAULT.
 */
int snapshot_read(struct enclave *e, u32 *count, void __user *buffer);

#endif
