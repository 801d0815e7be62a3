/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The direct map: all memory of the enclave, the shared area and the channels
 * in use, at DIRECT_BASE + physical address, cached, not executable. In the
 * tests DIRECT_BASE is where the test has its arena.
 */
#ifndef CK_MM_DIRECT_H
#define CK_MM_DIRECT_H

#include <pisces/boot.h>

#include "lib/types.h"

#ifdef CK_HOSTED_TEST
extern uint64_t direct_base;
#define DIRECT_BASE direct_base
#else
#define DIRECT_BASE PISCES_DIRECT_BASE
#endif

static inline void *phys_to_virt(phys_addr_t address)
{
	return (void *)(address + DIRECT_BASE);
}

static inline phys_addr_t virt_to_phys(const void *address)
{
	return (uint64_t)address - DIRECT_BASE;
}

#endif
