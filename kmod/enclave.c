// SPDX-License-Identifier: GPL-2.0-or-later
/* An enclave: its birth, references, and the list of all. Its end is in ending.c. */

#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "enclave.h"
#include "memory.h"

struct workqueue_struct *enclaves_queue;

static LIST_HEAD(enclaves);
static LIST_HEAD(enclaves_gone); /* the latest is last; each with a reference */
static DEFINE_SPINLOCK(enclaves_lock); /* of the lists; outside of an enclave's lock; irqs off */
static unsigned int enclaves_count, enclaves_gone_count;
static u32 enclaves_last_number;

int enclaves_init(void)
{
	enclaves_queue = alloc_workqueue("pisces", WQ_UNBOUND, 0);
	return enclaves_queue ? 0 : -ENOMEM;
}

void enclaves_exit(void)
{
	struct enclave *e, *next;

	destroy_workqueue(enclaves_queue);
	/* Nobody has a descriptor of theirs any more: the module could not go. */
	list_for_each_entry_safe(e, next, &enclaves_gone, link)
		enclave_put(e);
}

/* ---- references and the list ---- */

void enclave_get(struct enclave *e)
{
	refcount_inc(&e->references);
}

static void enclave_free(struct enclave *e)
{
	console_exit(&e->console);
	kvfree(e->registers);
	kvfree(e->tasks);
	kvfree(e->cpus);
	kfree(e);
}

void enclave_put(struct enclave *e)
{
	if (refcount_dec_and_test(&e->references))
		enclave_free(e);
}

static struct enclave *find_in(struct list_head *list, u32 number)
{
	struct enclave *e;

	list_for_each_entry(e, list, link)
		if (e->number == number) {
			enclave_get(e);
			return e;
		}
	return NULL;
}

struct enclave *enclave_find(u32 number)
{
	struct enclave *found;
	unsigned long flags;

	spin_lock_irqsave(&enclaves_lock, flags);
	found = find_in(&enclaves, number);
	spin_unlock_irqrestore(&enclaves_lock, flags);
	return found;
}

struct enclave *enclave_find_any(u32 number)
{
	struct enclave *found;
	unsigned long flags;

	spin_lock_irqsave(&enclaves_lock, flags);
	found = find_in(&enclaves, number) ?: find_in(&enclaves_gone, number);
	spin_unlock_irqrestore(&enclaves_lock, flags);
	return found;
}

static u32 list_append(struct list_head *list, u32 *numbers, u32 capacity, u32 count)
{
	struct enclave *e;

	list_for_each_entry(e, list, link) {
		if (count < capacity)
			numbers[count] = e->number;
		count++;
	}
	return count;
}

u32 enclave_list(u32 *numbers, u32 capacity, bool gone)
{
	unsigned long flags;
	u32 count = 0;

	spin_lock_irqsave(&enclaves_lock, flags);
	if (gone)
		count = list_append(&enclaves_gone, numbers, capacity, count);
	count = list_append(&enclaves, numbers, capacity, count);
	spin_unlock_irqrestore(&enclaves_lock, flags);
	return count;
}

void enclave_remove(struct enclave *e)
{
	struct enclave *forgotten = NULL;
	unsigned long flags;

	spin_lock_irqsave(&enclaves_lock, flags);
	list_del(&e->link);
	enclaves_count--;
	spin_lock(&e->lock);
	WRITE_ONCE(e->state, PISCES_ENCLAVE_GONE);
	spin_unlock(&e->lock);
	if (e->reason[0]) {
		enclave_get(e);
		list_add_tail(&e->link, &enclaves_gone);
		if (++enclaves_gone_count > ENCLAVES_GONE_MAX) {
			forgotten = list_first_entry(&enclaves_gone, struct enclave, link);
			list_del(&forgotten->link);
			enclaves_gone_count--;
		}
	}
	spin_unlock_irqrestore(&enclaves_lock, flags);
	if (forgotten)
		enclave_put(forgotten);
}

void enclaves_visit(void (*visit)(struct enclave *e), bool lock)
{
	struct enclave *e;
	unsigned long flags = 0;

	if (lock)
		spin_lock_irqsave(&enclaves_lock, flags);
	list_for_each_entry(e, &enclaves, link)
		visit(e);
	if (lock)
		spin_unlock_irqrestore(&enclaves_lock, flags);
}

bool enclaves_hold_cpus(void)
{
	struct enclave *e;
	unsigned long flags;
	bool any = false;

	spin_lock_irqsave(&enclaves_lock, flags);
	list_for_each_entry(e, &enclaves, link)
		any |= READ_ONCE(e->cpu_count) != 0;
	spin_unlock_irqrestore(&enclaves_lock, flags);
	return any;
}

/* ---- birth ---- */

