// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A program in an enclave uses CPUs and memory that Linux does not see, and its proxy,
 * which is what Linux sees, sleeps. Whoever asks Linux what the program has used (Slurm,
 * time(1), top) asks about the proxy: so it is charged with it.
 *
 * CPU time as that of threads of the proxy that have ended, which is where Linux keeps
 * what is no living thread's: it is in getrusage(2) and wait4(2), in /proc/PID/stat, in
 * times(2). Not in a cgroup's cpu.stat, which no module can add to.
 *
 * Memory as anonymous pages of the address space that maps the channel. It is taken off
 * before that goes, so that Linux's own count is right in the end. The OOM killer sees
 * it too: who starts a proxy makes up for that (libpisces, oom.c).
 *
 * What a co-kernel says is not believed beyond what can be: its tasks together have at
 * most the time of its CPUs, from its boot on, and each of them at most its memory.
 */

#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <asm/msr.h>

#include "compat.h"
#include "enclave.h"
#include "task.h"
#include "usage.h"

static bool charge_memory = true;
module_param(charge_memory, bool, 0644);
MODULE_PARM_DESC(charge_memory, "the memory of a program counts as its proxy's");

static unsigned int usage_cpus(const struct enclave *e)
{
	unsigned int i, count = 0;

	for (i = 0; i < e->cpu_count; i++)
		count += !e->cpus[i].left;
	return count;
}

void usage_begin_locked(struct enclave *e)
{
	lockdep_assert_held(&e->lock);
	/* Our own copy: the co-kernel may write to the other one. */
	e->usage.tsc_khz = e->shared.boot->tsc_khz;
	e->usage.looked_ns = ktime_get_ns();
	e->usage.budget_ns = 0;
	e->usage.cpus = usage_cpus(e);
}

void usage_clear_locked(struct enclave *e, u32 id)
{
	lockdep_assert_held(&e->lock);
	memset(&e->shared.usage[id], 0, sizeof(e->shared.usage[id]));
}

void usage_started_locked(struct task *task)
{
	lockdep_assert_held(&task->enclave->lock);
	task->bill.proxy = get_task_struct(current->group_leader);
}

/* ---- CPU time ---- */

/* Time went by: it could all have been used. */
static void usage_earn(struct enclave *e)
{
	struct usage *usage = &e->usage;
	u64 now = ktime_get_ns();
	unsigned int cpus = usage_cpus(e);
	/* Of CPUs that came or went in between, as many as it can have been. */
	u64 more = (now - usage->looked_ns) * max(cpus, usage->cpus);

	if (check_add_overflow(usage->budget_ns, more, &usage->budget_ns))
		usage->budget_ns = U64_MAX;
	usage->looked_ns = now;
	usage->cpus = cpus;
}

/* Wraps where no TSC can be; never a division that traps, as that of 128 bits by 64 does. */
static u64 usage_ns(const struct enclave *e, u64 ticks)
{
	u64 rest, ms = div64_u64_rem(ticks, e->usage.tsc_khz, &rest);

	return ms * NSEC_PER_MSEC + div64_u64(rest * NSEC_PER_MSEC, e->usage.tsc_khz);
}

/* What CPU I says that a task has had it for, up to now. The co-kernel may say anything. */
static void usage_add_running(struct enclave *e, unsigned int i)
{
	u64 running = READ_ONCE(e->shared.status->cpu[i].running);
	u32 id = pisces_running_task(running);
	u64 since = pisces_running_since(running);
	u64 now = rdtsc_ordered();

	if (id >= PISCES_MAX_TASKS || !e->tasks[id] || now <= since)
		return;
	e->tasks[id]->bill.found_ns += usage_ns(e, now - since);
}

static void usage_charge_time(struct enclave *e, struct bill *bill)
{
	u64 more;

	if (bill->found_ns <= bill->charged_ns)
		return;
	more = min(bill->found_ns - bill->charged_ns, e->usage.budget_ns);
	e->usage.budget_ns -= more;
	bill->charged_ns += more;
	compat_charge_time(bill->proxy->signal, more);
}

