// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPUs and memory of a running enclave: more, and fewer.
 *
 * What comes is the enclave's before the co-kernel hears of it, and what goes is the
 * enclave's until the co-kernel has agreed: so whatever happens in between, the end
 * of the enclave gives all back. A step that fails is undone here only while the
 * enclave is alive; the rest is the end's.
 */

#include <linux/list_sort.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "apic.h"
#include "change.h"
#include "control.h"
#include "enclave.h"
#include "launch.h"
#include "memory.h"
#include "notes.h"
#include "reclaim.h"
#include "resize.h"

/* Nobody but the end has a say in what the enclave has. */
static bool is_over(const struct enclave *e)
{
	return enclave_is_over(e) || READ_ONCE(e->ending);
}

/* ---- giving back ---- */

/* In a work, since our caller may have been killed: see enclave_end_work(). */
static void do_and_wait(struct work_struct *work)
{
	queue_work(enclaves_queue, work);
	flush_work(work);
	destroy_work_on_stack(work);
	/* Memory blocks and cpusets are for user space to put back. */
	reclaim_start();
}

struct cpu_return {
	struct work_struct work;
	struct enclave_cpu *cpu;
};

static void cpu_return_work(struct work_struct *work)
{
	struct enclave_cpu *cpu = container_of(work, struct cpu_return, work)->cpu;

	cpu->back = cpu_give_back(cpu);
}

static int cpu_return(struct enclave_cpu *cpu)
{
	struct cpu_return give = { .cpu = cpu };

	INIT_WORK_ONSTACK(&give.work, cpu_return_work);
	do_and_wait(&give.work);
	return cpu->back ? 0 : -EIO;
}

struct memory_return {
	struct work_struct work;
	struct list_head *ranges;
};

static void memory_return_work(struct work_struct *work)
{
	memory_give_back(container_of(work, struct memory_return, work)->ranges, NULL);
}

static void memory_return(struct list_head *ranges)
{
	struct memory_return give = { .ranges = ranges };

	INIT_WORK_ONSTACK(&give.work, memory_return_work);
	do_and_wait(&give.work);
}

/* ---- CPUs ---- */

/*
 * The index for a CPU that comes: that which it had before, if it is free, so that
 * the co-kernel finds its own again; else any free one, else a new one.
 */
static int cpu_free_index(const struct enclave *e, u32 linux_cpu)
{
	int free = -ENOSPC;
	unsigned int i;

	for (i = 0; i < e->cpu_count; i++) {
		if (!e->cpus[i].left || !e->cpus[i].back)
			continue;
		if (e->cpus[i].linux_cpu == linux_cpu)
			return i;
		if (free < 0)
			free = i;
	}
	if (free < 0 && e->cpu_count < e->shared.cpu_capacity)
		free = e->cpu_count;
	return free;
}

static void cpu_insert(struct enclave *e, unsigned int index, const struct enclave_cpu *cpu)
{
	struct pisces_boot_block *boot = e->shared.boot;
	struct pisces_boot_cpu *entry = &boot->cpus[index];
	unsigned long flags;

	spin_lock_irqsave(&e->lock, flags);
	e->cpus[index] = *cpu;
	if (index == e->cpu_count)
		e->cpu_count++;
	spin_unlock_irqrestore(&e->lock, flags);

	WRITE_ONCE(e->shared.status->cpu[index].state, PISCES_CPU_ABSENT);
	entry->linux_cpu = cpu->linux_cpu;
	entry->node = cpu->node;
	entry->core = cpu->core;
	/* Whoever finds the CPU by its APIC id finds the rest too, and counts it last. */
	smp_store_release(&entry->apic_id, cpu->apic_id);
	smp_store_release(&boot->cpu_count, e->cpu_count);
	mb(); /* and before any interrupt that starts it */
}

/* From here on nothing of this enclave goes to that CPU. */
static void cpu_leave(struct enclave *e, unsigned int index)
{
	struct enclave_cpu *cpu = &e->cpus[index];
	unsigned long flags;

	spin_lock_irqsave(&e->lock, flags);
	/* Whatever the co-kernel says: once it has left, nobody stops it any more. */
	apic_send_init(cpu->apic_id);
	cpu->left = true;
	WRITE_ONCE(e->shared.boot->cpus[index].apic_id, PISCES_NO_APIC);
	spin_unlock_irqrestore(&e->lock, flags);
}

