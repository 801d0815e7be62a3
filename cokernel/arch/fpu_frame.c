/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FPU state in a signal frame, where the program may read and change it: the area as
 * it is, with a note of its size, as the ABI has it.
 */
#include "arch/context.h"
#include "arch/features.h"
#include "arch/fpu.h"
#include "arch/percpu.h"
#include "arch/user.h"
#include "arch/x86.h"

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
_Static_assert(sizeof(struct software_bytes) == FPU_FXSAVE_SIZE - AT_SOFTWARE, "as the ABI has it");

static void *own_area(void)
{
	return this_percpu()->context->fpu;
}

size_t fpu_size(void)
{
	return fpu_state_size() + (cpu_features.xsave ? sizeof(uint32_t) : 0);
}

/* XSAVEOPT may leave out what it knows to be in AREA: a component in reset state. */
static void complete(uint8_t *area)
{
	uint64_t bits = fpu_get64(area, FPU_BITS);

	if ((bits & 1) == 0) {
		memset(area, 0, FPU_MXCSR);
		memset(area + 32, 0, 128);
		fpu_put32(area, FPU_CONTROL, 0x37f);
	}
	if ((bits & 2) == 0)
		memset(area + 160, 0, 256);
	for (unsigned int i = 2; i < 63; i++) {
		struct cpuid r;

		if ((cpu_features.user_xstate >> i & 1) == 0 || (bits >> i & 1) != 0)
			continue;
		r = cpuid(0xd, i);
		if (r.ebx + r.eax <= fpu_state_size())
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
		software.xstate_size = (uint32_t)fpu_state_size();
	}
	memcpy(area + AT_SOFTWARE, &software, sizeof(software));
	if (copy_to_user(to, area, fpu_state_size()) != 0)
		return false;
	return !cpu_features.xsave ||
	       copy_to_user(to + fpu_state_size(), &magic2, sizeof(magic2)) == 0;
}

/* Does the image at FROM, whose first part is in AREA, have more than FXSAVE's part? */
static bool is_extended(const uint8_t *area, user_addr_t from)
{
	struct software_bytes software;
	uint32_t magic2;

	memcpy(&software, area + AT_SOFTWARE, sizeof(software));
	return cpu_features.xsave && software.magic1 == MAGIC1 &&
	       software.xstate_size == fpu_state_size() && software.extended_size == fpu_size() &&
	       copy_from_user(&magic2, from + fpu_state_size(), sizeof(magic2)) == 0 &&
	       magic2 == MAGIC2;
}

/*
 * Bits that would make XRSTOR fault are taken out, as of a program that made the
 * image itself: what it means by them it cannot have.
 */
static void make_loadable(uint8_t *area, bool extended)
{
	uint64_t bits = extended ? fpu_get64(area, FPU_BITS) & cpu_features.user_xstate : 3;

	fpu_put32(area, FPU_MXCSR, fpu_get32(area, FPU_MXCSR) & fpu_mxcsr_mask());
	if (!cpu_features.xsave)
		return;
	memset(area + FPU_FXSAVE_SIZE, 0, FPU_HEADER_SIZE);
	fpu_put64(area, FPU_BITS, bits);
}

/*
 * AREA has got a part of an image that is not loaded after all. Its header must be
 * clean again, and all of the state be there: XSAVEOPT only writes what has changed
 * since the last load, and does not know that we wrote to AREA.
 */
static bool refuse(void *area)
{
	fpu_save_all(area);
	return false;
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
	if (copy_from_user(area, from, FPU_FXSAVE_SIZE) != 0)
		return refuse(area);
	extended = is_extended(area, from);
	if (extended && copy_from_user(area + FPU_FXSAVE_SIZE, from + FPU_FXSAVE_SIZE,
				       fpu_state_size() - FPU_FXSAVE_SIZE) != 0)
		return refuse(area);
	make_loadable(area, extended);
	fpu_restore(area);
	return true;
}
