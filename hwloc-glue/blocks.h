/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linux's memory blocks, as sysfs shows them. */
#ifndef PISCES_BLOCKS_H
#define PISCES_BLOCKS_H

#include "libpisces.h"

/* Bytes of a memory block of this machine; 0 if Linux has none. */
uint64_t pisces_block_size(void);

/*
 * The blocks of NUMA node NODE that are online, in the order in which to try them: those
 * of the Movable zone, which Linux can always empty, before the others, each from the
 * top down. Numbers as in sysfs; *LIST is to be freed. Returns how many; -1 with errno.
 */
int pisces_blocks_online(uint32_t node, uint32_t **list);

/* Writes STATE ("offline", "online", "online_movable") to a block's file. -1 with errno. */
int pisces_block_set(uint64_t number, const char *state);

/* Writes TEXT to the file PATH of the kernel at once. 0, or -1 with errno. */
int pisces_write_text(const char *path, const char *text);

#endif
