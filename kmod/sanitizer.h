/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernels that watch accesses to memory (KASAN). */
#ifndef PISCES_KMOD_SANITIZER_H
#define PISCES_KMOD_SANITIZER_H

#include <linux/types.h>

/*
 * [BASE, BASE + SIZE), physical and in the direct map, was free when it was taken
 * offline, and its shadow says so: from here on this module may use it. The page allocator
 * says otherwise again when it gets the memory back. Multiples of 8 bytes.
 */
#ifdef CONFIG_KASAN_GENERIC
void sanitizer_allow(u64 base, u64 size);
#else
static inline void sanitizer_allow(u64 base, u64 size)
{
}
#endif

#endif
