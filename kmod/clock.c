// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Time for co-kernels: they have nothing but the TSC, so its rate must be right.
 *
 * Linux's tsc_khz comes from a calibration of some milliseconds at boot. Where
 * Linux does not keep time by the TSC itself, nobody ever notices that it was
 * wrong (seen under emulation: 324 MHz for 2300). So the TSC is compared with the
 * clock of Linux from the module's start on, and believed where the two agree.
 */

#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/timekeeping.h>
#include <asm/tsc.h>

#include "clock.h"
#include "log.h"

/* Shorter than this, the uncertainty of the two ends is too much of it. */
#define STRETCH_MIN_NS (200 * NSEC_PER_MSEC)

/* Parts of all by which tsc_khz may differ: more than Linux's clock is ever steered. */
#define TOLERANCE 1000

struct clock_sample {
	u64 tsc;
	u64 raw_ns; /* CLOCK_MONOTONIC_RAW: not steered */
	u64 monotonic_ns;
	u64 realtime_ns;
};

static DEFINE_MUTEX(clock_mutex);
static struct clock_sample clock_start;
static u64 clock_measured; /* kHz, if that is not Linux's rate; else 0 */

/* Reads all clocks at one moment: the quickest of a few tries. */
static void clock_sample(struct clock_sample *sample)
{
	u64 best = U64_MAX;
	int i;

	for (i = 0; i < 8; i++) {
		unsigned long flags;
		u64 before, after, raw;
		ktime_t now;

		local_irq_save(flags);
		before = rdtsc_ordered();
		raw = ktime_get_raw_ns();
		now = ktime_get();
		after = rdtsc_ordered();
		local_irq_restore(flags);
		if (after - before >= best)
			continue;
		best = after - before;
		sample->tsc = before + best / 2;
		sample->raw_ns = raw;
		sample->monotonic_ns = ktime_to_ns(now);
		sample->realtime_ns = ktime_to_ns(ktime_mono_to_real(now));
	}
}

void clock_init(void)
{
	clock_sample(&clock_start);
}

/* kHz between clock_start, which lies long enough back, and *NOW. */
static u64 clock_measure(struct clock_sample *now)
{
	u64 age = ktime_get_raw_ns() - clock_start.raw_ns;

	if (age < STRETCH_MIN_NS)
		msleep(div_u64(STRETCH_MIN_NS - age, NSEC_PER_MSEC) + 1);
	clock_sample(now);
	return mul_u64_u64_div_u64(now->tsc - clock_start.tsc, NSEC_PER_MSEC,
				   now->raw_ns - clock_start.raw_ns);
}

static bool clock_agrees(u64 khz, u64 with)
{
	u64 difference = khz > with ? khz - with : with - khz;

	return difference <= with / TOLERANCE;
}

u64 clock_tsc_khz(void)
{
	return READ_ONCE(clock_measured) ?: tsc_khz;
}

void clock_describe(struct pisces_boot_block *boot)
{
	struct clock_sample now;
	u64 khz;

	mutex_lock(&clock_mutex);
	khz = clock_measure(&now);
	/*
	 * While the machine slept, or its hypervisor stopped it, one clock went on and the other
	 * did not: only what is measured from here on counts.
	 */
	if (!clock_agrees(khz, tsc_khz) && !clock_agrees(khz, clock_measured)) {
		clock_sample(&clock_start);
		khz = clock_measure(&now);
		WRITE_ONCE(clock_measured, khz);
	}
	if (clock_agrees(khz, tsc_khz))
		khz = tsc_khz;
	else
		pr_info_once("Linux takes the TSC for %u kHz, measured are %llu: co-kernels get that\n",
			     tsc_khz, khz);
	mutex_unlock(&clock_mutex);

	boot->tsc_khz = khz;
	boot->tsc_base = now.tsc;
	boot->monotonic_ns = now.monotonic_ns;
	boot->realtime_ns = now.realtime_ns;
}
