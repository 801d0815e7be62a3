// SPDX-License-Identifier: GPL-2.0-or-later
/* The life of an enclave, and the list of all. */

#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "apic.h"
#include "control.h"
#include "enclave.h"
#include "memory.h"
#include "shared.h"
#include "task.h"

/* How long a co-kernel may take to park itself before it is stopped the hard way. */
#define STOP_WAIT_MS 100

/* How long a co-kernel that has panicked may go on to say why. */
#define LAST_WORDS_MS 100

struct workqueue_struct *enclaves_queue;

static LIST_HEAD(enclaves);
static DEFINE_SPINLOCK(enclaves_lock); /* of the list; outside of an enclave's lock; irqs off */
static unsigned int enclaves_count;
static u32 enclaves_last_number;

int enclaves_init(void)
{
	enclaves_queue = alloc_workqueue("pisces", WQ_UNBOUND, 0);
	return enclaves_queue ? 0 : -ENOMEM;
}

void enclaves_exit(void)
{
	destroy_workqueue(enclaves_queue);
}

/* ---- references and the list ---- */

void enclave_get(struct enclave *e)
{
	refcount_inc(&e->references);
}

static void enclave_free(struct enclave *e)
{
	console_exit(&e->console);
	kvfree(e->tasks);
	kvfree(e->cpus);
	kfree(e);
}

void enclave_put(struct enclave *e)
{
	if (refcount_dec_and_test(&e->references))
		enclave_free(e);
}

struct enclave *enclave_find(u32 number)
{
	struct enclave *e, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&enclaves_lock, flags);
	list_for_each_entry(e, &enclaves, link)
		if (e->number == number) {
			found = e;
			enclave_get(e);
			break;
		}
	spin_unlock_irqrestore(&enclaves_lock, flags);
	return found;
}

u32 enclave_list(u32 *numbers, u32 capacity)
{
	struct enclave *e;
	unsigned long flags;
	u32 count = 0;

	spin_lock_irqsave(&enclaves_lock, flags);
	list_for_each_entry(e, &enclaves, link) {
		if (count < capacity)
			numbers[count] = e->number;
		count++;
	}
	spin_unlock_irqrestore(&enclaves_lock, flags);
	return count;
}

static int enclave_insert(struct enclave *e)
{
	unsigned long flags;
	int ret = -ENOSPC;

	spin_lock_irqsave(&enclaves_lock, flags);
	if (enclaves_count < ENCLAVES_MAX) {
		e->number = ++enclaves_last_number;
		list_add_tail(&e->link, &enclaves);
		enclaves_count++;
		ret = 0;
	}
	spin_unlock_irqrestore(&enclaves_lock, flags);
	return ret;
}

static void enclave_remove(struct enclave *e)
{
	unsigned long flags;

	spin_lock_irqsave(&enclaves_lock, flags);
	list_del(&e->link);
	enclaves_count--;
	spin_unlock_irqrestore(&enclaves_lock, flags);
}

/* ---- birth ---- */

static void enclave_name(struct enclave *e, const struct pisces_create *request)
{
	size_t used;

	if (request->name[0])
		strscpy(e->name, request->name, sizeof(e->name));
	else
		snprintf(e->name, sizeof(e->name), "%u", e->number);
	used = scnprintf(e->label, sizeof(e->label), "%s",
			 request->name[0] ? e->name : "no name");
	if (e->job)
		snprintf(e->label + used, sizeof(e->label) - used, ", job %u.%u", e->job, e->step);
	snprintf(e->resource_name, sizeof(e->resource_name), "pisces enclave %u", e->number);
}

