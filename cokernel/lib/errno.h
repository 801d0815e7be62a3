/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Error numbers of the Linux x86-64 ABI, since that is the ABI served. The
 * compiler's host has them; only numbers are taken from there.
 */
#ifndef CK_LIB_ERRNO_H
#define CK_LIB_ERRNO_H

#include <asm/errno.h>

/* Not for programs: the call was interrupted and is to be restarted unless a handler says no. */
#define ERESTARTSYS 512

#endif
