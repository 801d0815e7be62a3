/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files about the program and its machine that must not be Linux's: there they
 * would describe the proxy, and CPUs and memory that are not the enclave's.
 *
 * Such a file is a snapshot, made when it is opened, in a memory file of the
 * proxy: so its descriptor is like any other.
 */
#ifndef CK_FS_OWN_H
#define CK_FS_OWN_H

#include "lib/types.h"

/* Longest path of ours, with NUL. */
#define OWN_PATH_MOST 64u

/* Opens PATH if it is one of ours: then true, and *RESULT is a descriptor or -errno. */
bool own_open(const char *path, uint32_t flags, int64_t *result);

/* Where the symbolic link PATH leads if it is one of ours, or NULL. */
const char *own_link(const char *path);

#endif
