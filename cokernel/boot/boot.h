/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the module told us, checked and copied once: nothing reads the shared
 * boot block after boot_read() but linux_bell.
 */
#ifndef CK_BOOT_BOOT_H
#define CK_BOOT_BOOT_H

#include <pisces/boot.h>
#include <pisces/status.h>

#include "lib/types.h"

extern const struct pisces_boot_block *boot_block; /* our own checked copy */
extern struct pisces_status *boot_status;	   /* in shared memory; we only write */

/*
 * Checks the boot block at its physical address and copies it. Does not return if
 * it is wrong: the reason is in the status area, if that could be found.
 */
void boot_read(const struct pisces_boot_block *shared);

/* From now on shared memory is reached through the direct map. */
void boot_use_direct_map(void);

/* Gives all memory of the enclave that is not in use by now to mm/. */
void boot_add_memory(void);

/*
 * Value of NAME=VALUE or NAME in the command line; NULL if absent, "" for a bare NAME.
 * The words that there are:
 *   debugcon	the console goes to I/O port 0xe9 too (virtual machines)
 *   crash=HOW	arms system call 0x7000: arch/crash.h
 */
const char *boot_option(const char *name, char *value, size_t size);

/* A shared area by its place in the boot block, or panic if it lies outside. */
void *boot_area(struct pisces_boot_area area);

/* Rings Linux: its module looks at the rings and at task_bells. */
void linux_ring(void);

#endif
