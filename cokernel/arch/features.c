/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/features.h"
#include "arch/isolation.h"
#include "arch/x86.h"

struct cpu_features cpu_features;

/* x87, SSE, AVX, and the three of AVX-512: what needs no permission to be used. */
#define XSTATE_WANTED 0xe7ull
#define XSTATE_AVX512 0xe0ull
#define XSTATE_AVX 0x4ull
#define XSTATE_LEGACY 0x3ull

static bool bit(uint32_t word, unsigned int number)
{
	return (word >> number & 1) != 0;
}

/*
 * Those that are not known to be without it are taken to have it. The older in-order Atoms
 * are without, too, and say nothing of it: for them it costs time, and pti=off helps.
 */
static bool has_meltdown(uint32_t last)
{
	struct cpuid vendor = cpuid(0, 0);

	if ((vendor.ebx == 0x68747541 && vendor.ecx == 0x444d4163) || /* AuthenticAMD */
	    (vendor.ebx == 0x6f677948 && vendor.ecx == 0x656e6975))   /* HygonGenuine */
		return false;
	return last < 7 || !bit(cpuid(7, 0).edx, 29) ||
	       (rdmsr(MSR_ARCH_CAPABILITIES) & ARCH_CAPABILITIES_RDCL_NO) == 0;
}

static uint64_t xstate_supported(void)
{
	struct cpuid r = cpuid(0xd, 0);
	uint64_t mask = (((uint64_t)r.edx << 32) | r.eax) & XSTATE_WANTED;

	/* Parts of AVX-512 alone, or AVX-512 without AVX, cannot be switched on. */
	if ((mask & XSTATE_AVX512) != XSTATE_AVX512 || (mask & XSTATE_AVX) == 0)
		mask &= ~XSTATE_AVX512;
	return mask | XSTATE_LEGACY;
}

void features_detect(void)
{
	struct cpu_features *f = &cpu_features;
	uint32_t last = cpuid(0, 0).eax;
	uint32_t last_extended = cpuid(0x80000000, 0).eax;
	struct cpuid r = cpuid(1, 0);

	f->hwcap = r.edx;
	f->xsave = bit(r.ecx, 26) && last >= 0xd;
	f->x2apic = bit(r.ecx, 21);
	f->tsc_deadline = bit(r.ecx, 24);
	if (last >= 7) {
		r = cpuid(7, 0);
		f->fsgsbase = bit(r.ebx, 0);
		f->smep = bit(r.ebx, 7);
		f->smap = bit(r.ebx, 20);
		f->umip = bit(r.ecx, 2);
		f->rdpid = bit(r.ecx, 22);
	}
	f->meltdown = has_meltdown(last);
	r = cpuid(0x80000001, 0);
	f->huge_pages = bit(r.edx, 26);
	f->rdtscp = bit(r.edx, 27);
	f->phys_bits = 36;
	if (last_extended >= 0x80000008)
		f->phys_bits = cpuid(0x80000008, 0).eax & 0xff;
	if (f->xsave) {
		f->user_xstate = xstate_supported();
		r = cpuid(0xd, 1);
		f->xsaveopt = bit(r.eax, 0);
		f->xsaves = bit(r.eax, 3);
	}
}

void features_enable(void)
{
	const struct cpu_features *f = &cpu_features;
	uint64_t cr4 = CR4_DE | CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	if (!isolation_on)
		cr4 |= CR4_PGE;
	if (f->umip)
		cr4 |= CR4_UMIP;
	if (f->fsgsbase)
		cr4 |= CR4_FSGSBASE;
	if (f->xsave)
		cr4 |= CR4_OSXSAVE;
	if (f->smep)
		cr4 |= CR4_SMEP;
	if (f->smap)
		cr4 |= CR4_SMAP;
	/* All bits are given: INIT leaves the cache bits of CR0 as they were. */
	write_cr0(CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG);
	write_cr4(cr4);
	wrmsr(MSR_EFER, EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE);
	if (f->xsave) {
		__asm__ volatile("xsetbv"
				 :
				 : "c"(0), "a"((uint32_t)f->user_xstate),
				   "d"((uint32_t)(f->user_xstate >> 32)));
	}
	if (f->xsaves)
		wrmsr(MSR_XSS, 0);
	__asm__ volatile("fninit");
}
