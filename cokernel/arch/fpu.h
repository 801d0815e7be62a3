/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FPU state, in areas of XSAVE's standard form: 512 bytes that FXSAVE writes, a header
 * of 64, the rest. context.h has what other rooms use.
 */
#ifndef CK_ARCH_FPU_H
#define CK_ARCH_FPU_H

#include "lib/string.h"
#include "lib/types.h"

#define FPU_FXSAVE_SIZE 512u
#define FPU_HEADER_SIZE 64u
#define FPU_BITS FPU_FXSAVE_SIZE /* header: components that are not in reset state */
#define FPU_CONTROL 0u
#define FPU_MXCSR 24u
#define FPU_MXCSR_MASK 28u

/* Once, after features_enable() on the first CPU. */
void fpu_init(void);

size_t fpu_state_size(void);   /* bytes of an area */
uint32_t fpu_mxcsr_mask(void); /* bits that may be set */

void fpu_save(void *area);     /* what has changed since this CPU loaded AREA */
void fpu_save_all(void *area); /* all of it, whatever AREA holds */
void fpu_restore(const void *area);
void fpu_fill_reset(void *area);

static inline uint32_t fpu_get32(const void *area, size_t at)
{
	uint32_t value;

	memcpy(&value, (const char *)area + at, sizeof(value));
	return value;
}

static inline uint64_t fpu_get64(const void *area, size_t at)
{
	uint64_t value;

	memcpy(&value, (const char *)area + at, sizeof(value));
	return value;
}

static inline void fpu_put32(void *area, size_t at, uint32_t value)
{
	memcpy((char *)area + at, &value, sizeof(value));
}

static inline void fpu_put64(void *area, size_t at, uint64_t value)
{
	memcpy((char *)area + at, &value, sizeof(value));
}

#endif
