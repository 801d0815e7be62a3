/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/space.h"

void aspace_set_brk(struct aspace *aspace, user_addr_t start)
{
	lock_take(&aspace->lock);
	aspace->brk_start = align_up(start, PAGE_SIZE);
	aspace->brk = aspace->brk_start;
	lock_drop(&aspace->lock);
}

static bool move_brk(struct aspace *aspace, user_addr_t to)
{
	static const struct region heap = {
		.prot = ASPACE_READ | ASPACE_WRITE,
	};
	user_addr_t old_end = align_up(aspace->brk, PAGE_SIZE);
	user_addr_t new_end = align_up(to, PAGE_SIZE);

	if (new_end < old_end)
		return space_unmap(aspace, new_end, old_end) == 0;
	if (new_end == old_end)
		return true;
	return space_map_region(aspace, old_end, new_end - old_end, ASPACE_FIXED_NOREPLACE,
				&heap) >= 0;
}

user_addr_t aspace_brk(struct aspace *aspace, user_addr_t to)
{
	user_addr_t result;

	lock_take(&aspace->lock);
	if (to >= aspace->brk_start && to <= USER_END && aspace->brk_start != 0 &&
	    move_brk(aspace, to))
		aspace->brk = to;
	result = aspace->brk;
	lock_drop(&aspace->lock);
	return result;
}
