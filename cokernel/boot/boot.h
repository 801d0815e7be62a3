/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the module told us, checked and copied once: nothing reads the shared
 * boot block after boot_read() but linux_bell, and the entry of a CPU that is added.
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

/*
 * Copies the entry of CPU INDEX, which the module has added to the shared boot block.
 * 0, or -EINVAL: it cannot be so; then nothing has changed.
 */
int boot_take_cpu(cpu_id_t index);
void boot_drop_cpu(cpu_id_t index); /* that CPU is gone */

/*
 * All memory of the enclave that is not in use by now, on its way to mm/: the first CPU
 * maps it, and has enough of it then to start the others; all CPUs clear what has to be;
 * the first one adds what was cleared when all of that is done.
 */
void boot_map_memory(void);
void boot_clear_memory(void);
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
