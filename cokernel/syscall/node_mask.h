/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of NUMA nodes as programs give them: a bitmap, and how many bits it may have. */
#ifndef CK_SYSCALL_NODE_MASK_H
#define CK_SYSCALL_NODE_MASK_H

#include "lib/types.h"

/* Of a mask at FROM (0: an empty one) of LIMIT - 1 bits. 0, -EFAULT, -EINVAL. */
int node_mask_load(user_addr_t from, uint64_t limit, uint64_t *nodes);

/* Fills all of a mask with room for LIMIT bits. 0, -EFAULT; -EINVAL: there is too little room. */
int node_mask_store(user_addr_t to, uint64_t limit, uint64_t nodes);

#endif
