/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page before the vDSO, which programs read: what makes a TSC value a time. */
#ifndef CK_VDSO_DATA_H
#define CK_VDSO_DATA_H

#include "arch/time.h"
#include "lib/types.h"

struct vdso_data {
	struct time_scale time;
	uint32_t has_rdpid;
	uint32_t has_rdtscp;
};

#endif
