/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CK_MM_CLEAR_H
#define CK_MM_CLEAR_H

#include "lib/types.h"

/*
 * Clears memory, any amount. Other CPUs' requests are answered meanwhile, and the
 * heartbeat goes on: so that nobody takes this CPU for one that hangs.
 */
void memory_clear(phys_addr_t base, uint64_t size);

#endif
