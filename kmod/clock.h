/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PISCES_KMOD_CLOCK_H
#define PISCES_KMOD_CLOCK_H

#include <pisces/boot.h>

/* Notes the start of the stretch over which the TSC is measured: at module load. */
void clock_init(void);

/*
 * Tells a co-kernel what time it is and how fast the TSC counts. Sleeps for a
 * moment when the module was loaded only just now.
 */
void clock_describe(struct pisces_boot_block *boot);

/* How fast that is, as it was told last. */
u64 clock_tsc_khz(void);

#endif
