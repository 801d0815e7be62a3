/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/aspace.h"

#include <pisces/status.h>

#include "lib/errno.h"
#include "lib/print.h"
#include "mm/heap.h"
#include "mm/local.h"
#include "mm/object.h"
#include "mm/page.h"
#include "mm/pagetable.h"
#include "mm/space.h"

/*
 * The layout, from above: stacks in the highest 64 GiB, mappings without an address
 * of their own below that, and programs with their brk at two thirds.
 */
#define STACK_SPREAD (16ull << 30)
#define MAP_TOP (USER_END - (64ull << 30))
#define MAP_SPREAD (1ull << 40)
#define PROGRAM_BASE 0x555555554000ull
#define PROGRAM_SPREAD (1ull << 40)

static uint64_t spread(uint64_t *seed, uint64_t range)
{
	uint64_t value;

	/* The steps of a linear generator; its upper bits are good. */
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	value = *seed >> 20;
	return align_down(value % range, PAGE_SIZE);
}

void aspace_seed(struct aspace *aspace, uint64_t seed)
{
	bool random = seed != 0;

	ASSERT(aspace->regions.count == 0);
	aspace->stack_top = USER_END - PAGE_SIZE - (random ? spread(&seed, STACK_SPREAD) : 0);
	aspace->map_top = MAP_TOP - (random ? spread(&seed, MAP_SPREAD) : 0);
	aspace->program_base = PROGRAM_BASE + (random ? spread(&seed, PROGRAM_SPREAD) : 0);
}

void aspace_renew(struct aspace *aspace, bool random)
{
	aspace_seed(aspace, random ? mm_entropy() | 1 : 0);
	aspace->brk_start = 0;
	aspace->brk = 0;
}

struct aspace *aspace_create(node_id_t node)
{
	struct aspace *aspace = heap_alloc_zero(sizeof(*aspace));

	if (aspace == NULL)
		return NULL;
	aspace->node = node;
	aspace->root = pt_create(node);
	if (aspace->root == PAGE_NONE) {
		heap_free(aspace);
		return NULL;
	}
	aspace_seed(aspace, mm_entropy() | 1);
	return aspace;
}

void aspace_destroy(struct aspace *aspace)
{
	struct region *region;

	for (unsigned int i = 0; i < PISCES_CPU_WORDS; i++)
		ASSERT(aspace->cpus[i] == 0);
	while ((region = aspace->regions.root) != NULL) {
		region_remove(&aspace->regions, region);
		if (region->object != NULL)
			object_put_mapped(region->object);
		heap_free(region);
	}
	while ((region = aspace->spare) != NULL) {
		aspace->spare = region->left;
		heap_free(region);
	}
	pt_destroy(aspace->root);
	heap_free(aspace);
}

bool space_reserve(struct aspace *aspace, unsigned int count)
{
	while (aspace->spares < count) {
		struct region *region = heap_alloc(sizeof(*region));

		if (region == NULL)
			return false;
		region->object = NULL;
		space_region_give(aspace, region);
	}
	return true;
}

struct region *space_region_take(struct aspace *aspace)
{
	struct region *region = aspace->spare;

	ASSERT(region != NULL);
	aspace->spare = region->left;
	aspace->spares--;
	return region;
}

void space_region_give(struct aspace *aspace, struct region *region)
{
	if (region->object != NULL)
		object_put_mapped(region->object);
	region->object = NULL;
	if (aspace->spares >= SPACE_SPARES) {
		heap_free(region);
		return;
	}
	region->left = aspace->spare;
	aspace->spare = region;
	aspace->spares++;
}

void space_count(struct aspace *aspace, uint64_t bytes)
{
	uint64_t resident = aspace->resident + bytes;

	__atomic_store_n(&aspace->resident, resident, __ATOMIC_RELAXED);
	if (resident > aspace->peak)
		__atomic_store_n(&aspace->peak, resident, __ATOMIC_RELAXED);
	if (aspace->told) {
		__atomic_store_n(&aspace->told->resident, resident, __ATOMIC_RELAXED);
		__atomic_store_n(&aspace->told->peak, aspace->peak, __ATOMIC_RELAXED);
	}
}

void aspace_tell(struct aspace *aspace, struct pisces_task_usage *usage)
{
	aspace->told = usage;
}

uint64_t aspace_resident(struct aspace *aspace)
{
	return __atomic_load_n(&aspace->resident, __ATOMIC_RELAXED);
}

uint64_t aspace_peak(struct aspace *aspace)
{
	return __atomic_load_n(&aspace->peak, __ATOMIC_RELAXED);
}

uint64_t aspace_reserved(struct aspace *aspace)
{
	return __atomic_load_n(&aspace->regions.bytes, __ATOMIC_RELAXED);
}

uint64_t aspace_mapping(struct aspace *aspace, user_addr_t address)
{
	const struct region *region;
	uint64_t size;

	lock_take(&aspace->lock);
	region = region_at(&aspace->regions, address);
	size = region != NULL ? region->end - region->start : 0;
	lock_drop(&aspace->lock);
	return size;
}

phys_addr_t aspace_root(const struct aspace *aspace)
{
	return aspace->root;
}

uint64_t *aspace_cpus(struct aspace *aspace)
{
	return aspace->cpus;
}

user_addr_t aspace_program_base(const struct aspace *aspace)
{
	return aspace->program_base;
}

void aspace_for_each(struct aspace *aspace,
		     void (*fn)(user_addr_t start, user_addr_t end, unsigned int prot, void *arg),
		     void *arg)
{
	const struct region *region;

	lock_take(&aspace->lock);
	region = region_at_or_above(&aspace->regions, 0);
	while (region != NULL) {
		fn(region->start, region->end, region->prot, arg);
		region = region_at_or_above(&aspace->regions, region->end);
	}
	lock_drop(&aspace->lock);
}
