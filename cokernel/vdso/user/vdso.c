/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of the vDSO: run in user mode, in any program, so they use
 * nothing but their arguments and the data page. What they cannot tell is asked by a
 * system call.
 */
#include <asm/unistd_64.h>
#include <linux/time.h>

#include "lib/errno.h"
#include "vdso/data.h"

/* In the page before the image: vdso.lds. */
extern const struct vdso_data vdso_data __attribute__((visibility("hidden")));

struct user_time {
	int64_t seconds;
	int64_t fraction;
};

int __vdso_clock_gettime(int clock, struct user_time *time);
int __vdso_clock_getres(int clock, struct user_time *resolution);
int __vdso_gettimeofday(struct user_time *time, void *zone);
int64_t __vdso_time(int64_t *time);
int64_t __vdso_getcpu(uint32_t *cpu, uint32_t *node, void *unused);

static int64_t system_call(int64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	int64_t result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

/* ns since the scale's start; as time_now() in the co-kernel. */
static uint64_t elapsed(void)
{
	const struct time_scale *scale = &vdso_data.time;
	uint32_t low, high;
	uint64_t tsc;

	/* The fence keeps the counter from being read before what precedes the call. */
	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
	tsc = (uint64_t)high << 32 | low;
	if (tsc < scale->tsc_base)
		return 0;
	return (uint64_t)((unsigned __int128)(tsc - scale->tsc_base) * scale->mult >> scale->shift);
}

static void set_time(struct user_time *time, uint64_t ns)
{
	time->seconds = (int64_t)(ns / NSEC_PER_SEC);
	time->fraction = (int64_t)(ns % NSEC_PER_SEC);
}

int __vdso_clock_gettime(int clock, struct user_time *time)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		set_time(time, vdso_data.time.realtime_base + elapsed());
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		set_time(time, vdso_data.time.monotonic_base + elapsed());
		return 0;
	default:
		return (int)system_call(__NR_clock_gettime, (uint64_t)clock, (uint64_t)time, 0);
	}
}

int __vdso_clock_getres(int clock, struct user_time *resolution)
{
	if (clock < 0 || clock > CLOCK_TAI || clock == CLOCK_PROCESS_CPUTIME_ID ||
	    clock == CLOCK_THREAD_CPUTIME_ID || !resolution)
		return (int)system_call(__NR_clock_getres, (uint64_t)clock, (uint64_t)resolution, 0);
	resolution->seconds = 0;
	resolution->fraction = 1;
	return 0;
}

int __vdso_gettimeofday(struct user_time *time, void *zone)
{
	uint64_t now = vdso_data.time.realtime_base + elapsed();

	if (time) {
		set_time(time, now);
		time->fraction /= 1000;
	}
	if (zone)
		*(uint64_t *)zone = 0;
	return 0;
}

int64_t __vdso_time(int64_t *time)
{
	int64_t now = (int64_t)((vdso_data.time.realtime_base + elapsed()) / NSEC_PER_SEC);

	if (time)
		*time = now;
	return now;
}

int64_t __vdso_getcpu(uint32_t *cpu, uint32_t *node, void *unused)
{
	uint64_t which;
	uint32_t high;

	(void)unused;
	/* The co-kernel puts node << 12 | number into TSC_AUX of each CPU. */
	if (vdso_data.has_rdpid)
		__asm__ volatile("rdpid %0" : "=r"(which));
	else if (vdso_data.has_rdtscp)
		__asm__ volatile("rdtscp" : "=c"(which), "=d"(high) : : "rax");
	else
		return system_call(__NR_getcpu, (uint64_t)cpu, (uint64_t)node, 0);
	if (cpu)
		*cpu = which & 0xfff;
	if (node)
		*node = (uint32_t)which >> 12;
	return 0;
}
