/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeping the CPUs' translation caches true. */
#ifndef CK_ARCH_TLB_H
#define CK_ARCH_TLB_H

#include "lib/types.h"

struct aspace;

/*
 * After page table entries for [start, end) were taken away or weakened: returns
 * when no CPU that has ASPACE loaded still uses the old ones. Only then may the
 * pages be freed. The caller holds the aspace's lock; waiting CPUs serve such
 * requests while they spin, so two callers cannot block each other.
 */
void tlb_flush(struct aspace *aspace, user_addr_t start, user_addr_t end);

/* The same for kernel addresses, on all CPUs. The caller holds no lock. */
void tlb_flush_kernel(void);

/* Loads ASPACE (NULL: the kernel's own tables) on this CPU, and keeps aspace_cpus(). */
void tlb_load(struct aspace *aspace);

/*
 * ASPACE, of which no thread is left, is loaded nowhere when this returns: idle CPUs keep
 * the last one for a while. The caller holds no lock.
 */
void tlb_unload(struct aspace *aspace);

/* Serves requests of other CPUs; called by the kick interrupt and in spin loops. */
void tlb_serve(void);

#endif
