/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/features.h"
#include "arch/lapic.h"
#include "arch/paging.h"
#include "arch/percpu.h"
#include "arch/x86.h"
#include "boot/boot.h"
#include "lib/print.h"
#include "mm/direct.h"

enum lapic_register {
	LAPIC_ID = 0x20,
	LAPIC_VERSION = 0x30,
	LAPIC_TASK_PRIORITY = 0x80,
	LAPIC_EOI = 0xb0,
	LAPIC_SPURIOUS = 0xf0,
	LAPIC_IN_SERVICE = 0x100,
	LAPIC_ERROR = 0x280,
	LAPIC_LVT_CMCI = 0x2f0,
	LAPIC_COMMAND = 0x300,
	LAPIC_COMMAND_HIGH = 0x310,
	LAPIC_LVT_TIMER = 0x320,
	LAPIC_LVT_THERMAL = 0x330,
	LAPIC_LVT_COUNTERS = 0x340,
	LAPIC_LVT_LINT0 = 0x350,
	LAPIC_LVT_LINT1 = 0x360,
	LAPIC_LVT_ERROR = 0x370,
	LAPIC_TIMER_INITIAL = 0x380,
	LAPIC_TIMER_CURRENT = 0x390,
	LAPIC_TIMER_DIVIDE = 0x3e0,
};

#define SOFTWARE_ENABLE 0x100u
#define COMMAND_FIXED 0x4000u /* level: assert */
#define COMMAND_NMI 0x4400u
#define COMMAND_BUSY 0x1000u
#define LVT_MASKED 0x10000u
#define LVT_DEADLINE 0x40000u
#define DIVIDE_BY_1 0xbu

/* Longest span that is armed at once; keeps the products below 64 bits. */
#define TIMER_SPAN_MAX (1000u * NSEC_PER_SEC)

/* How long the timer is watched to learn its speed, in us: some thousand ticks. */
#define CALIBRATION_US 200u

static volatile uint32_t *registers; /* of whatever CPU reads there; xAPIC mode */
static uint64_t timer_khz;

static uint32_t read_register(enum lapic_register reg)
{
	if (this_percpu()->x2apic)
		return (uint32_t)rdmsr(MSR_X2APIC + (uint32_t)reg / 16);
	return registers[reg / 4];
}

static void write_register(enum lapic_register reg, uint32_t value)
{
	if (this_percpu()->x2apic)
		wrmsr(MSR_X2APIC + (uint32_t)reg / 16, value);
	else
		registers[reg / 4] = value;
}

void lapic_map(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	if ((base & APIC_BASE_ENABLE) == 0)
		panic("the local APIC is switched off");
	this_percpu()->x2apic = (base & APIC_BASE_X2APIC) != 0;
	if (this_percpu()->x2apic)
		return;
	base &= PTE_ADDRESS;
	if (!paging_map_direct(base, PAGE_SIZE, false))
		panic("the local APIC at %lx cannot be mapped", base);
	registers = phys_to_virt(base);
}

/*
 * Linux leaves all CPUs in one mode, but one that it never started is as the
 * firmware left it. xAPIC to x2APIC is the one change of mode that is allowed.
 */
static void choose_mode(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	if ((base & APIC_BASE_X2APIC) == 0 && registers == NULL) {
		base |= APIC_BASE_X2APIC | APIC_BASE_ENABLE;
		wrmsr(MSR_APIC_BASE, base);
	}
	this_percpu()->x2apic = (base & APIC_BASE_X2APIC) != 0;
}

apic_id_t lapic_id(void)
{
	uint32_t id = read_register(LAPIC_ID);

	return this_percpu()->x2apic ? id : id >> 24;
}

