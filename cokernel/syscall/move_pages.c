/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages that are there: where, and moving them. Only the caller's own. */
#include <linux/mempolicy.h>

#include "arch/user.h"
#include "lib/lock.h"
#include "mm/aspace.h"
#include "mm/local.h"
#include "mm/policy.h"
#include "syscall/handlers.h"
#include "syscall/node_mask.h"
#include "task/process.h"
#include "task/thread.h"

static struct aspace *own_aspace(void)
{
	return process_current()->aspace;
}

/* In a long loop, at step I: gives others their turn. False: the process ends. */
static bool may_go_on(uint64_t i)
{
	mm_turn(i);
	return !thread_current()->dying;
}

static int check_pid(uint64_t pid)
{
	return (tid_t)pid == 0 || (tid_t)pid == process_current()->pid ? 0 : -ESRCH;
}

/* To the node that the array at NODES says, which must be one. Status, or -errno in *ERROR. */
static int32_t move_one(user_addr_t address, user_addr_t nodes, int *error)
{
	int32_t node;
	int moved;

	if (copy_from_user(&node, nodes, sizeof(node)) != 0) {
		*error = -EFAULT;
		return 0;
	}
	if (node < 0 || node >= 64 || !(policy_all_nodes() >> node & 1)) {
		*error = -ENODEV;
		return 0;
	}
	moved = aspace_move_page(own_aspace(), address, (node_id_t)node);
	return moved != 0 ? moved : node;
}

int64_t syscall_move_pages(const struct syscall_args *args)
{
	uint64_t count = args->a[1], flags = args->a[5];
	user_addr_t pages = args->a[2], nodes = args->a[3], status = args->a[4], address;
	int error = 0;

	if (flags & ~(uint64_t)(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
		return -EINVAL;
	if (flags & MPOL_MF_MOVE_ALL)
		return -EPERM;
	if (check_pid(args->a[0]) != 0)
		return -ESRCH;
	for (uint64_t i = 0; i < count; i++) {
		int32_t result;

		if (!may_go_on(i))
			return -EINTR;
		if (copy_from_user(&address, pages + i * 8, sizeof(address)) != 0)
			return -EFAULT;
		if (nodes != 0)
			result = move_one(address, nodes + i * 4, &error);
		else
			result = aspace_node(own_aspace(), address);
		if (error)
			return error;
		if (copy_to_user(status + i * 4, &result, sizeof(result)) != 0)
			return -EFAULT;
	}
	return 0;
}

struct masks {
	uint64_t from, to;
};

/* The first node of one mask goes to the first of the other, and so on around. */
static int64_t where(user_addr_t address, node_id_t now, void *argument)
{
	const struct masks *masks = argument;
	uint64_t left = masks->to;
	unsigned int index;

	(void)address;
	if (!(masks->from >> now & 1))
		return -1;
	index = policy_count(masks->from & ((1ull << now) - 1));
	index %= policy_count(masks->to);
	while (index-- > 0)
		left &= left - 1;
	return __builtin_ctzll(left);
}

int64_t syscall_migrate_pages(const struct syscall_args *args)
{
	struct masks masks;
	int error = node_mask_load(args->a[2], args->a[1], &masks.from);

	if (!error)
		error = node_mask_load(args->a[3], args->a[1], &masks.to);
	if (error)
		return error;
	if (check_pid(args->a[0]) != 0)
		return -ESRCH;
	if (masks.to & ~policy_all_nodes())
		return -EPERM;
	if (masks.to == 0)
		return -EINVAL;
	return (int64_t)aspace_move_range(own_aspace(), 0, USER_END, true, where, &masks);
}

int64_t syscall_mincore(const struct syscall_args *args)
{
	user_addr_t start = args->a[0], to = args->a[2];
	uint64_t count = align_up(args->a[1], PAGE_SIZE) / PAGE_SIZE;
	uint8_t byte;
	int there;

	if (start % PAGE_SIZE != 0)
		return -EINVAL;
	if (start > USER_END || count * PAGE_SIZE > USER_END - start)
		return -ENOMEM;
	for (uint64_t i = 0; i < count; i++) {
		if (!may_go_on(i))
			return -EINTR;
		there = aspace_is_there(own_aspace(), start + i * PAGE_SIZE);
		if (there < 0)
			return there;
		byte = (uint8_t)there;
		if (copy_to_user(to + i, &byte, 1) != 0)
			return -EFAULT;
	}
	return 0;
}
