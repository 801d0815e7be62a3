/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FPU state as context switches save it: in the XSAVE area of a context (context.h has more). */
#ifndef CK_ARCH_FPU_H
#define CK_ARCH_FPU_H

#include "lib/types.h"

void fpu_init(void); /* once, after features_enable() on the first CPU */
void fpu_save(void *area);
void fpu_restore(const void *area);
void fpu_fill_reset(void *area);

#endif
