/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Areas have XSAVE's standard form, which is also that of a signal frame: 512 bytes
 * that FXSAVE writes, a header of 64, the rest.
 */
#include "arch/context.h"
#include "arch/features.h"
#include "arch/fpu.h"
#include "arch/percpu.h"
#include "arch/user.h"
#include "arch/x86.h"
#include "lib/string.h"

#define FXSAVE_SIZE 512u
#define HEADER_SIZE 64u
#define XSAVE_BITS FXSAVE_SIZE	      /* header: components that are not in reset state */
#define XSAVE_COMPACT (FXSAVE_SIZE + 8) /* header: form; 0 is the standard one */
#define AT_CONTROL 0u
#define AT_MXCSR 24u
#define AT_MXCSR_MASK 28u

/* struct _fpx_sw_bytes of the ABI, in the last 48 bytes that FXSAVE leaves alone. */
#define AT_SOFTWARE 464u
#define MAGIC1 0x46505853u
#define MAGIC2 0x46505845u

struct software_bytes {
	uint32_t magic1;
	uint32_t extended_size; /* with MAGIC2 behind it */
	uint64_t features;
	uint32_t xstate_size;
	uint32_t unused[7];
};
_Static_assert(sizeof(struct software_bytes) == FXSAVE_SIZE - AT_SOFTWARE, "as the ABI has it");

static size_t state_size = FXSAVE_SIZE;
static uint32_t mxcsr_mask = 0xffbf;

/* FROM and TO in an area, without caring for alignment and type. */
static uint32_t load32(const void *area, size_t at)
{
	uint32_t value;

	memcpy(&value, (const char *)area + at, sizeof(value));
	return value;
}

static void store32(void *area, size_t at, uint32_t value)
{
	memcpy((char *)area + at, &value, sizeof(value));
}

static void store64(void *area, size_t at, uint64_t value)
{
	memcpy((char *)area + at, &value, sizeof(value));
}

static uint64_t load64(const void *area, size_t at)
{
	uint64_t value;

	memcpy(&value, (const char *)area + at, sizeof(value));
	return value;
}

void fpu_init(void)
{
	static uint8_t area[FXSAVE_SIZE] __aligned(64);
	uint32_t mask;

	if (cpu_features.xsave)
		state_size = cpuid(0xd, 0).ebx;
	__asm__ volatile("fxsave64 %0" : "=m"(area));
	mask = load32(area, AT_MXCSR_MASK);
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
	store32(area, AT_CONTROL, 0x37f);
	store32(area, AT_MXCSR, 0x1f80);
}

static void *own_area(void)
{
	return this_percpu()->context->fpu;
}

size_t fpu_size(void)
{
	return cpu_features.xsave ? state_size + sizeof(uint32_t) : state_size;
}

void fpu_reset(void)
{
	void *area = own_area();

	fpu_fill_reset(area);
	fpu_restore(area);
}

void fpu_copy(struct context *to, const struct context *from)
{
	/* What is in the registers is newer than what lies in FROM's area. */
	fpu_save(from->fpu);
	memcpy(to->fpu, from->fpu, state_size);
}

/* XSAVEOPT may leave out what it knows to be in AREA: a component in reset state. */
static void complete(uint8_t *area)
{
	uint64_t bits = load64(area, XSAVE_BITS);

	if ((bits & 1) == 0) {
		memset(area, 0, AT_MXCSR);
		memset(area + 32, 0, 128);
		store32(area, AT_CONTROL, 0x37f);
	}
	if ((bits & 2) == 0)
		memset(area + 160, 0, 256);
	for (unsigned int i = 2; i < 63; i++) {
		struct cpuid r;

		if ((cpu_features.user_xstate >> i & 1) == 0 || (bits >> i & 1) != 0)
			continue;
		r = cpuid(0xd, i);
		if (r.ebx + r.eax <= state_size)
			memset(area + r.ebx, 0, r.eax);
	}
}

bool fpu_save_user(user_addr_t to)
{
	uint8_t *area = own_area();
	struct software_bytes software = { 0 };
	uint32_t magic2 = MAGIC2;

	fpu_save(area);
	if (cpu_features.xsave) {
		complete(area);
		software.magic1 = MAGIC1;
		software.extended_size = (uint32_t)fpu_size();
		software.features = cpu_features.user_xstate;
		software.xstate_size = (uint32_t)state_size;
	}
	memcpy(area + AT_SOFTWARE, &software, sizeof(software));
	if (copy_to_user(to, area, state_size) != 0)
		return false;
	return !cpu_features.xsave ||
	       copy_to_user(to + state_size, &magic2, sizeof(magic2)) == 0;
}

/* Does the image at FROM, whose first part is in AREA, have more than FXSAVE's part? */
static bool is_extended(const uint8_t *area, user_addr_t from)
{
	struct software_bytes software;
	uint32_t magic2;

	memcpy(&software, area + AT_SOFTWARE, sizeof(software));
	return cpu_features.xsave && software.magic1 == MAGIC1 &&
	       software.xstate_size == state_size && software.extended_size == fpu_size() &&
	       copy_from_user(&magic2, from + state_size, sizeof(magic2)) == 0 &&
	       magic2 == MAGIC2;
}

/*
 * Bits that would make XRSTOR fault are taken out, as of a program that made the
 * image itself: what it means by them it cannot have.
 */
static void make_loadable(uint8_t *area, bool extended)
{
	uint64_t bits = extended ? load64(area, XSAVE_BITS) & cpu_features.user_xstate : 3;

	store32(area, AT_MXCSR, load32(area, AT_MXCSR) & mxcsr_mask);
	if (!cpu_features.xsave)
		return;
	memset(area + FXSAVE_SIZE, 0, HEADER_SIZE);
	store64(area, XSAVE_BITS, bits);
	store64(area, XSAVE_COMPACT, 0);
}

bool fpu_load_user(user_addr_t from)
{
	uint8_t *area = own_area();
	bool extended;

	if (from == 0) {
		fpu_reset();
		return true;
	}
	/* The area is free to be used: this thread's state is in the registers. */
	if (copy_from_user(area, from, FXSAVE_SIZE) != 0)
		return false;
	extended = is_extended(area, from);
	if (extended && copy_from_user(area + FXSAVE_SIZE, from + FXSAVE_SIZE,
				       state_size - FXSAVE_SIZE) != 0)
		return false;
	make_loadable(area, extended);
	fpu_restore(area);
	return true;
}
