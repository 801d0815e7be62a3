/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What getdents64(2) gives. */
#ifndef CK_FS_ABI_DIRENT_H
#define CK_FS_ABI_DIRENT_H

#include "lib/types.h"

/* struct linux_dirent64 of the ABI; a name with NUL follows, at NAME_AT. */
struct dirent_head {
	uint64_t inode;
	int64_t next; /* where to go on behind it */
	uint16_t size;
	uint8_t type;
} __attribute__((packed));

#define NAME_AT 19u
_Static_assert(sizeof(struct dirent_head) == NAME_AT, "linux_dirent64 of the ABI");

#endif
