// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A run of free pages for the way contig, in parts that several CPUs ask Linux for at once.
 * Nearly all of the time goes into clearing, under init_on_alloc, and alloc_contig_range() does
 * that on one CPU. Where pages are in use and have to be moved, several at once are no faster:
 * each would have the others' per-CPU lists drained, and look for places in their parts.
 *
 * Parts begin at multiples of their size, far above that of a pageblock and of the largest
 * free block of the buddy allocator: so no two of them isolate the same one.
 */

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/topology.h>

#include "compat.h"
#include "memory.h"
#include "workers.h"

#define PART_PAGES (0x2000000ul / PAGE_SIZE) /* 32 MiB */

struct parts {
	unsigned long first, end;
	unsigned int count;
	atomic_t next;
	bool failed;
	unsigned long *taken; /* bits, by part */
};

static unsigned long part_first(const struct parts *parts, unsigned int part)
{
	return part ? ALIGN_DOWN(parts->first, PART_PAGES) + part * PART_PAGES : parts->first;
}

static unsigned long part_end(const struct parts *parts, unsigned int part)
{
	return part + 1 < parts->count ? part_first(parts, part + 1) : parts->end;
}

static bool part_take(struct parts *parts, unsigned int part)
{
	if (compat_alloc_contig(part_first(parts, part), part_end(parts, part)))
		return false;
	set_bit(part, parts->taken);
	return true;
}

/* Takes the next part that nobody has begun with, until there is none, or one has failed. */
static void parts_take(void *argument)
{
	struct parts *parts = argument;
	unsigned int part;

	while (!READ_ONCE(parts->failed)) {
		part = (unsigned int)atomic_inc_return(&parts->next) - 1;
		if (part >= parts->count)
			return;
		if (!part_take(parts, part))
			WRITE_ONCE(parts->failed, true);
		cond_resched();
	}
}

/* Where the caller may run, and of these, if any are there, the CPUs of NODE. */
static bool parts_cpus(struct cpumask *cpus, int node)
{
	cpumask_and(cpus, current->cpus_ptr, cpu_online_mask);
	if (cpumask_intersects(cpus, cpumask_of_node(node)))
		cpumask_and(cpus, cpus, cpumask_of_node(node));
	return cpumask_weight(cpus) > 1;
}

/* By each of CPUS, of which the caller's own is taken out: there the caller works as well. */
static void parts_share(struct parts *parts, struct cpumask *cpus)
{
	struct workers *workers;

	cpumask_clear_cpu(raw_smp_processor_id(), cpus);
	workers = workers_start(cpus, parts->count - 1, parts_take, parts);
	parts_take(parts);
	workers_wait(workers);
}

/* What was in the way of one part, as another's draining of lists, may be gone by now. */
static int parts_complete(struct parts *parts)
{
	unsigned int part;

	for (part = 0; part < parts->count; part++)
		if (!test_bit(part, parts->taken) && !part_take(parts, part))
			break;
	if (part == parts->count)
		return 0;
	for_each_set_bit(part, parts->taken, parts->count)
		contig_free(PFN_PHYS(part_first(parts, part)),
			    PFN_PHYS(part_end(parts, part) - part_first(parts, part)));
	return -EBUSY;
}

int contig_take_free(unsigned long first, unsigned long end, int node)
{
	struct parts parts = {
		.first = first,
		.end = end,
		.count = DIV_ROUND_UP(end - ALIGN_DOWN(first, PART_PAGES), PART_PAGES),
		.next = ATOMIC_INIT(0),
	};
	cpumask_var_t cpus;
	int ret;

	BUILD_BUG_ON(PART_PAGES < 2 * MAX_ORDER_NR_PAGES || PART_PAGES < 2 * pageblock_nr_pages);
	if (parts.count == 1 || !zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return compat_alloc_contig(first, end);
	if (parts_cpus(cpus, node))
		parts.taken = bitmap_zalloc(parts.count, GFP_KERNEL);
	if (parts.taken) {
		parts_share(&parts, cpus);
		ret = parts_complete(&parts);
		bitmap_free(parts.taken);
	} else {
		ret = compat_alloc_contig(first, end);
	}
	free_cpumask_var(cpus);
	return ret;
}