static void enclave_silence_work(struct work_struct *work);
static void enclave_end_work(struct work_struct *work);

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
	ret = enclave_insert(e);
	if (ret)
		goto free;
	enclave_name(e, request);
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
	info->state = e->state;
	info->tasks = e->task_count;
	info->cpu_count = e->cpu_count;
	for (i = 0; i < e->cpu_count; i++)
		if (e->cpus[i].linux_cpu < PISCES_MAX_CPUS)
			info->cpus[e->cpus[i].linux_cpu / 64] |= 1ull << e->cpus[i].linux_cpu % 64;
	list_for_each_entry(range, &e->ranges, link) {
		if (info->range_count < PISCES_INFO_RANGES)
			info->ranges[info->range_count] = (struct pisces_range_info){
				.base = range->base,
				.size = range->size,
				.node = range->node,
				.way = PISCES_MEMORY_CONTIG,
			};
		info->range_count++;
		info->memory += range->size;
	}
	spin_unlock_irqrestore(&e->lock, flags);
}

/* ---- death ---- */

/* No lock is asked for: a panicking Linux comes here too. */
static void enclave_silence(struct enclave *e)
{
	unsigned int i;

	for (i = 0; e->launched && i < e->cpu_count; i++)
		apic_send_init(e->cpus[i].apic_id);
}

void enclave_silence_locked(struct enclave *e)
{
	lockdep_assert_held(&e->lock);
	enclave_silence(e);
}

void enclave_die_locked(struct enclave *e, bool at_once, const char *reason)
{
	lockdep_assert_held(&e->lock);
	if (e->state != PISCES_ENCLAVE_BOOTING && e->state != PISCES_ENCLAVE_RUNNING)
		return;
	WRITE_ONCE(e->state, PISCES_ENCLAVE_DEAD);
	strscpy(e->reason, reason, sizeof(e->reason));
	if (at_once)
		enclave_silence_locked(e);
	wake_up_all(&e->changed);
	tasks_wake_locked(e);
	queue_delayed_work(enclaves_queue, &e->silence_work,
			   at_once ? 0 : msecs_to_jiffies(LAST_WORDS_MS));
}

void enclave_die(struct enclave *e, bool at_once, const char *reason)
{
	unsigned long flags;

	spin_lock_irqsave(&e->lock, flags);
	enclave_die_locked(e, at_once, reason);
	spin_unlock_irqrestore(&e->lock, flags);
}

/* What is left to do for a dead enclave, and not where it was found to be dead. */
static void enclave_silence_work(struct work_struct *work)
{
	struct enclave *e = container_of(to_delayed_work(work), struct enclave, silence_work);
	unsigned long flags;

	spin_lock_irqsave(&e->lock, flags);
	if (e->state == PISCES_ENCLAVE_DEAD)
		enclave_silence_locked(e);
	spin_unlock_irqrestore(&e->lock, flags);
	bell_drain(e);
	console_finish(e);
	enclave_err(e, "died: %s; its resources come back when its owner, process %d, closes it\n",
		    e->reason, e->owner_pid);
	console_dump(e);
}

void enclaves_silence_all(bool panic)
{
	unsigned long flags = 0;
	struct enclave *e;

	if (panic) {
		list_for_each_entry(e, &enclaves, link)
			if (enclave_state(e) != PISCES_ENCLAVE_ENDING)
				enclave_silence(e);
		return;
	}
	spin_lock_irqsave(&enclaves_lock, flags);
	list_for_each_entry(e, &enclaves, link) {
		spin_lock(&e->lock);
		enclave_die_locked(e, true, "Linux went down");
		if (e->state == PISCES_ENCLAVE_DEAD)
			enclave_silence_locked(e);
		spin_unlock(&e->lock);
	}
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

/* ---- the end ---- */

static bool enclave_has_parked(struct enclave *e)
{
	unsigned int i;

	for (i = 0; i < e->cpu_count; i++)
		if (READ_ONCE(e->shared.status->cpu[i].state) != PISCES_CPU_PARKED)
			return false;
	return true;
}

/* A courtesy: a co-kernel that parks itself has put its devices to rest. */
static void enclave_ask_to_stop(struct enclave *e)
{
	struct pisces_message stop = { .type = PISCES_MSG_STOP };
	ktime_t limit = ktime_add_ms(ktime_get(), STOP_WAIT_MS);
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&e->lock, flags);
	ret = control_send_locked(e, &stop, 1, true);
	spin_unlock_irqrestore(&e->lock, flags);
	while (!ret && !enclave_has_parked(e) && ktime_before(ktime_get(), limit))
		usleep_range(200, 500);
}