static void enclave_name(struct enclave *e, const char *name)
{
	size_t used;

	if (name[0])
		strscpy(e->name, name, sizeof(e->name));
	else
		snprintf(e->name, sizeof(e->name), "%u", e->number);
	used = scnprintf(e->label, sizeof(e->label), "%s", name[0] ? e->name : "no name");
	if (e->job)
		snprintf(e->label + used, sizeof(e->label) - used, ", job %u.%u", e->job, e->step);
	snprintf(e->resource_name, sizeof(e->resource_name), "pisces enclave %u", e->number);
}

/* Gives it its number and its name, "" for none, and shows it to the world. */
static int enclave_insert(struct enclave *e, const char *name)
{
	unsigned long flags;
	int ret = -ENOSPC;

	spin_lock_irqsave(&enclaves_lock, flags);
	if (enclaves_count < ENCLAVES_MAX) {
		e->number = ++enclaves_last_number;
		enclave_name(e, name);
		list_add_tail(&e->link, &enclaves);
		enclaves_count++;
		ret = 0;
	}
	spin_unlock_irqrestore(&enclaves_lock, flags);
	return ret;
}

struct enclave *enclave_create(const struct pisces_create *request)
{
	struct enclave *e = kzalloc(sizeof(*e), GFP_KERNEL);
	int ret = -ENOMEM;

	if (!e)
		return ERR_PTR(-ENOMEM);
	refcount_set(&e->references, 1);
	mutex_init(&e->mutex);
	spin_lock_init(&e->lock);
	spin_lock_init(&e->drain);
	init_rwsem(&e->shared_sem);
	init_waitqueue_head(&e->changed);
	INIT_LIST_HEAD(&e->ranges);
	INIT_DELAYED_WORK(&e->silence_work, enclave_silence_work);
	watch_init(e);
	INIT_WORK(&e->end_work, enclave_end_work);
	e->state = PISCES_ENCLAVE_NEW;
	e->job = request->job;
	e->step = request->step;
	e->uid = request->uid;
	e->owner_pid = task_tgid_nr(current);
	e->created_ns = ktime_get_ns();

	e->cpus = kvcalloc(PISCES_MAX_CPUS, sizeof(*e->cpus), GFP_KERNEL);
	e->tasks = kvcalloc(PISCES_MAX_TASKS, sizeof(*e->tasks), GFP_KERNEL);
	if (!e->cpus || !e->tasks || console_init(&e->console))
		goto free;
	ret = enclave_insert(e, request->name);
	if (ret)
		goto free;
	return e;

free:
	enclave_free(e);
	return ERR_PTR(ret);
}

/* ---- looking at it ---- */

int enclave_check_running(const struct enclave *e)
{
	switch (enclave_state(e)) {
	case PISCES_ENCLAVE_RUNNING:
		return 0;
	case PISCES_ENCLAVE_DEAD:
	case PISCES_ENCLAVE_ENDING:
	case PISCES_ENCLAVE_GONE:
		return -ESHUTDOWN;
	default:
		return -EBUSY;
	}
}

u64 enclave_memory(const struct enclave *e)
{
	const struct memory_range *range;
	u64 bytes = 0;

	list_for_each_entry(range, &e->ranges, link)
		bytes += range->size;
	return bytes;
}

void enclave_describe(struct enclave *e, struct pisces_info *info)
{
	struct memory_range *range;
	unsigned long flags;
	unsigned int i;

	memset(info, 0, sizeof(*info));
	info->enclave = e->number;
	info->job = e->job;
	info->step = e->step;
	info->uid = e->uid;
	info->owner_pid = e->owner_pid;
	info->age_ns = ktime_get_ns() - e->created_ns;
	info->irq = READ_ONCE(e->bell.irq);

	spin_lock_irqsave(&e->lock, flags);
	memcpy(info->name, e->name, sizeof(info->name));
	memcpy(info->reason, e->reason, sizeof(info->reason));
	/* It may still park itself, which is no concern of who looks. */
	info->state = e->ending && e->state < PISCES_ENCLAVE_ENDING ? PISCES_ENCLAVE_ENDING :
								      e->state;
	info->silent_ns = e->watch.silent_ns;
	info->tasks = e->task_count;
	for (i = 0; i < e->cpu_count; i++) {
		u32 cpu = e->cpus[i].linux_cpu;

		if (e->cpus[i].left || e->cpus[i].back)
			continue;
		info->cpu_count++;
		if (cpu < PISCES_MAX_CPUS)
			info->cpus[cpu / 64] |= 1ull << cpu % 64;
	}
	list_for_each_entry(range, &e->ranges, link) {
		if (info->range_count < PISCES_INFO_RANGES)
			info->ranges[info->range_count] = (struct pisces_range_info){
				.base = range->base,
				.size = range->size,
				.node = range->node,
				.way = range->way,
			};
		info->range_count++;
		info->memory += range->size;
		if (range->node >= PISCES_MAX_NODES)
			continue;
		info->node_memory[range->node] += range->size;
		if (range->way != PISCES_MEMORY_CONTIG)
			info->node_blocks[range->node] += range->size;
	}
	spin_unlock_irqrestore(&e->lock, flags);
}
