/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/policy.h"

#include <pisces/abi.h>

#include "mm/page.h"

uint64_t policy_all_nodes(void)
{
	uint64_t nodes = 0;

	for (node_id_t node = 0; node < PISCES_MAX_NODES; node++) {
		if (page_node_total_bytes(node) != 0)
			nodes |= 1ull << node;
	}
	return nodes;
}

static bool has(const struct policy *policy, node_id_t node)
{
	return policy->nodes >> node & 1;
}

static node_id_t first_of(uint64_t nodes)
{
	return (node_id_t)__builtin_ctzll(nodes);
}

/* Neighbours go to different nodes, whatever is touched first. */
static node_id_t interleaved(uint64_t nodes, uint64_t index)
{
	index %= policy_count(nodes);
	while (index-- > 0)
		nodes &= nodes - 1;
	return first_of(nodes);
}

node_id_t policy_node(const struct policy *policy, unsigned int order, user_addr_t address,
		      node_id_t here)
{
	if (policy->home != 0)
		here = policy->home - 1;
	switch ((enum policy_mode)policy->mode) {
	case POLICY_PREFERRED:
		return first_of(policy->nodes);
	case POLICY_INTERLEAVE:
		return interleaved(policy->nodes, address >> (PAGE_SHIFT + order));
	case POLICY_BIND:
	case POLICY_PREFERRED_MANY:
		return has(policy, here) ? here : first_of(policy->nodes);
	default:
		return here;
	}
}

phys_addr_t policy_alloc(const struct policy *policy, unsigned int order, user_addr_t address,
			 node_id_t here, unsigned int how)
{
	node_id_t node = policy_node(policy, order, address, here);
	phys_addr_t block = page_alloc(order, node, how | PAGE_LOCAL);

	if (block != PAGE_NONE || (how & PAGE_LOCAL))
		return block;
	if (policy->mode == POLICY_BIND || policy->mode == POLICY_PREFERRED_MANY) {
		for (node = 0; node < PISCES_MAX_NODES && block == PAGE_NONE; node++) {
			if (has(policy, node))
				block = page_alloc(order, node, how | PAGE_LOCAL);
		}
		if (block != PAGE_NONE || policy->mode == POLICY_BIND)
			return block;
	}
	return page_alloc(order, policy_node(policy, order, address, here), how);
}

bool policy_allows(const struct policy *policy, unsigned int order, user_addr_t address,
		   node_id_t here, node_id_t node)
{
	switch ((enum policy_mode)policy->mode) {
	case POLICY_BIND:
	case POLICY_PREFERRED_MANY:
		return has(policy, node);
	case POLICY_PREFERRED:
	case POLICY_INTERLEAVE:
		return node == policy_node(policy, order, address, here);
	case POLICY_LOCAL:
		return node == here;
	default:
		return true;
	}
}