/* ---- memory ---- */

static void usage_charge_pages(struct bill *bill, u64 pages)
{
	if (!bill->mm || pages == bill->pages)
		return;
	if (pages < bill->pages)
		update_hiwater_rss(bill->mm);
	compat_charge_pages(bill->mm, (long)(pages - bill->pages));
	bill->pages = pages;
}

/* What it had between two looks, Linux has not seen: its high-water mark is told. */
static void usage_raise_mark(struct bill *bill)
{
	unsigned long mark;

	if (!bill->mm || bill->peak <= bill->pages)
		return;
	mark = get_mm_rss(bill->mm) + (bill->peak - bill->pages);
	if (mark > READ_ONCE(bill->mm->hiwater_rss))
		WRITE_ONCE(bill->mm->hiwater_rss, mark);
}

static void usage_charge_memory(struct bill *bill, const struct pisces_task_usage *told,
				u64 most_bytes)
{
	u64 most = READ_ONCE(charge_memory) ? most_bytes >> PAGE_SHIFT : 0;

	bill->peak = max(bill->peak, min(READ_ONCE(told->peak) >> PAGE_SHIFT, most));
	usage_charge_pages(bill, min(READ_ONCE(told->resident) >> PAGE_SHIFT, most));
	usage_raise_mark(bill);
}

void usage_mapped(struct task *task, struct mm_struct *mm)
{
	struct bill *bill = &task->bill;
	unsigned long flags;

	spin_lock_irqsave(&task->enclave->lock, flags);
	if (!bill->mm)
		bill->mm = mm;
	bill->mappings += bill->mm == mm;
	spin_unlock_irqrestore(&task->enclave->lock, flags);
}

void usage_unmapped(struct task *task, struct mm_struct *mm)
{
	struct bill *bill = &task->bill;
	unsigned long flags;

	spin_lock_irqsave(&task->enclave->lock, flags);
	if (bill->mm == mm && --bill->mappings == 0) {
		usage_charge_pages(bill, 0);
		bill->mm = NULL;
	}
	spin_unlock_irqrestore(&task->enclave->lock, flags);
}

/* ---- looking ---- */

static bool usage_has(const struct task *task)
{
	return task && task->bill.proxy;
}

void usage_look_locked(struct enclave *e)
{
	u64 memory;
	unsigned int i;

	lockdep_assert_held(&e->lock);
	if (e->state != PISCES_ENCLAVE_RUNNING)
		return;
	usage_earn(e);
	if (!e->task_count)
		return;
	memory = enclave_memory(e);
	for (i = 0; i < PISCES_MAX_TASKS; i++)
		if (e->tasks[i])
			e->tasks[i]->bill.found_ns = READ_ONCE(e->shared.usage[i].cpu_ns);
	/* Stretches that are over before those that go on: see struct pisces_task_usage. */
	smp_rmb();
	for (i = 0; i < e->cpu_count; i++)
		if (!e->cpus[i].left)
			usage_add_running(e, i);
	for (i = 0; i < PISCES_MAX_TASKS; i++) {
		if (!usage_has(e->tasks[i]))
			continue;
		usage_charge_time(e, &e->tasks[i]->bill);
		usage_charge_memory(&e->tasks[i]->bill, &e->shared.usage[i], memory);
	}
}

void usage_closed_locked(struct task *task)
{
	struct bill *bill = &task->bill;

	lockdep_assert_held(&task->enclave->lock);
	usage_look_locked(task->enclave);
	/* Its address space is gone by now, and with it the most that this has had. */
	if (bill->proxy && bill->peak > bill->proxy->signal->maxrss)
		WRITE_ONCE(bill->proxy->signal->maxrss, bill->peak);
}

void usage_free(struct task *task)
{
	if (task->bill.proxy)
		put_task_struct(task->bill.proxy);
}
