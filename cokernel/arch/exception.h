/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exception table: instructions of the kernel that may fault, and where to go
 * on then. Written by assembler code with EXCEPTION_ENTRY.
 */
#ifndef CK_ARCH_EXCEPTION_H
#define CK_ARCH_EXCEPTION_H

#include "lib/types.h"

struct exception_entry {
	uint64_t instruction;
	uint64_t fixup;
};

#define EXCEPTION_ENTRY(instruction, fixup)      \
	".pushsection .exception_table, \"a\"\n\t" \
	".balign 8\n\t"                          \
	".quad " #instruction ", " #fixup "\n\t" \
	".popsection\n\t"

/* Where to go on, or 0. */
uint64_t exception_fixup(uint64_t instruction);

/* Reads a word of kernel memory that may not be there. */
bool exception_safe_read(const void *from, uint64_t *value);

#endif