void lapic_init_cpu(void)
{
	static const enum lapic_register sources[] = {
		LAPIC_LVT_TIMER, LAPIC_LVT_LINT0,    LAPIC_LVT_LINT1,
		LAPIC_LVT_ERROR, LAPIC_LVT_COUNTERS, LAPIC_LVT_THERMAL, LAPIC_LVT_CMCI,
	};
	uint32_t last_source;

	choose_mode();
	if (lapic_id() != this_cpu()->apic_id)
		panic("CPU %u has apic id %u, its local APIC says %u", this_cpu()->index,
		      this_cpu()->apic_id, lapic_id());
	last_source = read_register(LAPIC_VERSION) >> 16 & 0xff;
	for (unsigned int i = 0; i < ARRAY_SIZE(sources) && i <= last_source; i++)
		write_register(sources[i], LVT_MASKED);
	write_register(LAPIC_TASK_PRIORITY, 0);
	write_register(LAPIC_SPURIOUS, SOFTWARE_ENABLE | LAPIC_SPURIOUS_VECTOR);
	write_register(LAPIC_ERROR, 0);
	write_register(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
	write_register(LAPIC_LVT_TIMER, LAPIC_TIMER_VECTOR |
						(cpu_features.tsc_deadline ? LVT_DEADLINE : 0));
}

/*
 * Timer and TSC at one instant: of a few readings the one with the least time
 * around it, since an SMI or a hypervisor may come between the two.
 */
static uint64_t read_both(uint32_t *count)
{
	uint64_t best = UINT64_MAX;
	uint64_t tsc = 0;

	for (int i = 0; i < 16; i++) {
		uint64_t before = rdtsc();
		uint32_t now = read_register(LAPIC_TIMER_CURRENT);
		uint64_t after = rdtsc();

		if (after - before < best) {
			best = after - before;
			tsc = before + best / 2;
			*count = now;
		}
	}
	return tsc;
}

void lapic_calibrate(void)
{
	uint32_t first, last;
	uint64_t start, end, span;

	if (cpu_features.tsc_deadline)
		return;
	write_register(LAPIC_LVT_TIMER, LVT_MASKED | LAPIC_TIMER_VECTOR);
	write_register(LAPIC_TIMER_INITIAL, UINT32_MAX);
	start = read_both(&first);
	span = boot_block->tsc_khz * CALIBRATION_US / 1000;
	while (rdtsc() - start < span)
		cpu_relax();
	end = read_both(&last);
	write_register(LAPIC_TIMER_INITIAL, 0);
	write_register(LAPIC_LVT_TIMER, LAPIC_TIMER_VECTOR);
	timer_khz = (uint64_t)(first - last) * boot_block->tsc_khz / (end - start);
	if (timer_khz == 0)
		panic("the timer of the local APIC does not count");
}

void lapic_eoi(void)
{
	write_register(LAPIC_EOI, 0);
}

void lapic_eoi_stray(uint8_t vector)
{
	enum lapic_register word = LAPIC_IN_SERVICE + 0x10u * (vector / 32u);

	if (read_register(word) >> (vector % 32) & 1)
		lapic_eoi();
}

/* Nothing interrupts us between the two words but an NMI, which sends nothing. */
static void send(apic_id_t to, uint32_t command)
{
	if (registers == NULL && !this_percpu()->x2apic)
		return; /* a panic before lapic_map() */
	if (this_percpu()->x2apic) {
		/* What the receiver is to see must be visible first: WRMSR does not wait. */
		__asm__ volatile("mfence\n\tlfence" : : : "memory");
		wrmsr(MSR_X2APIC + LAPIC_COMMAND / 16, (uint64_t)to << 32 | command);
		return;
	}
	while (read_register(LAPIC_COMMAND) & COMMAND_BUSY)
		__builtin_ia32_pause();
	write_register(LAPIC_COMMAND_HIGH, to << 24);
	write_register(LAPIC_COMMAND, command);
}

void lapic_send(apic_id_t to, uint8_t vector)
{
	send(to, COMMAND_FIXED | vector);
}

void lapic_send_nmi(apic_id_t to)
{
	send(to, COMMAND_NMI);
}

void lapic_timer_arm(nsec_t span)
{
	uint64_t ticks;

	if (span > TIMER_SPAN_MAX)
		span = TIMER_SPAN_MAX;
	if (cpu_features.tsc_deadline) {
		ticks = span * boot_block->tsc_khz / 1000000;
		/* In xAPIC mode the write of the LVT must have arrived before. */
		__asm__ volatile("mfence" : : : "memory");
		wrmsr(MSR_TSC_DEADLINE, rdtsc() + ticks);
		return;
	}
	ticks = span * timer_khz / 1000000;
	if (ticks > UINT32_MAX)
		ticks = UINT32_MAX;
	write_register(LAPIC_TIMER_INITIAL, ticks == 0 ? 1 : (uint32_t)ticks);
}

void lapic_timer_stop(void)
{
	if (cpu_features.tsc_deadline)
		wrmsr(MSR_TSC_DEADLINE, 0);
	else
		write_register(LAPIC_TIMER_INITIAL, 0);
}
