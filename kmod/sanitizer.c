// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The shadow of memory that Linux does not know. What KASAN has for this is not exported.
 * The compiler does not watch this file: the shadow has no shadow.
 */

#include <linux/kasan.h>
#include <linux/string.h>
#include <asm/io.h>

#include "sanitizer.h"

#ifdef CONFIG_KASAN_GENERIC
void sanitizer_allow(u64 base, u64 size)
{
	memset(kasan_mem_to_shadow(phys_to_virt(base)), 0, size >> KASAN_SHADOW_SCALE_SHIFT);
}
#endif
