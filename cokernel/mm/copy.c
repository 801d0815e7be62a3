/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program's memory from outside, by way of the direct map. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/direct.h"
#include "mm/pagetable.h"
#include "mm/space.h"

/* Bytes that are copied with the lock held at most. */
#define COPY_PIECE 65536ull

/*
 * The memory behind ADDRESS and how much of it lies in one piece; NULL: there is
 * no page yet, or, to WRITE, none of its own. *KERNEL: it is a page of the kernel's.
 */
static char *memory_at(struct aspace *aspace, user_addr_t address, bool write, uint64_t *left,
		       bool *kernel)
{
	const struct region *region = region_at(&aspace->regions, address);
	unsigned int level;
	uint64_t entry = pt_read(pt_find(aspace->root, address, &level));
	uint64_t offset = address % pt_page_size(level);

	*left = min_u64(pt_page_size(level) - offset, COPY_PIECE);
	*kernel = region != NULL && (region->flags & REGION_KERNEL);
	if (write && (entry & PTE_COPY))
		return NULL;
	return entry != 0 ? (char *)phys_to_virt(entry & PTE_ADDRESS) + offset : NULL;
}

/* One piece. Bytes written, 0 if a page is missing, or -EFAULT. */
static int64_t write_piece(struct aspace *aspace, user_addr_t to, const void *from, uint64_t size)
{
	uint64_t left;
	bool kernel;
	char *memory = memory_at(aspace, to, true, &left, &kernel);

	if (kernel)
		return -EFAULT;
	if (memory == NULL)
		return 0;
	size = min_u64(size, left);
	if (from != NULL)
		memcpy(memory, from, size);
	else
		memset(memory, 0, size);
	return (int64_t)size;
}

int aspace_write(struct aspace *aspace, user_addr_t to, const void *from, uint64_t size)
{
	if (size != 0 && !space_is_user(to, size))
		return -EFAULT;
	while (size != 0) {
		int64_t done;

		lock_take(&aspace->lock);
		done = write_piece(aspace, to, from, size);
		lock_drop(&aspace->lock);
		if (done == 0)
			done = space_fault(aspace, to, SPACE_OWN, false);
		else if (done > 0 && from != NULL)
			from = (const char *)from + done;
		if (done < 0)
			return (int)done;
		to += (uint64_t)done;
		size -= (uint64_t)done;
	}
	return 0;
}

/* As write_piece(): 0 if the page of an object is missing. */
static int64_t read_piece(struct aspace *aspace, void *to, user_addr_t from, uint64_t size)
{
	const struct region *region = region_at(&aspace->regions, from);
	uint64_t left;
	bool kernel;
	const char *memory;

	if (region == NULL)
		return -EFAULT;
	memory = memory_at(aspace, from, false, &left, &kernel);
	if (kernel)
		return -EFAULT;
	if (memory == NULL && region->object != NULL)
		return 0;
	size = min_u64(size, min_u64(left, region->end - from));
	if (memory != NULL)
		memcpy(to, memory, size);
	else
		memset(to, 0, size);
	return (int64_t)size;
}

int aspace_read(struct aspace *aspace, void *to, user_addr_t from, uint64_t size)
{
	if (size != 0 && !space_is_user(from, size))
		return -EFAULT;
	while (size != 0) {
		int64_t done;

		lock_take(&aspace->lock);
		done = read_piece(aspace, to, from, size);
		lock_drop(&aspace->lock);
		if (done == 0)
			done = space_fault(aspace, from, 0, false);
		if (done < 0)
			return (int)done;
		to = (char *)to + done;
		from += (uint64_t)done;
		size -= (uint64_t)done;
	}
	return 0;
}

/* False: not there now, or not as it is needed. */
static bool translate(struct aspace *aspace, user_addr_t address, bool write, phys_addr_t *phys)
{
	unsigned int level;
	uint64_t *entry = pt_find(aspace->root, address, &level);
	uint64_t value = pt_read(entry);

	if (!(value & PTE_PRESENT) || (value & PTE_COPY) || (write && !(value & PTE_WRITE)))
		return false;
	pt_write(entry, value | PTE_STAYS);
	*phys = (value & PTE_ADDRESS) + address % pt_page_size(level);
	return true;
}

int aspace_translate(struct aspace *aspace, user_addr_t address, bool write, phys_addr_t *phys)
{
	if (!space_is_user(address, 1))
		return -EFAULT;
	for (;;) {
		/* Its own page, since a write would bring another one. */
		int error = space_fault(aspace, address,
					(write ? ASPACE_WRITE : SPACE_PROT) | SPACE_OWN, false);
		bool done;

		if (error)
			return error == -ENOMEM ? error : -EFAULT;
		lock_take(&aspace->lock);
		done = translate(aspace, address, write, phys);
		lock_drop(&aspace->lock);
		if (done)
			return 0;
	}
}
