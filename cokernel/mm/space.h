/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside an aspace, for the files that make it up: aspace.c (life), map.c (regions
 * come and go), protect.c, discard.c, brk.c, remap.c, fault.c and install.c (pages
 * come), collapse.c and trim.c (they become large, or small again), migrate.c (they
 * change their node), written.c (they are written), copy.c (from outside). In all
 * functions here the lock is held unless they say that they take it.
 */
#ifndef CK_MM_SPACE_H
#define CK_MM_SPACE_H

#include <pisces/abi.h>

#include "arch/user.h"
#include "lib/lock.h"
#include "lib/types.h"
#include "mm/aspace.h"
#include "mm/region.h"

#define SPACE_PROT (ASPACE_READ | ASPACE_WRITE | ASPACE_EXEC)

/* As Linux: nobody maps what a NULL pointer with an offset may hit. */
#define SPACE_MIN 0x10000ull

/* As Linux's default of vm.max_map_count. */
#define SPACE_MAX_REGIONS 65530u

/* Regions that one call may need before it can no longer fail. */
#define SPACE_SPARES 3u

struct aspace {
	struct lock lock;
	node_id_t node;
	phys_addr_t root;
	struct region_tree regions;
	struct region *spare; /* a list by ->left, for steps that must not fail */
	unsigned int spares;
	user_addr_t map_top;   /* below here are mappings without an address of their own, */
	user_addr_t stack_top; /* and stacks below here */
	user_addr_t program_base;
	user_addr_t brk_start; /* 0: no brk yet */
	user_addr_t brk;
	uint64_t resident; /* bytes */
	uint64_t peak;
	struct pisces_task_usage *told; /* both are told there, too; NULL: nowhere */
	user_addr_t trim_at; /* where space_trim() goes on; read without the lock */
	uint64_t cpus[PISCES_CPU_WORDS];
};

/* Is [address, address + size) in user space? SIZE is not 0. */
static inline bool space_is_user(user_addr_t address, uint64_t size)
{
	return size <= USER_END && address <= USER_END - size;
}

/* Has at least COUNT (up to SPACE_SPARES) regions at hand. False: out of memory. */
bool space_reserve(struct aspace *aspace, unsigned int count);

/* One of those; never NULL, without an object. And back, with its reference. */
struct region *space_region_take(struct aspace *aspace);
void space_region_give(struct aspace *aspace, struct region *region);

/*
 * Gets ready to change [start, end) alone: no leaf and no region will cross these
 * bounds. 0, or -ENOMEM with nothing changed that a program could see. MORE:
 * regions besides that the caller will take.
 */
int space_isolate(struct aspace *aspace, user_addr_t start, user_addr_t end, unsigned int more);

/*
 * A region of [start, end), which is free, that is as LIKE in all but its place, and
 * maps LIKE's object from LIKE's offset on. It may become part of a neighbour. Takes
 * a spare, and a reference to the object.
 */
void space_add(struct aspace *aspace, user_addr_t start, user_addr_t end,
	       const struct region *like);

/*
 * Finds a place as aspace_map() does, empties it, and puts a region there. LIKE as
 * above; FLAGS of aspace_map(). The address, or -errno with nothing changed.
 */
int64_t space_map_region(struct aspace *aspace, user_addr_t address, uint64_t size,
			 unsigned int flags, const struct region *like);

/* Regions that meet at ADDRESS become one if they are alike. */
void space_join(struct aspace *aspace, user_addr_t address);

/* Gives back the pages of [start, end), which is isolated; regions stay. */
void space_zap(struct aspace *aspace, user_addr_t start, user_addr_t end);

/* Takes regions and pages of [start, end) away: -ENOMEM with nothing done, or 0. */
int space_unmap(struct aspace *aspace, user_addr_t start, user_addr_t end);

/* Is there no region in [start, end)? */
bool space_is_free(const struct aspace *aspace, user_addr_t start, user_addr_t end);

/*
 * A free place for SIZE bytes below TOP, or anywhere if there is none; so that it
 * is congruent to OFFSET modulo ALIGN if that can be. 0: none.
 */
user_addr_t space_choose(const struct aspace *aspace, uint64_t size, user_addr_t top,
			 uint64_t align, uint64_t offset);

/* Counts pages that came, or (negative, wrapped) went. */
void space_count(struct aspace *aspace, uint64_t bytes);

/* Besides protection: a page of the address space's own, whatever may be done with it. */
#define SPACE_OWN 8u

/*
 * Brings a page to ADDRESS. NEED: protection that the region must have (one of these
 * bits), 0: none; or SPACE_OWN. POPULATE: more is to follow, take all that fits. Takes
 * the lock.
 */
int space_fault(struct aspace *aspace, user_addr_t address, unsigned int need, bool populate);

/* Pages for all of [start, end). Takes the lock. */
int space_populate(struct aspace *aspace, user_addr_t start, user_addr_t end);

/* Is memory so short that only what was touched should be given? */
bool space_memory_is_scarce(void);

/*
 * There is no page left: takes back what came with large pages and was never written.
 * True: there are some again. Takes the lock.
 */
bool space_trim(struct aspace *aspace);

/*
 * Puts one 2 MiB page in the place of the single pages at START, if most are there
 * and they may move. REGION is around all of it. True: done.
 */
bool space_collapse(struct aspace *aspace, const struct region *region, user_addr_t start);

#endif
