// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The registers of an enclave's CPUs. The co-kernel's NMI handler stores them in the
 * shared area when the status asks for a snapshot that it has not served, and goes on.
 */

#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "apic.h"
#include "enclave.h"
#include "snapshot.h"

/* What PISCES_IOC_SNAPSHOT waits. */
#define SNAPSHOT_MS 1000

static DEFINE_MUTEX(snapshot_mutex); /* outside of all locks of an enclave */

/*
 * Only CPUs that have their own exception handlers by now: one that is on its way into
 * the co-kernel would be reset by an NMI, and Linux with it.
 */
static bool snapshot_concerns(struct enclave *e, unsigned int i)
{
	u32 state = READ_ONCE(e->shared.status->cpu[i].state);

	return !e->cpus[i].left && (state == PISCES_CPU_IDLE || state == PISCES_CPU_USER ||
				    state == PISCES_CPU_KERNEL);
}

/* The number of the snapshot, or 0 if nobody was asked. */
static u64 snapshot_ask(struct enclave *e)
{
	unsigned long flags;
	u64 number = 0;
	unsigned int i;

	spin_lock_irqsave(&e->lock, flags);
	if (e->state == PISCES_ENCLAVE_RUNNING) {
		number = ++e->snapshot;
		WRITE_ONCE(e->shared.status->snapshot, number);
		smp_mb(); /* the x2APIC's register does not wait for it */
		for (i = 0; i < e->cpu_count; i++)
			if (snapshot_concerns(e, i))
				apic_send_nmi(e->cpus[i].apic_id);
	}
	spin_unlock_irqrestore(&e->lock, flags);
	return number;
}

/* Have all CPUs stored this snapshot or a later one, such as that of their death? */
static bool snapshot_is_complete(struct enclave *e, u64 number)
{
	bool complete = true;
	unsigned int i;

	down_read(&e->shared_sem);
	for (i = 0; e->shared.registers && i < READ_ONCE(e->cpu_count); i++)
		if (snapshot_concerns(e, i) &&
		    READ_ONCE(e->shared.registers[i].snapshot) < number)
			complete = false;
	up_read(&e->shared_sem);
	return complete;
}

void snapshot_take(struct enclave *e, unsigned int ms)
{
	ktime_t limit = ktime_add_ms(ktime_get(), ms);
	u64 number = snapshot_ask(e);

	while (number && !snapshot_is_complete(e, number) && ktime_before(ktime_get(), limit))
		usleep_range(100, 500);
}

/* A CPU that stores the next snapshot meanwhile would mix the two. */
static void snapshot_copy_one(struct pisces_registers *to, const struct pisces_registers *from)
{
	unsigned int tries;

	for (tries = 0; tries < 100; tries++) {
		u64 number = smp_load_acquire(&from->snapshot);

		memcpy(to, from, sizeof(*to));
		smp_rmb();
		to->snapshot = number;
		if (number == READ_ONCE(from->snapshot))
			return;
		cpu_relax();
	}
	to->snapshot = 0;
}

/*
 * A copy of what there is, kvfree() it, and in *COUNT of how many CPUs. NULL with
 * *COUNT: no memory; NULL and 0: nothing is there.
 */
static struct pisces_registers *snapshot_copy(struct enclave *e, unsigned int *count)
{
	struct pisces_registers *copy = NULL;
	unsigned int i;

	*count = 0;
	down_read(&e->shared_sem);
	if (e->shared.registers) {
		*count = min(READ_ONCE(e->cpu_count), e->shared.cpu_capacity);
		copy = kvcalloc(*count, sizeof(*copy), GFP_KERNEL);
		for (i = 0; copy && i < *count; i++)
			snapshot_copy_one(&copy[i], &e->shared.registers[i]);
	} else if (e->registers) {
		*count = e->registers_count;
		copy = kvmalloc_array(*count, sizeof(*copy), GFP_KERNEL);
		if (copy)
			memcpy(copy, e->registers, *count * sizeof(*copy));
	}
	up_read(&e->shared_sem);
	return copy;
}

void snapshot_keep(struct enclave *e)
{
	unsigned int count;

	if (e->reason[0]) {
		struct pisces_registers *copy = snapshot_copy(e, &count);

		down_write(&e->shared_sem);
		e->registers = copy;
		e->registers_count = copy ? count : 0;
		up_write(&e->shared_sem);
	}
}

int snapshot_read(struct enclave *e, u32 *count, void __user *buffer)
{
	struct pisces_registers *copy;
	unsigned int there, stored;
	int ret;

	/* One at a time: the next one would take away what this one has come for. */
	ret = mutex_lock_killable(&snapshot_mutex);
	if (ret)
		return ret;
	snapshot_take(e, SNAPSHOT_MS);
	copy = snapshot_copy(e, &there);
	mutex_unlock(&snapshot_mutex);
	if (!copy)
		return there ? -ENOMEM : enclave_is_over(e) ? -ESHUTDOWN : -EBUSY;
	/* It has ended without dying: nobody was asked, and what is there is old. */
	if (enclave_is_over(e) && !e->reason[0]) {
		kvfree(copy);
		return -ESHUTDOWN;
	}
	stored = min(*count, there);
	if (copy_to_user(buffer, copy, stored * sizeof(*copy)))
		ret = -EFAULT;
	*count = there;
	kvfree(copy);
	return ret;
}
