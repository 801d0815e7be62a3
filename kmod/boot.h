/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Booting an enclave. */
#ifndef PISCES_KMOD_BOOT_H
#define PISCES_KMOD_BOOT_H

struct enclave;
struct pisces_boot;

/*
 * PISCES_IOC_BOOT. As long as no CPU has been started, an error leaves the
 * enclave NEW; later, it is DEAD. Fills the times of *REQUEST. e->mutex is held.
 */
int enclave_boot(struct enclave *e, struct pisces_boot *request);

#endif
