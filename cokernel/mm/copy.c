/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program's memory from outside, by way of the direct map. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/direct.h"
#include "mm/object.h"
#include "mm/pagetable.h"
#include "mm/plan.h"
#include "mm/space.h"

/* Bytes that are copied with the lock held at most. */
#define COPY_PIECE 65536ull

/*
 * The memory behind ADDRESS and how much of it lies in one piece; NULL: there is
 * no page yet, or, to WRITE, none that may be written before a fault has seen to it.
 * *KERNEL: it is a page of the kernel's.
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
	if (write && (entry & (PTE_COPY | PTE_CLEAN)))
		return NULL;
	return entry != 0 ? (char *)phys_to_virt(entry & PTE_ADDRESS) + offset : NULL;
}

/* Is there a region at ADDRESS that lets its program do what NEED says? NEED 0: whatever it lets. */
static bool is_allowed(const struct aspace *aspace, user_addr_t address, unsigned int need)
{
	const struct region *region = region_at(&aspace->regions, address);

	return need == 0 || (region != NULL && region_allows(region, need));
}

/* One piece. Bytes written, 0 if a page is missing, or -EFAULT. */
static int64_t write_piece(struct aspace *aspace, user_addr_t to, const void *from, uint64_t size,
			   unsigned int need)
{
	uint64_t left;
	bool kernel;
	char *memory = memory_at(aspace, to, true, &left, &kernel);

	if (kernel || !is_allowed(aspace, to, need))
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

static int write_all(struct aspace *aspace, user_addr_t to, const void *from, uint64_t size,
		 unsigned int need)
{
	if (size != 0 && !space_is_user(to, size))
		return -EFAULT;
	while (size != 0) {
		int64_t done;

		lock_take(&aspace->lock);
		done = write_piece(aspace, to, from, size, need);
		lock_drop(&aspace->lock);
		if (done == 0)
			done = space_fault(aspace, to, need ? need : SPACE_OWN, false);
		else if (done > 0 && from != NULL)
			from = (const char *)from + done;
		if (done < 0)
			return (int)done;
		to += (uint64_t)done;
		size -= (uint64_t)done;
	}
	return 0;
}

int aspace_write(struct aspace *aspace, user_addr_t to, const void *from, uint64_t size)
{
	return write_all(aspace, to, from, size, 0);
}

int aspace_write_peer(struct aspace *aspace, user_addr_t to, const void *from, uint64_t size)
{
	return write_all(aspace, to, from, size, ASPACE_WRITE);
}

/* As write_piece(): 0 if the page of an object is missing. */
static int64_t read_piece(struct aspace *aspace, void *to, user_addr_t from, uint64_t size,
			  unsigned int need)
{
	const struct region *region = region_at(&aspace->regions, from);
	uint64_t left;
	bool kernel;
	const char *memory;

	if (region == NULL || !is_allowed(aspace, from, need))
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

static int read_all(struct aspace *aspace, void *to, user_addr_t from, uint64_t size,
		unsigned int need)
{
	if (size != 0 && !space_is_user(from, size))
		return -EFAULT;
	while (size != 0) {
		int64_t done;

		lock_take(&aspace->lock);
		done = read_piece(aspace, to, from, size, need);
		lock_drop(&aspace->lock);
		if (done == 0)
			done = space_fault(aspace, from, need, false);
		if (done < 0)
			return (int)done;
		to = (char *)to + done;
		from += (uint64_t)done;
		size -= (uint64_t)done;
	}
	return 0;
}

int aspace_read(struct aspace *aspace, void *to, user_addr_t from, uint64_t size)
{
	return read_all(aspace, to, from, size, 0);
}

int aspace_read_peer(struct aspace *aspace, void *to, user_addr_t from, uint64_t size)
{
	return read_all(aspace, to, from, size, ASPACE_READ);
}

int aspace_identify(struct aspace *aspace, user_addr_t address, uint64_t *object, uint64_t *place)
{
	const struct region *region;
	int error = -EFAULT;

	lock_take(&aspace->lock);
	region = region_at(&aspace->regions, address);
	if (region != NULL && region_allows(region, SPACE_PROT)) {
		bool shared = region->object != NULL && (region->flags & REGION_SHARED);

		*object = shared ? object_number(region->object) : 0;
		*place = shared ? region_offset(region, address) : address;
		error = 0;
	}
	lock_drop(&aspace->lock);
	return error;
}
