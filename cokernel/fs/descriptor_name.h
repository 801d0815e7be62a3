/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of open files: /proc/self/fd/3, and what other tasks call it. */
#ifndef CK_FS_DESCRIPTOR_NAME_H
#define CK_FS_DESCRIPTOR_NAME_H

#include "lib/types.h"

/*
 * Is PATH the name of a descriptor? Then *FD is its number, and *WHOSE the process or thread
 * that has it, as proc(5) has both; 0: the running one.
 */
bool descriptor_name(const char *path, tid_t *whose, int *fd);

#endif