static void enclave_stop(struct enclave *e)
{
	unsigned long flags;

	if (e->state == PISCES_ENCLAVE_RUNNING)
		enclave_ask_to_stop(e);

	spin_lock_irqsave(&e->lock, flags);
	/* From here on nobody but this work sends an interrupt to these CPUs. */
	WRITE_ONCE(e->state, PISCES_ENCLAVE_ENDING);
	enclave_silence_locked(e);
	wake_up_all(&e->changed);
	tasks_wake_locked(e);
	spin_unlock_irqrestore(&e->lock, flags);
	flush_delayed_work(&e->silence_work);
}

/* True if Linux runs on all of its CPUs. */
static bool enclave_give_cpus_back(struct enclave *e, bool first_time)
{
	bool all = true;
	unsigned int i;

	for (i = 0; i < e->cpu_count; i++) {
		struct enclave_cpu *cpu = &e->cpus[i];

		if (!cpu->back)
			cpu->back = first_time ? cpu_give_back(cpu) : cpu_is_back(cpu);
		all &= cpu->back;
	}
	return all;
}

/* Its CPUs are Linux's: nothing can write to its memory any more. */
static void enclave_give_memory_back(struct enclave *e)
{
	LIST_HEAD(ranges);
	unsigned long flags;
	unsigned int cpus;
	u64 bytes;

	if (e->shared.pages)
		bell_drain(e);
	bell_destroy(e);
	console_finish(e);
	tasks_finish(e);
	pagetable_destroy(&e->pagetable);
	shared_destroy(e);

	bytes = enclave_memory(e);
	spin_lock_irqsave(&e->lock, flags);
	list_splice_init(&e->ranges, &ranges);
	e->range_count = 0;
	cpus = e->cpu_count;
	e->cpu_count = 0;
	spin_unlock_irqrestore(&e->lock, flags);
	memory_give_back(&ranges);
	if (cpus || bytes)
		enclave_info(e, "has ended: %u CPUs and %llu MiB are Linux's again\n", cpus,
			     bytes >> 20);
	enclave_remove(e);
}

/*
 * Runs when the owner is gone; for an enclave in quarantine again whenever a
 * late CPU has come back. In a work and not in the process that closes the fd:
 * that one may have been killed, and bringing a CPU up makes kernel threads,
 * which a killed process cannot do.
 */
static void enclave_end_work(struct work_struct *work)
{
	struct enclave *e = container_of(work, struct enclave, end_work);
	bool first_time = e->state != PISCES_ENCLAVE_ENDING;

	if (first_time)
		enclave_stop(e);
	if (!enclave_give_cpus_back(e, first_time)) {
		if (!first_time)
			return;
		/*
		 * A CPU that is not known to run Linux may run the co-kernel. Its
		 * memory, its channels and its interrupt stay out of use, and this
		 * module loaded, until somebody has brought the CPU back.
		 */
		enclave_err(e, "%llu MiB stay out of use until its CPUs are online again\n",
			    enclave_memory(e) >> 20);
		console_finish(e);
		enclave_get(e);
		__module_get(THIS_MODULE);
		WRITE_ONCE(e->quarantined, true);
		smp_mb(); /* either the CPU sees that, or we see the CPU */
		if (!enclave_give_cpus_back(e, false))
			return;
	}
	enclave_give_memory_back(e);
	if (e->quarantined) {
		enclave_put(e);
		module_put(THIS_MODULE);
	}
}

void enclave_end(struct enclave *e)
{
	queue_work(enclaves_queue, &e->end_work);
	flush_work(&e->end_work);
}

void enclaves_cpu_returned(void)
{
	struct enclave *e;
	unsigned long flags;

	smp_mb(); /* see enclave_end_work() */
	spin_lock_irqsave(&enclaves_lock, flags);
	list_for_each_entry(e, &enclaves, link)
		if (READ_ONCE(e->quarantined))
			queue_work(enclaves_queue, &e->end_work);
	spin_unlock_irqrestore(&enclaves_lock, flags);
}
