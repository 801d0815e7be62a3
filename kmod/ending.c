// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The end of an enclave: the death of its co-kernel, and the way of all that it
 * has back to Linux.
 */

#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "apic.h"
#include "block.h"
#include "control.h"
#include "enclave.h"
#include "memory.h"
#include "notes.h"
#include "reclaim.h"
#include "shared.h"
#include "snapshot.h"
#include "task.h"

/* How long a co-kernel may take to park itself before it is stopped the hard way. */
#define STOP_WAIT_MS 100

/* How long a co-kernel that has panicked may go on to say why. */
#define LAST_WORDS_MS 100

/* ---- death ---- */

/* No lock is asked for: a panicking Linux comes here too. */
static void enclave_silence(struct enclave *e)
{
	unsigned int i;

	for (i = 0; e->launched && i < e->cpu_count; i++)
		if (!e->cpus[i].left)
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
void enclave_silence_work(struct work_struct *work)
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

static void enclave_panic(struct enclave *e)
{
	if (enclave_state(e) != PISCES_ENCLAVE_ENDING)
		enclave_silence(e);
}

static void enclave_go_down(struct enclave *e)
{
	unsigned long flags;

	spin_lock_irqsave(&e->lock, flags);
	enclave_die_locked(e, true, "Linux went down");
	if (e->state == PISCES_ENCLAVE_DEAD)
		enclave_silence_locked(e);
	spin_unlock_irqrestore(&e->lock, flags);
}

static bool going_down;

bool enclaves_are_silenced(void)
{
	return READ_ONCE(going_down);
}

void enclaves_silence_all(bool panic)
{
	/* Before the walk, which takes each enclave's lock: who boots later sees it there. */
	WRITE_ONCE(going_down, true);
	if (panic)
		enclaves_visit(enclave_panic, false);
	else
		enclaves_visit(enclave_go_down, true);
}

/* ---- the end ---- */

static bool enclave_has_parked(struct enclave *e)
{
	unsigned int i;

	for (i = 0; i < e->cpu_count; i++)
		if (!e->cpus[i].left &&
		    READ_ONCE(e->shared.status->cpu[i].state) != PISCES_CPU_PARKED)
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
	usage_look_locked(e);
	/* From here on nobody but this work sends an interrupt to these CPUs. */
	WRITE_ONCE(e->state, PISCES_ENCLAVE_ENDING);
	enclave_silence_locked(e);
	wake_up_all(&e->changed);
	tasks_wake_locked(e);
	spin_unlock_irqrestore(&e->lock, flags);
	flush_delayed_work(&e->silence_work);
	watch_stop(e);
}

/* True if Linux runs on all of its CPUs. */
static bool enclave_give_cpus_back(struct enclave *e, bool first_time)
{
	bool all = true;
	unsigned int i;

	for (i = 0; i < e->cpu_count; i++) {
		struct enclave_cpu *cpu = &e->cpus[i];

		/* One that has left was given back when it did. */
		if (!cpu->back)
			cpu->back = first_time && !cpu->left ? cpu_give_back(cpu) :
							       cpu_is_back(cpu);
		all &= cpu->back;
	}
	return all;
}

/* Its CPUs that have not left before: how many, and, unless NULL, which. */
static unsigned int enclave_cpus(const struct enclave *e, struct cpumask *cpus)
{
	unsigned int i, count = 0;

	for (i = 0; i < e->cpu_count; i++) {
		if (e->cpus[i].left)
			continue;
		count++;
		if (cpus)
			cpumask_set_cpu(e->cpus[i].linux_cpu, cpus);
	}
	return count;
}

/* Its CPUs are Linux's: nothing can write to its memory any more. */
static void enclave_give_memory_back(struct enclave *e)
{
	LIST_HEAD(ranges);
	cpumask_var_t mask;
	bool masked = zalloc_cpumask_var(&mask, GFP_KERNEL);
	unsigned long flags;
	unsigned int cpus;
	u64 bytes;

	if (e->shared.pages)
		bell_drain(e);
	bell_destroy(e);
	console_finish(e);
	tasks_finish(e);
	pagetable_destroy(&e->pagetable);
	snapshot_keep(e);
	shared_destroy(e);

	cpus = enclave_cpus(e, masked ? mask : NULL);
	bytes = enclave_memory(e);
	spin_lock_irqsave(&e->lock, flags);
	list_splice_init(&e->ranges, &ranges);
	e->range_count = 0;
	e->cpu_count = 0;
	spin_unlock_irqrestore(&e->lock, flags);
	memory_give_back(&ranges, masked ? mask : NULL);
	if (masked)
		free_cpumask_var(mask);
	blocks_forget(e->number);
	notes_release(e->number);
	if (cpus || bytes)
		enclave_info(e, "has ended: %u CPUs and %llu MiB are Linux's again\n", cpus,
			     bytes >> 20);
	enclave_remove(e);
	reclaim_start();
}

/*
 * Runs when the owner is gone; for an enclave in quarantine again whenever a
 * late CPU has come back. In a work and not in the process that closes the fd:
 * that one may have been killed, and bringing a CPU up makes kernel threads,
 * which a killed process cannot do.
 */
void enclave_end_work(struct work_struct *work)
{
	struct enclave *e = container_of(work, struct enclave, end_work);
	bool first_time = e->state != PISCES_ENCLAVE_ENDING;

	if (first_time) {
		/* A call on a handle may be at work. It knows of us, and waits for nothing more. */
		mutex_lock(&e->mutex);
		enclave_stop(e);
		mutex_unlock(&e->mutex);
	}
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
		/* Another CPU may have asked for one more turn before it was off the list. */
		cancel_work(&e->end_work);
		enclave_put(e);
		module_put(THIS_MODULE);
	}
}

void enclave_begin_end(struct enclave *e)
{
	unsigned long flags;
	bool begun;

	spin_lock_irqsave(&e->lock, flags);
	begun = e->ending;
	WRITE_ONCE(e->ending, true);
	spin_unlock_irqrestore(&e->lock, flags);
	if (begun)
		return;
	wake_up_all(&e->changed);
	queue_work(enclaves_queue, &e->end_work);
}

void enclave_end(struct enclave *e)
{
	enclave_begin_end(e);
	flush_work(&e->end_work);
}

static void enclave_cpu_returned(struct enclave *e)
{
	if (READ_ONCE(e->quarantined))
		queue_work(enclaves_queue, &e->end_work);
}

void enclaves_cpu_returned(void)
{
	smp_mb(); /* see enclave_end_work() */
	enclaves_visit(enclave_cpu_returned, true);
}
