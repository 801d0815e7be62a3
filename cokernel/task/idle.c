/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CPU that has nothing to do halts, and who gives it a thread wakes it by an interrupt:
 * that takes longer than many a thread that waits for another one would have to wait. So,
 * where the last wait was that short, it looks for a thread for a while before it halts, and
 * is not kicked meanwhile.
 */
#include "arch/cpu.h"
#include "arch/time.h"
#include "arch/x86.h"
#include "boot/boot.h"
#include "channel/control.h"
#include "task/hotplug.h"
#include "task/run_queue.h"
#include "task/sched.h"

/*
 * For so long it looks, if the last wait was no longer: about twice what a halt and the kick
 * that ends it cost, so that whoever waits in vain for once loses no more than that.
 */
#define LINGER_US 100u

void idle_ends(struct run_queue *queue)
{
	queue->idled = time_now() - this_cpu()->idle->started_at;
}

void idle_linger(struct run_queue *queue)
{
	struct pisces_cpu_status *status = this_cpu()->status;
	uint64_t ticks = boot_block->tsc_khz * LINGER_US / 1000, start = rdtsc();
	uint64_t interrupts = status->interrupts;

	if (queue->idled > LINGER_US * 1000ull) {
		sched_use_aspace(NULL);
		return;
	}
	status->state = PISCES_CPU_IDLE;
	__atomic_store_n(&queue->awake, true, __ATOMIC_RELAXED);
	/* What an interrupt has brought is for the caller to look at. */
	while (__atomic_load_n(&queue->ready_count, __ATOMIC_RELAXED) == 0 &&
	       status->interrupts == interrupts && !control_stopping() && !hotplug_leaving() &&
	       rdtsc() - start < ticks) {
		cpu_relax();
		cpu_serve_interrupts();
	}
	/*
	 * A full barrier, as in idle_needs_kick(): either the caller sees the thread before it
	 * halts, or who brings it sees that a kick is needed.
	 */
	__atomic_store_n(&queue->awake, false, __ATOMIC_SEQ_CST);
	status->state = PISCES_CPU_KERNEL;
	if (__atomic_load_n(&queue->ready_count, __ATOMIC_RELAXED) != 0)
		return;
	sched_use_aspace(NULL);
	if (status->interrupts == interrupts)
		queue->idled = UINT64_MAX;
}

bool idle_needs_kick(cpu_id_t cpu)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !__atomic_load_n(&queue_of(cpu)->awake, __ATOMIC_RELAXED);
}
