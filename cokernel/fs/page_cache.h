/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of Linux's files that tasks of the enclave have in common: what one of them
 * has read to map it, the next one maps without reading.
 *
 * A file is known by its device, inode, size and times, to one user: a proxy is that
 * user's and could lie about all of it, to nobody's harm but his. Files that have
 * changed just now are not kept, since their times might not show a change to come.
 * What nobody maps stays until memory is short.
 */
#ifndef CK_FS_PAGE_CACHE_H
#define CK_FS_PAGE_CACHE_H

#include "lib/types.h"

/*
 * Maps SIZE bytes of the regular file FD from OFFSET on, privately: all of it that
 * the file has is read now, if it is not there yet. FLAGS of aspace_map(). The address,
 * or -errno; -ENODEV if FD is not a regular file. The running process's.
 */
int64_t page_cache_map(int fd, user_addr_t address, uint64_t size, uint64_t offset,
		       unsigned int prot, unsigned int flags);

/* Bytes that are kept, mapped or not. */
uint64_t page_cache_bytes(void);

#endif
