/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/cpu.h"
#include "arch/time.h"
#include "boot/boot.h"

struct time_scale time_scale;

void time_init(void)
{
	struct time_scale *scale = &time_scale;
	uint64_t mult;

	scale->tsc_base = boot_block->tsc_base;
	scale->monotonic_base = boot_block->monotonic_ns;
	scale->realtime_base = boot_block->realtime_ns;
	/* The most precise multiplier that fits: ns in one tick of the TSC << shift. */
	for (scale->shift = 43;; scale->shift--) {
		mult = ((1000000ull << scale->shift) + boot_block->tsc_khz / 2) /
		       boot_block->tsc_khz;
		if (mult <= UINT32_MAX)
			break;
	}
	scale->mult = (uint32_t)mult;
}

static uint64_t elapsed(void)
{
	uint64_t now = rdtsc();

	if (now < time_scale.tsc_base)
		return 0;
	return (uint64_t)((unsigned __int128)(now - time_scale.tsc_base) * time_scale.mult >>
			  time_scale.shift);
}

nsec_t time_now(void)
{
	return time_scale.monotonic_base + elapsed();
}

nsec_t time_realtime(void)
{
	return time_scale.realtime_base + elapsed();
}
