/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixed-width types for the contract, in each of its three worlds: a Linux
 * module, the freestanding co-kernel, and user space. This is the only header
 * of the contract that asks where it is.
 */
#ifndef PISCES_TYPES_H
#define PISCES_TYPES_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/ioctl.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

/* A physical address of the node; the same number in Linux and in an enclave. */
typedef uint64_t pisces_phys_t;

#define PISCES_ASSERT_SIZE(type, bytes) \
	_Static_assert(sizeof(type) == (bytes), "the size of " #type " is part of the contract")

#endif
