/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUs and memory of a running enclave: more, and fewer. */
#ifndef PISCES_KMOD_RESIZE_H
#define PISCES_KMOD_RESIZE_H

#include <linux/list.h>
#include <linux/types.h>

struct enclave;
struct pisces_remove_memory;

/* All of these: e->mutex is held. Errors are those of the calls in ioctl.h. */

/* Takes LINUX_CPU for an enclave that is RUNNING and starts the co-kernel there. */
int resize_add_cpu(struct enclave *e, u32 linux_cpu);

/* Has the co-kernel leave that CPU, and gives it back to Linux. */
int resize_remove_cpu(struct enclave *e, u32 linux_cpu);

/* Moves the ranges of the list to those of the enclave, which stay sorted. */
void resize_insert_ranges(struct enclave *e, struct list_head *ranges);

/*
 * Gives an enclave that is RUNNING the ranges of the list, which are of one NUMA node.
 * On failure they are Linux's again. Empties the list.
 */
int resize_add_memory(struct enclave *e, struct list_head *ranges);

/* PISCES_IOC_REMOVE_MEMORY. */
int resize_remove_memory(struct enclave *e, struct pisces_remove_memory *request);

#endif
