/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel memory of any size up to 1 MiB, 16-byte aligned (64 from 64 bytes on). */
#ifndef CK_MM_HEAP_H
#define CK_MM_HEAP_H

#include "lib/types.h"

void *heap_alloc(size_t size); /* NULL: out of memory. Not cleared. */
void *heap_alloc_zero(size_t size);
void heap_free(void *memory); /* NULL is fine */

#endif