int resize_add_cpu(struct enclave *e, u32 linux_cpu)
{
	struct pisces_message add = { .type = PISCES_MSG_CPU_ADD };
	struct enclave_cpu cpu;
	u64 launch_ns;
	int index, ret;

	index = cpu_free_index(e, linux_cpu);
	if (index < 0)
		return index;
	ret = cpu_take(linux_cpu, &cpu);
	if (ret)
		return ret;
	cpu_insert(e, index, &cpu);
	notes_taken(e->number, linux_cpu);
	ret = launch_cpus(e, index, 1, &launch_ns);
	if (!ret) {
		add.arg[0] = index;
		ret = change_ask(e, &add, 0);
	}
	if (!ret) {
		enclave_info(e, "has CPU %u now\n", linux_cpu);
		return 0;
	}
	if (!is_over(e)) {
		cpu_leave(e, index);
		WRITE_ONCE(e->shared.status->cpu[index].state, PISCES_CPU_ABSENT);
		cpu_return(&e->cpus[index]);
	}
	return ret;
}

int resize_remove_cpu(struct enclave *e, u32 linux_cpu)
{
	struct pisces_message remove = { .type = PISCES_MSG_CPU_REMOVE };
	unsigned int i, index = e->cpu_count, count = 0;
	int ret;

	for (i = 0; i < e->cpu_count; i++) {
		if (e->cpus[i].left)
			continue;
		count++;
		if (e->cpus[i].linux_cpu == linux_cpu)
			index = i;
	}
	if (index == e->cpu_count)
		return -ENOENT;
	if (count == 1)
		return -EBUSY;

	remove.arg[0] = index;
	ret = change_ask(e, &remove, 0);
	if (ret)
		return ret;
	if (READ_ONCE(e->shared.status->cpu[index].state) != PISCES_CPU_PARKED) {
		enclave_die(e, true, "the co-kernel said that it has left a CPU, and had not");
		return -ESHUTDOWN;
	}
	/* Dead since? Then the end looks after this CPU as well. */
	if (is_over(e))
		return -ESHUTDOWN;
	cpu_leave(e, index);
	ret = cpu_return(&e->cpus[index]);
	if (!ret)
		enclave_info(e, "has given CPU %u back\n", linux_cpu);
	return ret;
}

/* ---- memory ---- */

static int compare_ranges(void *unused, const struct list_head *a, const struct list_head *b)
{
	return list_entry(a, struct memory_range, link)->base >
	       list_entry(b, struct memory_range, link)->base;
}

void resize_insert_ranges(struct enclave *e, struct list_head *ranges)
{
	struct memory_range *range;
	unsigned long flags;

	spin_lock_irqsave(&e->lock, flags);
	list_for_each_entry(range, ranges, link)
		e->range_count++;
	list_splice_tail_init(ranges, &e->ranges);
	list_sort(NULL, &e->ranges, compare_ranges);
	/* What a running co-kernel has got one by one stays so: it is asked for by range. */
	if (e->state == PISCES_ENCLAVE_NEW)
		e->range_count -= memory_join(&e->ranges);
	spin_unlock_irqrestore(&e->lock, flags);
}

static void range_remove(struct enclave *e, struct memory_range *range, struct list_head *to)
{
	unsigned long flags;

	spin_lock_irqsave(&e->lock, flags);
	list_move_tail(&range->link, to);
	e->range_count--;
	spin_unlock_irqrestore(&e->lock, flags);
}

/* One range. It stays the enclave's if that is over, for nobody knows what it uses. */
static int range_add(struct enclave *e, struct memory_range *range, struct list_head *back)
{
	struct pisces_message add = {
		.type = PISCES_MSG_MEMORY_ADD,
		.arg = { range->base, range->size,
			 range->node | (u64)(range->dirty ? PISCES_RANGE_DIRTY : 0) << 32 |
				 (u64)range->granule_shift << 48 },
	};
	LIST_HEAD(one);
	int ret;

	list_move(&range->link, &one);
	resize_insert_ranges(e, &one);
	ret = change_ask(e, &add, range->dirty ? range->size : 0);
	if (ret && !is_over(e))
		range_remove(e, range, back);
	return ret;
}

