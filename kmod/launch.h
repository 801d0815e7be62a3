/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From CPUs that Linux has let go of to CPUs that run a co-kernel. */
#ifndef PISCES_KMOD_LAUNCH_H
#define PISCES_KMOD_LAUNCH_H

#include <linux/types.h>

struct enclave;

/*
 * Sends COUNT CPUs, from index FIRST on, of an enclave that is BOOTING or RUNNING to the
 * entry of its image, through a borrowed page below 1 MiB. Their status says ABSENT.
 * Returns when all have arrived; *NS is the time from the first INIT. Errors: -ETIMEDOUT,
 * -EINTR (killed), -ESHUTDOWN (the enclave ends, or Linux goes down): they have been
 * stopped again; -ENOMEM, -ENXIO (no such page): nothing has been sent. e->mutex is held.
 */
int launch_cpus(struct enclave *e, unsigned int first, unsigned int count, u64 *ns);

#endif
