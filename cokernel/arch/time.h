/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time is the TSC, scaled as the boot block says: CLOCK_MONOTONIC and
 * CLOCK_REALTIME go on from Linux's values. The vDSO computes the same from the
 * same numbers (struct time_scale), without a trap.
 */
#ifndef CK_ARCH_TIME_H
#define CK_ARCH_TIME_H

#include "lib/types.h"

/* ns = base + ((tsc - tsc_base) * mult >> shift) */
struct time_scale {
	uint64_t tsc_base;
	uint32_t mult;
	uint32_t shift;
	uint64_t monotonic_base;
	uint64_t realtime_base;
};

extern struct time_scale time_scale;

void time_init(void); /* from the boot block */
nsec_t time_now(void); /* CLOCK_MONOTONIC */
nsec_t time_realtime(void);

#endif
