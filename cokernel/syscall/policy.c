/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where memory comes from: the policies of threads and of regions. */
#include <linux/mempolicy.h>

#include "arch/cpu.h"
#include "mm/aspace.h"
#include "mm/local.h"
#include "mm/policy.h"
#include "syscall/handlers.h"
#include "syscall/node_mask.h"
#include "task/process.h"
#include "task/thread.h"

#define MODE_FLAGS (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES)
#define BIND_FLAGS (MPOL_MF_STRICT | MPOL_MF_MOVE)

static struct aspace *own_aspace(void)
{
	return process_current()->aspace;
}

void mm_thread_policy(struct policy *policy)
{
	const struct thread *thread = thread_current();

	*policy = thread->policy;
}

/* The N-th node of ALLOWED for each N in NODES, around if there are fewer. */
static uint64_t relative(uint64_t nodes, uint64_t allowed)
{
	unsigned int count = policy_count(allowed);
	uint64_t result = 0;

	for (unsigned int n = 0; n < 64; n++) {
		uint64_t left = allowed;

		if (!(nodes >> n & 1))
			continue;
		for (unsigned int skip = n % count; skip > 0; skip--)
			left &= left - 1;
		result |= left & (0 - left);
	}
	return result;
}

/* Checks as Linux does, in its order. */
static int make_policy(uint64_t mode, user_addr_t mask, uint64_t limit, struct policy *policy)
{
	uint64_t flags = mode & MODE_FLAGS, allowed = policy_all_nodes(), nodes;
	int error;

	mode &= ~(uint64_t)MODE_FLAGS;
	if (mode >= POLICY_MODES || flags == MODE_FLAGS)
		return -EINVAL;
	error = node_mask_load(mask, limit, &nodes);
	if (error)
		return error;
	*policy = (struct policy){ .mode = (uint16_t)mode, .flags = (uint16_t)flags };
	if (mode == POLICY_DEFAULT)
		return nodes != 0 ? -EINVAL : 0;
	if (mode == POLICY_LOCAL || (mode == POLICY_PREFERRED && nodes == 0)) {
		policy->mode = POLICY_LOCAL;
		return nodes != 0 || flags != 0 ? -EINVAL : 0;
	}
	if (nodes == 0)
		return -EINVAL;
	policy->nodes = flags & MPOL_F_RELATIVE_NODES ? relative(nodes, allowed) : nodes & allowed;
	return policy->nodes != 0 ? 0 : -EINVAL;
}

int64_t syscall_set_mempolicy(const struct syscall_args *args)
{
	struct policy policy;
	int error = make_policy((uint32_t)args->a[0], args->a[1], args->a[2], &policy);

	if (!error)
		thread_current()->policy = policy;
	return error;
}

static int64_t misplaced(user_addr_t address, node_id_t now, void *argument)
{
	const struct policy *policy = argument;
	node_id_t here = mm_this_node();

	if (policy_allows(policy, 0, address, here, now))
		return -1;
	return policy_node(policy, 0, address, here);
}

int64_t syscall_mbind(const struct syscall_args *args)
{
	user_addr_t start = args->a[0], end = start + align_up(args->a[1], PAGE_SIZE);
	uint64_t flags = args->a[5];
	struct policy policy;
	int error;

	if (flags & ~(uint64_t)(BIND_FLAGS | MPOL_MF_MOVE_ALL))
		return -EINVAL;
	if (flags & MPOL_MF_MOVE_ALL)
		return -EPERM;
	if (start % PAGE_SIZE != 0 || end < start)
		return -EINVAL;
	error = make_policy(args->a[2], args->a[3], args->a[4], &policy);
	if (error || start == end)
		return error;
	if (end > USER_END)
		return -EFAULT;
	error = aspace_set_policy(own_aspace(), start, end, &policy);
	if (error || !(flags & BIND_FLAGS) || policy.mode == POLICY_DEFAULT)
		return error;
	if (aspace_move_range(own_aspace(), start, end, flags & MPOL_MF_MOVE, misplaced, &policy) != 0 &&
	    (flags & MPOL_MF_STRICT))
		return -EIO;
	return 0;
}

/* MPOL_F_NODE | MPOL_F_ADDR: of the page, which is brought if there is none. */
static int64_t node_at(user_addr_t address)
{
	uint8_t byte;

	if (copy_from_user(&byte, address, 1) != 0)
		return -EFAULT;
	return aspace_node(own_aspace(), address);
}

static int64_t next_interleaved(const struct policy *policy)
{
	if (policy->mode != POLICY_INTERLEAVE)
		return -EINVAL;
	return policy_node(policy, 0, 0, mm_this_node());
}

/* What get_mempolicy() says in its first argument, or -errno; and NODES. */
static int64_t look_up(uint64_t flags, user_addr_t address, uint64_t *nodes)
{
	struct policy policy = thread_current()->policy;
	user_addr_t end;
	int error;

	*nodes = 0;
	if (flags & ~(uint64_t)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))
		return -EINVAL;
	if (flags & MPOL_F_MEMS_ALLOWED) {
		*nodes = policy_all_nodes();
		return flags & (MPOL_F_NODE | MPOL_F_ADDR) ? -EINVAL : 0;
	}
	if (!(flags & MPOL_F_ADDR) && address != 0)
		return -EINVAL;
	if (flags & MPOL_F_ADDR) {
		error = aspace_policy(own_aspace(), address, &policy, &end);
		if (error)
			return error;
		if (policy.mode == POLICY_DEFAULT)
			policy = thread_current()->policy;
	}
	*nodes = policy.nodes;
	if (flags & MPOL_F_NODE)
		return flags & MPOL_F_ADDR ? node_at(address) : next_interleaved(&policy);
	return policy.mode | policy.flags;
}

int64_t syscall_get_mempolicy(const struct syscall_args *args)
{
	user_addr_t to = args->a[0], mask = args->a[1];
	uint64_t nodes;
	int64_t mode = look_up(args->a[4], args->a[3], &nodes);
	int32_t word = (int32_t)mode;
	int error = 0;

	if (mode < 0)
		return mode;
	if (mask != 0)
		error = node_mask_store(mask, args->a[2], nodes);
	if (!error && to != 0)
		error = copy_to_user(to, &word, sizeof(word));
	return error;
}

/* The home is a wish that only these modes know. */
static int set_home(user_addr_t start, user_addr_t end, uint32_t node)
{
	while (start < end) {
		struct policy policy;
		user_addr_t next;
		int error = aspace_policy(own_aspace(), start, &policy, &next);

		if (error)
			return error;
		if (policy.mode != POLICY_BIND && policy.mode != POLICY_PREFERRED_MANY)
			return -EOPNOTSUPP;
		policy.home = node + 1;
		next = min_u64(next, end);
		error = aspace_set_policy(own_aspace(), start, next, &policy);
		if (error)
			return error;
		start = next;
	}
	return 0;
}

int64_t syscall_set_mempolicy_home_node(const struct syscall_args *args)
{
	user_addr_t start = args->a[0], end = start + align_up(args->a[1], PAGE_SIZE);
	uint64_t node = args->a[2];

	if (start % PAGE_SIZE != 0 || args->a[3] != 0 || end < start || node >= 64 ||
	    !(policy_all_nodes() >> node & 1))
		return -EINVAL;
	return end > USER_END ? -EFAULT : set_home(start, end, (uint32_t)node);
}
