/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/features.h"
#include "arch/patch.h"
#include "lib/types.h"

extern uint8_t *const patch_clac_start[], *const patch_clac_end[];
extern uint8_t *const patch_stac_start[], *const patch_stac_end[];

static void patch(uint8_t *const *start, uint8_t *const *end, uint8_t last)
{
	for (uint8_t *const *at = start; at < end; at++) {
		(*at)[0] = 0x0f;
		(*at)[1] = 0x01;
		(*at)[2] = last;
	}
}

void patch_clac(void)
{
	if (!cpu_features.smap)
		return;
	patch(patch_clac_start, patch_clac_end, 0xca);
	patch(patch_stac_start, patch_stac_end, 0xcb);
}
