/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/clear.h"

#include "lib/lock.h"
#include "lib/string.h"
#include "mm/direct.h"
#include "mm/local.h"

#define PIECE LARGE_PAGE_SIZE

void memory_clear(phys_addr_t base, uint64_t size)
{
	for (uint64_t done = 0; done < size; done += PIECE) {
		memset(phys_to_virt(base + done), 0, min_u64(PIECE, size - done));
		if (size > PIECE)
			mm_turn(0);
	}
}
