/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/tlb.h"
#include "lib/errno.h"
#include "mm/pagetable.h"
#include "mm/space.h"

/* 0 if there are regions all over [start, end) and all may have PROT. */
static int check_protect(const struct aspace *aspace, user_addr_t start, user_addr_t end,
			 unsigned int prot)
{
	while (start < end) {
		const struct region *region = region_at(&aspace->regions, start);

		if (region == NULL)
			return -ENOMEM;
		if ((region->flags & (REGION_KERNEL | REGION_READ_ONLY)) && (prot & ASPACE_WRITE))
			return -EACCES;
		start = region->end;
	}
	return 0;
}

static int protect(struct aspace *aspace, user_addr_t start, user_addr_t end, unsigned int prot)
{
	user_addr_t at;
	int error = check_protect(aspace, start, end, prot);

	if (!error)
		error = space_isolate(aspace, start, end, 0);
	if (error)
		return error;
	for (at = start; at < end;) {
		struct region *region = region_at(&aspace->regions, at);

		region->prot = (uint8_t)prot;
		at = region->end;
		space_join(aspace, region->start);
	}
	space_join(aspace, end);
	if (pt_protect(aspace->root, start, end, prot))
		tlb_flush(aspace, start, end);
	return 0;
}

int aspace_protect(struct aspace *aspace, user_addr_t address, uint64_t size, unsigned int prot)
{
	int error;

	if (address % PAGE_SIZE != 0 || (prot & ~SPACE_PROT))
		return -EINVAL;
	if (size == 0)
		return 0;
	size = align_up(size, PAGE_SIZE);
	if (size == 0 || !space_is_user(address, size))
		return -ENOMEM;
	lock_take(&aspace->lock);
	error = protect(aspace, address, address + size, prot);
	lock_drop(&aspace->lock);
	return error;
}
