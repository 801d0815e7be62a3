/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The code that a CPU runs between SIPI and the co-kernel: trampoline.S. A blob
 * of data to Linux; what differs from launch to launch is patched into its end.
 */
#ifndef PISCES_KMOD_TRAMPOLINE_H
#define PISCES_KMOD_TRAMPOLINE_H

#define TRAMPOLINE_CODE64 0x08 /* selector */

#ifndef __ASSEMBLY__
#include <linux/types.h>

/* As trampoline.S has it, at trampoline_parameters. */
struct trampoline_parameters {
	u16 unused0;
	u16 gdt_limit; /* from here on as LGDT wants it */
	u32 gdt_base;
	u32 entry64; /* and here as a far jump does: of the 64-bit part, physical */
	u16 entry64_selector;
	u16 unused1;
	u32 cr3;
	u32 efer;
	u64 boot_block;
	u64 entry; /* virtual, of the image */
};
_Static_assert(sizeof(struct trampoline_parameters) == 40, "trampoline.S counts on it");

#define TRAMPOLINE_GDT_BYTES 16

extern const u8 trampoline_start[], trampoline_end[];
extern const u8 trampoline_64[], trampoline_gdt[], trampoline_parameters[];
#endif

#endif
