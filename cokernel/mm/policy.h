/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which NUMA nodes pages should come from: of a thread, or of a region. */
#ifndef CK_MM_POLICY_H
#define CK_MM_POLICY_H

#include "lib/types.h"

/* As MPOL_* of set_mempolicy(2). */
enum policy_mode {
	POLICY_DEFAULT = 0, /* of a region: as the thread says; of a thread: local */
	POLICY_PREFERRED = 1,
	POLICY_BIND = 2,
	POLICY_INTERLEAVE = 3,
	POLICY_LOCAL = 4,
	POLICY_PREFERRED_MANY = 5,
	POLICY_MODES,
};

struct policy {
	uint64_t nodes; /* one bit a node; of those there are; never 0 where the mode needs some */
	uint16_t mode;
	uint16_t flags; /* as the program gave them, to be given back: MPOL_F_STATIC_NODES... */
	uint32_t home;	/* set_mempolicy_home_node(2): node + 1; 0: where it is touched */
};

static inline bool policy_is_same(const struct policy *a, const struct policy *b)
{
	return a->mode == b->mode && a->nodes == b->nodes && a->flags == b->flags &&
	       a->home == b->home;
}

static inline unsigned int policy_count(uint64_t nodes)
{
	unsigned int count = 0;

	for (; nodes != 0; nodes &= nodes - 1)
		count++;
	return count;
}

/* The nodes that there is memory on. */
uint64_t policy_all_nodes(void);

/*
 * A block of 2^ORDER pages for ADDRESS, touched on node HERE, or PAGE_NONE. HOW: as
 * page_alloc()'s; with PAGE_LOCAL only of the node that comes first, where a smaller block
 * nearby could take its place.
 */
phys_addr_t policy_alloc(const struct policy *policy, unsigned int order, user_addr_t address,
			 node_id_t here, unsigned int how);

/* The node that comes first for the block of 2^ORDER pages around ADDRESS. */
node_id_t policy_node(const struct policy *policy, unsigned int order, user_addr_t address,
		      node_id_t here);

/* May a page for ADDRESS be on NODE? Of policies that only prefer, always. */
bool policy_allows(const struct policy *policy, unsigned int order, user_addr_t address,
		   node_id_t here, node_id_t node);

#endif
