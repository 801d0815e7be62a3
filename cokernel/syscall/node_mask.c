/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "syscall/node_mask.h"

#include "arch/user.h"
#include "lib/errno.h"
#include "mm/policy.h"

/* More than this is a mistake: as Linux, a page of bits. */
#define LIMIT_MOST (8 * PAGE_SIZE)

int node_mask_load(user_addr_t from, uint64_t limit, uint64_t *nodes)
{
	uint64_t bits, word;

	*nodes = 0;
	/* The interface counts one bit more than it has. */
	if (from == 0 || limit <= 1)
		return 0;
	bits = limit - 1;
	if (bits > LIMIT_MOST)
		return -EINVAL;
	for (uint64_t i = 0; i * 64 < bits; i++) {
		if (copy_from_user(&word, from + i * 8, sizeof(word)) != 0)
			return -EFAULT;
		if (bits - i * 64 < 64)
			word &= (1ull << (bits - i * 64)) - 1;
		if (i == 0)
			*nodes = word;
		else if (word != 0)
			return -EINVAL;
	}
	return 0;
}

int node_mask_store(user_addr_t to, uint64_t limit, uint64_t nodes)
{
	uint64_t bytes = (limit + 62) / 64 * 8;
	uint64_t highest = 63 - (uint64_t)__builtin_clzll(policy_all_nodes() | 1);

	if (limit < highest + 1 || limit > LIMIT_MOST)
		return -EINVAL;
	if (bytes == 0)
		return 0;
	if (copy_to_user(to, &nodes, sizeof(nodes)) != 0 ||
	    clear_user(to + sizeof(nodes), bytes - sizeof(nodes)) != 0)
		return -EFAULT;
	return 0;
}
