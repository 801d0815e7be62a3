/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vDSO: a small shared object that every program finds through
 * AT_SYSINFO_EHDR: clock_gettime, gettimeofday, time, getcpu without a trap.
 */
#ifndef CK_VDSO_VDSO_H
#define CK_VDSO_VDSO_H

#include "lib/types.h"

struct aspace;

void vdso_init(void);

/* Maps it into a new program. Returns its address, for AT_SYSINFO_EHDR, or -errno. */
int64_t vdso_map(struct aspace *aspace);

#endif
