/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel stacks, in an area of their own where each lies behind a hole, so that one
 * that overflows is caught (double fault) before it writes into anything.
 */
#ifndef CK_ARCH_STACK_H
#define CK_ARCH_STACK_H

#include "lib/types.h"

#define STACK_AREA 0xffffffffc0000000ull
#define STACK_AREA_SIZE 0x3fe00000ull

/* KERNEL_STACK_SIZE bytes, aligned to that; of NODE if it is new. NULL: out of memory. */
void *stack_alloc(node_id_t node);
void stack_free(void *stack);

/* Is ADDRESS in the hole below a stack? */
bool stack_is_guard(uint64_t address);

/* Is ADDRESS in a kernel stack of this area, so that a backtrace may go on there? */
bool stack_contains(uint64_t address);

#endif
