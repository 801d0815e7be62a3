/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shared area of an enclave: boot block, status, registers, control and console rings. */
#ifndef PISCES_KMOD_SHARED_H
#define PISCES_KMOD_SHARED_H

#include <linux/types.h>

struct enclave;
struct pisces_get_status;

/* Makes it, with an empty boot block. e->mutex is held. */
int shared_create(struct enclave *e);

/* Frees it. No co-kernel may run. */
void shared_destroy(struct enclave *e);

/* Writes the boot block, all but linux_bell. */
void shared_describe(struct enclave *e, const char *cmdline);

/* PISCES_IOC_STATUS. */
int shared_read_status(struct enclave *e, struct pisces_get_status *request);

#endif
