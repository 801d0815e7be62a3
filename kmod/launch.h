/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From CPUs that Linux has let go of to CPUs that run a co-kernel. */
#ifndef PISCES_KMOD_LAUNCH_H
#define PISCES_KMOD_LAUNCH_H

#include <linux/types.h>

struct enclave;

/*
 * Sends the CPUs of an enclave that is BOOTING to ENTRY in the image, which
 * they see at VIRTUAL_BASE, through a borrowed page below 1 MiB. Returns when
 * all have arrived; *NS is the time from the first INIT. Errors: -ETIMEDOUT,
 * -EINTR (killed), -ESHUTDOWN (Linux goes down): they have been stopped again;
 * -ENOMEM, -ENXIO (no such page): nothing has been sent. e->mutex is held.
 */
int launch_cpus(struct enclave *e, u64 virtual_base, u64 entry, u64 *ns);

#endif
