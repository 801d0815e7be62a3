/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A look into an enclave: its registers, its memory, and where that is. */
#ifndef PISCES_KMOD_INSPECT_H
#define PISCES_KMOD_INSPECT_H

#include <linux/types.h>

struct enclave;
struct file;

/* PISCES_IOC_SNAPSHOT and PISCES_IOC_LAYOUT; the caller has the right to. */
int inspect_snapshot(struct enclave *e, void __user *argument);
int inspect_layout(struct enclave *e, void __user *argument);

/* pread(2) of an enclave fd or handle fd. */
ssize_t inspect_read(struct file *file, char __user *buffer, size_t size, loff_t *position);

#endif
