// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The proxy waits awake for its program's next call. Rung by an interrupt out of poll(2) it
 * is late by a multiple of what most calls take.
 *
 * This is done here and not in user space because only here it is known, at each turn, who
 * else wants the CPU. Many proxies may share the one that Linux has left. One that lingers
 * there is alone: it does not begin when another thread is ready to run on its CPU, and is
 * gone the moment one becomes so (an interrupt that wakes it counts it in before it
 * returns to this loop). The other waits for one turn of it, as for any call of Linux, and
 * never for a time slice, as it would for a loop in user space that is no worse than
 * others by Linux's account. Nor does anything that the proxy itself has to see wait for
 * the end: a signal, or the end of the enclave.
 */

#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include <asm/tsc.h>

#include "clock.h"
#include "enclave.h"
#include "task.h"

/* The proxy blocks what it forwards and reads it from a signalfd, so that also counts. */
static bool has_signal(void)
{
	return signal_pending(current) || !sigisemptyset(&current->pending.signal) ||
	       !sigisemptyset(&current->signal->shared_pending.signal);
}

int task_linger(struct task *task, u32 seen)
{
	u64 ticks = div_u64(clock_tsc_khz() * PISCES_LINGER_US, USEC_PER_MSEC);
	u64 start = rdtsc();

	/* On another CPU the TSC may be behind: then it is over, too. */
	do {
		if (task_is_over(task))
			return -ESHUTDOWN;
		/* Before the calls: those could go on without end. */
		if (has_signal())
			return -EINTR;
		if (READ_ONCE(task->calls->head) != seen)
			return 0;
		if (need_resched() || !single_task_running())
			return -EBUSY;
		cpu_relax();
	} while (rdtsc() - start < ticks);
	return -ETIME;
}
