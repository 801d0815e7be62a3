/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CK_CHANNEL_CHANGE_H
#define CK_CHANNEL_CHANGE_H

#include "lib/types.h"

/* MEMORY_ADD and MEMORY_REMOVE of a running enclave, with their arguments as they came. */
void change_memory_add(uint64_t tag, phys_addr_t base, uint64_t size, uint64_t kind);
void change_memory_remove(uint64_t tag, uint64_t bytes, uint64_t node);

#endif
