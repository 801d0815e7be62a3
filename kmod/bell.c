// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The doorbell. A co-kernel rings Linux by an ordinary interrupt vector of the
 * x86 vector domain, on one CPU of Linux; what it has to say is in the rings.
 *
 * The co-kernel is told the CPU's physical APIC id and not the destination that
 * Linux has computed for devices, which may be a logical one.
 *
 * When that CPU of Linux goes offline another one takes over. The new place is
 * published first and the rings are read after that: a co-kernel writes its
 * message before it looks where to ring, so either it rings the new place or its
 * message is there to be read.
 */

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/topology.h>
#include <asm/hw_irq.h>
#include <asm/irqdomain.h>

#include "apic.h"
#include "control.h"
#include "enclave.h"
#include "task.h"

/* Messages that one interrupt, or one turn of the work, reads: enough for a sane peer's burst. */
#define BUDGET 256u

/* Interrupts per second without any message, from which on a co-kernel is mad. */
#define VAIN_MAX 200000u

/* How long an interrupt that has been replaced still exists. */
#define BELL_GRACE_MS 10

static DEFINE_MUTEX(bells_mutex); /* of the list, and of where each bell rings */
static LIST_HEAD(bells);

/* Reads what there is, within the budget. *VAIN: nothing that is new. True if there is more. */
static bool bell_answer(struct enclave *e, bool *vain)
{
	unsigned int budget = BUDGET;
	unsigned long flags;
	bool more, tasks;

	spin_lock_irqsave(&e->drain, flags);
	tasks = tasks_answer(e);
	more = console_drain(e, &budget);
	more |= control_drain(e, &budget);
	spin_unlock_irqrestore(&e->drain, flags);
	*vain = !tasks && budget == BUDGET;
	return more;
}

static void bell_answer_work(struct work_struct *work)
{
	struct enclave *e = container_of(to_delayed_work(work), struct enclave, bell.answer_work);
	bool vain;

	/* A turn each jiffy: a co-kernel that never stops talking gets no more of Linux. */
	if (bell_answer(e, &vain))
		queue_delayed_work(enclaves_queue, &e->bell.answer_work, 1);
}

/*
 * One that rings without end is stopped: Linux would do nothing else. Rings that
 * came while the previous one was answered are in vain too, but not so many.
 */
static void bell_count_vain(struct enclave *e)
{
	struct bell *bell = &e->bell;

	if (time_after(jiffies, bell->window + HZ)) {
		bell->window = jiffies;
		bell->vain = 0;
	}
	if (++bell->vain == VAIN_MAX)
		enclave_die(e, true, "the co-kernel rang Linux without end and for nothing");
}

static irqreturn_t bell_interrupt(int irq, void *data)
{
	struct enclave *e = data;
	bool vain;

	if (bell_answer(e, &vain))
		queue_delayed_work(enclaves_queue, &e->bell.answer_work, 0);
	if (vain)
		bell_count_vain(e);
	return IRQ_HANDLED;
}

void bell_drain(struct enclave *e)
{
	unsigned int rounds;
	bool vain;

	/* Its rings hold no more than this, whatever their indices say. */
	for (rounds = 0; rounds < 2 * PISCES_RING_MAX_SLOTS / BUDGET; rounds++)
		if (!bell_answer(e, &vain))
			break;
}

void bell_ring_locked(struct enclave *e, u32 cpu)
{
	lockdep_assert_held(&e->lock);
	if (cpu < e->cpu_count && !e->cpus[cpu].left)
		apic_send_vector(e->cpus[cpu].apic_id, PISCES_BELL_VECTOR);
}

/* Tells the co-kernel where to ring: physical APIC id << 32 | vector. */
static void bell_publish(struct enclave *e)
{
	struct bell *bell = &e->bell;
	struct irq_data *data = irq_get_irq_data(bell->irq);
	unsigned int cpu = cpumask_first(irq_data_get_effective_affinity_mask(data));
	struct irq_cfg *cfg = irqd_cfg(data);
	u64 place;

	if (cpu >= nr_cpu_ids || !cfg)
		return;
	bell->cpu = cpu;
	place = (u64)per_cpu(x86_cpu_to_apicid, cpu) << 32 | cfg->vector;
	if (place == READ_ONCE(e->shared.boot->linux_bell))
		return;
	WRITE_ONCE(e->shared.boot->linux_bell, place);
	smp_mb(); /* see the top of this file */
	mod_delayed_work(enclaves_queue, &bell->answer_work, 0);
}

void bells_publish(void)
{
	struct bell *bell;

	mutex_lock(&bells_mutex);
	list_for_each_entry(bell, &bells, link)
		bell_publish(container_of(bell, struct enclave, bell));
	mutex_unlock(&bells_mutex);
}

