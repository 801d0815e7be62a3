/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/context.h"
#include "arch/features.h"
#include "arch/fpu.h"
#include "arch/percpu.h"
#include "arch/x86.h"

static size_t state_size = FPU_FXSAVE_SIZE;
static uint32_t mxcsr_mask = 0xffbf;

void fpu_init(void)
{
	static uint8_t area[FPU_FXSAVE_SIZE] __aligned(64);
	uint32_t mask;

	if (cpu_features.xsave)
		state_size = cpuid(0xd, 0).ebx;
	__asm__ volatile("fxsave64 %0" : "=m"(area));
	mask = fpu_get32(area, FPU_MXCSR_MASK);
	if (mask != 0)
		mxcsr_mask = mask;
}

void fpu_save(void *area)
{
	uint32_t low = (uint32_t)cpu_features.user_xstate;
	uint32_t high = (uint32_t)(cpu_features.user_xstate >> 32);
	uint8_t(*to)[] = area;

	if (cpu_features.xsaveopt)
		__asm__ volatile("xsaveopt64 %0" : "+m"(*to) : "a"(low), "d"(high) : "memory");
	else if (cpu_features.xsave)
		__asm__ volatile("xsave64 %0" : "+m"(*to) : "a"(low), "d"(high) : "memory");
	else
		__asm__ volatile("fxsave64 %0" : "+m"(*to) : : "memory");
}

void fpu_save_all(void *area)
{
	uint8_t(*to)[] = area;

	fpu_fill_reset(area);
	if (cpu_features.xsave)
		__asm__ volatile("xsave64 %0" : "+m"(*to) : "a"(~0u), "d"(~0u) : "memory");
	else
		fpu_save(area);
}

void fpu_restore(const void *area)
{
	uint32_t low = (uint32_t)cpu_features.user_xstate;
	uint32_t high = (uint32_t)(cpu_features.user_xstate >> 32);
	const uint8_t(*from)[] = area;

	if (cpu_features.xsave)
		__asm__ volatile("xrstor64 %0" : : "m"(*from), "a"(low), "d"(high) : "memory");
	else
		__asm__ volatile("fxrstor64 %0" : : "m"(*from) : "memory");
}

/* With no component marked in the header XRSTOR resets all; FXRSTOR reads these. */
void fpu_fill_reset(void *area)
{
	memset(area, 0, state_size);
	fpu_put32(area, FPU_CONTROL, 0x37f);
	fpu_put32(area, FPU_MXCSR, 0x1f80);
}

size_t fpu_state_size(void)
{
	return state_size;
}

uint32_t fpu_mxcsr_mask(void)
{
	return mxcsr_mask;
}

void fpu_reset(void)
{
	void *area = this_percpu()->context->fpu;

	fpu_fill_reset(area);
	fpu_restore(area);
}

void fpu_copy(struct context *to, const struct context *from)
{
	/* What is in the registers is newer than what lies in FROM's area. */
	fpu_save(from->fpu);
	memcpy(to->fpu, from->fpu, state_size);
}

