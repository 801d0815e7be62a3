// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clearing memory that comes back from an enclave: by all CPUs that come back with it,
 * each taking the next piece until there is none. Freeing it page by page takes Linux
 * longer than that, so whoever has cleared a piece frees it as well.
 */

#include <linux/atomic.h>
#include <linux/io.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <pisces/ioctl.h>

#include "block.h"
#include "compat.h"
#include "memory.h"
#include "scrub.h"

struct scrub {
	struct list_head *ranges;
	atomic64_t next; /* piece, counted over all ranges */
};

struct scrub_worker {
	struct work_struct work;
	struct scrub *scrub;
};

static struct workqueue_struct *scrub_queue; /* not that of enclaves: bound to CPUs */

int scrub_init(void)
{
	scrub_queue = alloc_workqueue("pisces_scrub", WQ_CPU_INTENSIVE | COMPAT_WQ_PERCPU, 0);
	return scrub_queue ? 0 : -ENOMEM;
}

void scrub_exit(void)
{
	destroy_workqueue(scrub_queue);
}

/* What is in the caches is of more use to Linux than this memory, which nobody needs soon. */
void memory_clear(void *at, size_t bytes)
{
	u64 *word = at, *end = at + bytes;

	for (; word < end; word += 4)
		asm volatile("movnti %4, %0; movnti %4, %1; movnti %4, %2; movnti %4, %3"
			     : "=m"(word[0]), "=m"(word[1]), "=m"(word[2]), "=m"(word[3])
			     : "r"(0ull));
	wmb(); /* such stores are not ordered by themselves */
}

/* Clears piece PIECE, and frees it if it is of the way contig; false if there is no such. */
static bool scrub_piece(struct scrub *scrub, u64 piece)
{
	struct memory_range *range;
	u64 offset = piece * SCRUB_CHUNK;

	list_for_each_entry(range, scrub->ranges, link) {
		if (offset >= range->size) {
			offset -= range->size;
			continue;
		}
		if (range->way != PISCES_MEMORY_REMOVE || block_is_added(range->base + offset))
			memory_clear(phys_to_virt(range->base + offset), SCRUB_CHUNK);
		if (range->way == PISCES_MEMORY_CONTIG)
			contig_free(range->base + offset, SCRUB_CHUNK);
		return true;
	}
	return false;
}

static void scrub_all(struct scrub *scrub)
{
	while (scrub_piece(scrub, atomic64_inc_return(&scrub->next) - 1))
		cond_resched();
}

static void scrub_work(struct work_struct *work)
{
	scrub_all(container_of(work, struct scrub_worker, work)->scrub);
}

void scrub(struct list_head *ranges, const struct cpumask *cpus)
{
	struct scrub scrub = { .ranges = ranges, .next = ATOMIC64_INIT(0) };
	unsigned int cpu, count = cpus ? cpumask_weight(cpus) : 0, started = 0;
	struct scrub_worker *workers = NULL;

	BUILD_BUG_ON(PISCES_MEMORY_ALIGN % SCRUB_CHUNK);
	if (count)
		workers = kvcalloc(count, sizeof(*workers), GFP_KERNEL);
	if (workers) {
		for_each_cpu(cpu, cpus) {
			workers[started].scrub = &scrub;
			INIT_WORK(&workers[started].work, scrub_work);
			queue_work_on(cpu, scrub_queue, &workers[started++].work);
		}
	}
	scrub_all(&scrub);
	while (started)
		flush_work(&workers[--started].work);
	kvfree(workers);
}