int resize_add_memory(struct enclave *e, struct list_head *ranges)
{
	struct pisces_remove_memory undo = {};
	struct memory_range *range;
	LIST_HEAD(back);
	u64 size;
	int ret = 0;

	while (!ret && !list_empty(ranges)) {
		range = list_first_entry(ranges, struct memory_range, link);
		size = range->size;
		undo.node = range->node;
		ret = range_add(e, range, &back);
		if (!ret)
			undo.size += size;
	}
	list_splice_tail_init(ranges, &back);
	if (!list_empty(&back))
		memory_return(&back);
	if (!ret)
		enclave_info(e, "has %llu MiB more\n", undo.size >> 20);
	else if (undo.size && !is_over(e) && resize_remove_memory(e, &undo))
		enclave_warn(e, "keeps %llu MiB of what it could not have all of\n",
			     undo.size >> 20);
	return ret;
}

/*
 * Cuts PIECE, which lies in RANGE, out of it: REST gets what is behind it, if there is
 * something on both sides. Returns the range that is the piece: OUT, or RANGE itself.
 */
static struct memory_range *range_cut(struct enclave *e, struct memory_range *range,
				      const struct change_piece *piece, struct memory_range *out,
				      struct memory_range *rest)
{
	u64 before = piece->base - range->base;
	u64 behind = range->size - before - piece->size;
	unsigned long flags;

	if (!before && !behind)
		return range;
	spin_lock_irqsave(&e->lock, flags);
	*out = *range;
	out->base = piece->base;
	out->size = piece->size;
	if (before && behind) {
		*rest = *range;
		rest->base = piece->base + piece->size;
		rest->size = behind;
		list_add(&rest->link, &range->link);
		e->range_count++;
	}
	if (before) {
		range->size = before;
	} else {
		range->base += piece->size;
		range->size = behind;
	}
	/* As if it had been one of the enclave's all the time. */
	list_add_tail(&out->link, &range->link);
	e->range_count++;
	spin_unlock_irqrestore(&e->lock, flags);
	return out;
}

static int piece_take(struct enclave *e, const struct change_piece *piece, struct list_head *to)
{
	struct memory_range *out = kzalloc(sizeof(*out), GFP_KERNEL | __GFP_NOFAIL);
	struct memory_range *rest = kzalloc(sizeof(*rest), GFP_KERNEL | __GFP_NOFAIL);
	struct memory_range *range, *taken = NULL;

	list_for_each_entry(range, &e->ranges, link)
		if (piece->base - range->base < range->size && piece->base >= range->base)
			break;
	/* It was checked; but who gives Linux memory that is in use had better check twice. */
	if (WARN_ON_ONCE(list_entry_is_head(range, &e->ranges, link))) {
		kfree(out);
		kfree(rest);
		return -EINVAL;
	}
	memory_hide(range);
	taken = range_cut(e, range, piece, out, rest);
	range_remove(e, taken, to);
	if (taken != range)
		memory_show(range, e->resource_name);
	else
		kfree(out);
	if (rest->size)
		memory_show(rest, e->resource_name);
	else
		kfree(rest);
	return 0;
}

int resize_remove_memory(struct enclave *e, struct pisces_remove_memory *request)
{
	struct change_piece *pieces;
	LIST_HEAD(back);
	size_t i, count;
	int ret;

	request->available = 0;
	if (request->unused || !request->size || request->size % PISCES_MEMORY_ALIGN ||
	    request->node >= PISCES_MAX_NODES)
		return -EINVAL;
	ret = enclave_check_running(e);
	if (ret)
		return ret;
	ret = change_ask_memory(e, request->size, request->node, &pieces, &count,
				&request->available);
	if (ret)
		return ret;
	for (i = 0; i < count && !ret; i++)
		ret = piece_take(e, &pieces[i], &back);
	kvfree(pieces);
	memory_return(&back);
	if (!ret)
		enclave_info(e, "has given %llu MiB back\n", request->size >> 20);
	return ret;
}
