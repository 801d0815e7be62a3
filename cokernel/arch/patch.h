/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions that only some CPUs have. Their places hold a no-operation of the
 * same length until the first CPU has looked, which is before the image's text
 * becomes read-only and before any other CPU comes by.
 */
#ifndef CK_ARCH_PATCH_H
#define CK_ARCH_PATCH_H

/* CLAC and STAC at their places, if the CPUs have SMAP. */
void patch_clac(void);

#endif