/* Bells that ring on CPU. */
static unsigned int bells_on(unsigned int cpu)
{
	struct bell *bell;
	unsigned int count = 0;

	list_for_each_entry(bell, &bells, link)
		count += bell->cpu == cpu;
	return count;
}

/* The CPU of MASK, but NOT_THIS, that answers the fewest bells; nr_cpu_ids if there is none. */
static unsigned int bell_choose_from(const struct cpumask *mask, unsigned int not_this)
{
	unsigned int cpu, least = UINT_MAX, best = nr_cpu_ids;

	for_each_cpu_and(cpu, mask, cpu_online_mask) {
		unsigned int count = bells_on(cpu);

		if (cpu != not_this && count < least) {
			least = count;
			best = cpu;
		}
	}
	return best;
}

/* The same, near NODE if there is one. */
static unsigned int bell_choose_cpu(int node, unsigned int not_this)
{
	unsigned int cpu = bell_choose_from(cpumask_of_node(node), not_this);

	return cpu < nr_cpu_ids ? cpu : bell_choose_from(cpu_online_mask, not_this);
}

/* An interrupt on CPU for the bell. Its number, or -errno. */
static int bell_irq_create(struct enclave *e, unsigned int cpu)
{
	struct irq_alloc_info info;
	int irq, ret;

	memset(&info, 0, sizeof(info));
	info.mask = cpumask_of(cpu);
	irq = __irq_domain_alloc_irqs(x86_vector_domain, -1, 1, NUMA_NO_NODE, &info, false, NULL);
	if (irq <= 0)
		return irq ?: -ENOSPC;
	irq_set_handler(irq, handle_edge_irq);
	ret = request_irq(irq, bell_interrupt, IRQF_NOBALANCING, e->bell.irq_name, e);
	if (ret) {
		irq_dispose_mapping(irq);
		return ret;
	}
	return irq;
}

static void bell_irq_destroy(struct enclave *e, unsigned int irq)
{
	free_irq(irq, e);
	irq_dispose_mapping(irq);
}

/*
 * Each bell that rings on this CPU gets an interrupt elsewhere, and the old one
 * goes. Not by moving it: Linux completes a move only when the interrupt comes
 * the next time, and complains if the CPU goes before that.
 */
void bells_leave_cpu(unsigned int cpu)
{
	struct bell *bell;
	bool any = false;

	mutex_lock(&bells_mutex);
	list_for_each_entry(bell, &bells, link) {
		struct enclave *e = container_of(bell, struct enclave, bell);
		unsigned int to;
		int irq;

		bell->old_irq = 0;
		if (bell->cpu != cpu)
			continue;
		to = bell_choose_cpu(e->cpus[0].node, cpu);
		irq = to < nr_cpu_ids ? bell_irq_create(e, to) : -ENODEV;
		/* Then Linux moves it when the CPU has gone, and bells_publish() sees that. */
		if (irq < 0)
			continue;
		bell->old_irq = bell->irq;
		bell->irq = irq;
		bell_publish(e);
		any = true;
	}
	/* For co-kernels that have looked where to ring and are about to. */
	if (any)
		msleep(BELL_GRACE_MS);
	list_for_each_entry(bell, &bells, link) {
		struct enclave *e = container_of(bell, struct enclave, bell);

		if (bell->old_irq)
			bell_irq_destroy(e, bell->old_irq);
		bell->old_irq = 0;
	}
	mutex_unlock(&bells_mutex);
}

int bell_create(struct enclave *e, int node)
{
	struct bell *bell = &e->bell;
	int irq;

	snprintf(bell->irq_name, sizeof(bell->irq_name), "pisces-%s", e->name);
	INIT_DELAYED_WORK(&bell->answer_work, bell_answer_work);
	bell->window = jiffies;
	bell->vain = 0;

	mutex_lock(&bells_mutex);
	irq = bell_irq_create(e, bell_choose_cpu(node, nr_cpu_ids));
	if (irq > 0) {
		bell->irq = irq;
		bell_publish(e);
		list_add(&bell->link, &bells);
	}
	mutex_unlock(&bells_mutex);
	return irq > 0 ? 0 : irq;
}

void bell_destroy(struct enclave *e)
{
	struct bell *bell = &e->bell;

	if (!bell->irq)
		return;
	mutex_lock(&bells_mutex);
	list_del(&bell->link);
	mutex_unlock(&bells_mutex);
	bell_irq_destroy(e, bell->irq);
	cancel_delayed_work_sync(&bell->answer_work);
	bell->irq = 0;
}
