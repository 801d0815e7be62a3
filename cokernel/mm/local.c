/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/local.h"

#include "arch/cpu.h"
#include "arch/features.h"
#include "arch/trap.h"
#include "arch/x86.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "mm/aspace.h"

#define ERROR_WRITE (1u << 1)
#define ERROR_RESERVED (1u << 3)
#define ERROR_FETCH (1u << 4)

node_id_t mm_this_node(void)
{
	return this_cpu()->node;
}

void mm_heartbeat(void)
{
	this_cpu()->status->heartbeat++;
}

bool mm_has_huge_pages(void)
{
	return cpu_features.huge_pages;
}

static bool rdrand(uint64_t *value)
{
	bool good;

	__asm__ volatile("rdrand %0\n\tsetc %1" : "=r"(*value), "=qm"(good) : : "cc");
	return good;
}

/* Where the CPU has no random numbers, the time of an event that nobody can choose to the cycle. */
uint64_t mm_entropy(void)
{
	static uint64_t sum;
	uint64_t value = 0;

	if (!(cpuid(1, 0).ecx >> 30 & 1) || !rdrand(&value))
		value = rdtsc() * 0x9e3779b97f4a7c15ull;
	value += __atomic_add_fetch(&sum, value | 1, __ATOMIC_RELAXED);
	value ^= value >> 32;
	value *= 0xd6e8feb86659fd93ull;
	return value ^ value >> 32;
}

int aspace_fault_current(user_addr_t address, uint64_t error)
{
	struct aspace *aspace = this_cpu()->aspace;

	/* Our own tables would be broken. */
	ASSERT(!(error & ERROR_RESERVED));
	if (aspace == NULL)
		return -EFAULT;
	return aspace_fault(aspace, address, error & ERROR_WRITE, error & ERROR_FETCH);
}
