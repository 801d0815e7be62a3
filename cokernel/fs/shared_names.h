/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names in /dev/shm, which is the enclave's own: shm_open(3) and sem_open(3) come
 * here. They last until they are unlinked, or the enclave ends.
 */
#ifndef CK_FS_SHARED_NAMES_H
#define CK_FS_SHARED_NAMES_H

#include "lib/types.h"

struct memory_file;

#define SHARED_FOLDER "/dev/shm/"
#define SHARED_PATH_MOST (sizeof(SHARED_FOLDER) + 255)

/* The name in PATH if it is directly in /dev/shm, else NULL: then it is Linux's. */
const char *shared_name(const char *path);

/*
 * The file of NAME with a reference; made as open(2) says with FLAGS and MODE. *NEW:
 * it was. 0, or -ENOENT, -EEXIST, -EACCES, -ENOMEM.
 */
int shared_open(const char *name, uint32_t flags, uint32_t mode, struct memory_file **file,
		bool *new);

/* unlink(2), link(2), and rename(2) (REPLACE: whatever has the new name). 0 or -errno. */
int shared_unlink(const char *name);
int shared_link(const char *old, const char *new);
int shared_rename(const char *old, const char *new, bool replace);

#endif
