/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page table isolation, for CPUs with Meltdown, where a program can read whatever its tables
 * map, allowed or not: each program then runs on a second top table, which shares the
 * program's half with the first and has of the co-kernel only what it takes to get there:
 * the ways in (isolated.S), the IDT, and a struct entry_area for each CPU.
 *
 * The command line's pti=on and pti=off overrule what the CPU says.
 */
#ifndef CK_ARCH_ISOLATION_H
#define CK_ARCH_ISOLATION_H

#include "lib/types.h"

extern bool isolation_on; /* decided at boot, before there is a program */

/* First CPU, on the co-kernel's own tables, with the boot block read. */
void isolation_init(void);

/* In isolated.S, for a test: reads ADDRESS by a program's tables, and dies if they have it not. */
uint64_t isolation_peek(const uint64_t *address);

#endif
