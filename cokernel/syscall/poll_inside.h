/* SPDX-License-Identifier: GPL-2.0-or-later */
/* poll(2) of descriptors that are all ours: then Linux is not asked. */
#ifndef CK_SYSCALL_POLL_INSIDE_H
#define CK_SYSCALL_POLL_INSIDE_H

#include "fs/abi_poll.h"
#include "lib/types.h"

/* May poll_inside() have anything to do? Asked before entries are copied for it. */
bool poll_inside_can(void);

/*
 * Waits for COUNT ENTRIES, as poll(2): true, *RESULT is that of the call, and entries say
 * what was found. False: some are Linux's, which is to wait for them, and for the others, for
 * what *SPAN says then.
 */
bool poll_inside(struct poll_entry *entries, uint64_t count, nsec_t *span, int64_t *result);

#endif
