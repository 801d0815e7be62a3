/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/context.h"
#include "arch/paging.h"
#include "arch/paging_tables.h"
#include "arch/stack.h"
#include "lib/lock.h"
#include "mm/direct.h"
#include "mm/page.h"

/* A slot: a hole, then the stack. */
#define SLOT_SIZE (2ull * KERNEL_STACK_SIZE)
#define STACK_ORDER 2u
_Static_assert((PAGE_SIZE << STACK_ORDER) == KERNEL_STACK_SIZE, "a stack is one block");

/*
 * Stacks that were given back wait here, mapped, for the next thread: unmapping them
 * would cost every CPU a flush. As many are kept as threads ever lived at once.
 */
struct free_stack {
	struct free_stack *next;
};

static struct lock lock = LOCK_INIT;
static struct free_stack *free_stacks;
static uint64_t next_slot = STACK_AREA;

static void *map_new(node_id_t node)
{
	uint64_t at = next_slot + KERNEL_STACK_SIZE;
	phys_addr_t block;

	if (next_slot + SLOT_SIZE > STACK_AREA + STACK_AREA_SIZE)
		return NULL;
	block = page_alloc(STACK_ORDER, node, 0);
	if (block == PAGE_NONE)
		return NULL;
	if (!paging_map_stack(at, block, KERNEL_STACK_SIZE)) {
		page_free(block, STACK_ORDER);
		return NULL;
	}
	next_slot += SLOT_SIZE;
	return (void *)at;
}

void *stack_alloc(node_id_t node)
{
	void *stack;

	lock_take(&lock);
	if (free_stacks != NULL) {
		stack = free_stacks;
		free_stacks = free_stacks->next;
	} else {
		stack = map_new(node);
	}
	lock_drop(&lock);
	return stack;
}

void stack_free(void *stack)
{
	struct free_stack *item = stack;

	lock_take(&lock);
	item->next = free_stacks;
	free_stacks = item;
	lock_drop(&lock);
}

static bool in_area(uint64_t address)
{
	return address >= STACK_AREA && address < STACK_AREA + STACK_AREA_SIZE;
}

bool stack_is_guard(uint64_t address)
{
	return in_area(address) && (address & (SLOT_SIZE - 1)) < KERNEL_STACK_SIZE;
}

bool stack_contains(uint64_t address)
{
	return in_area(address) && !stack_is_guard(address);
}
