/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one way back to user mode: what has to be done first. */
#include "arch/cpu.h"
#include "arch/trap.h"
#include "channel/control.h"
#include "task/process.h"
#include "task/rseq.h"
#include "task/sched.h"
#include "task/signal.h"
#include "task/thread.h"

/* So many signals are delivered at once, with interrupts off. */
#define ROUNDS 64u

/* A system call that ended with a wish to be done again. */
static bool wants_restart(const struct frame *frame)
{
	return frame->vector == FRAME_SYSCALL && frame->rax + ERESTART_DEADLINE <= 4;
}

void return_to_user(struct frame *frame)
{
	struct thread *self = thread_current();
	unsigned int round;

	/*
	 * Interrupts are off: what is not seen in the last round comes with an
	 * interrupt that is served as soon as user mode is reached.
	 */
	for (round = 0; round < ROUNDS; round++) {
		control_check_stop();
		if (unlikely(self->short_of_memory))
			out_of_memory_end(self);
		if (unlikely(__atomic_load_n(&self->dying, __ATOMIC_RELAXED)))
			thread_exit(self->process->wait_status);
		sched_return_to_user();
		if (unlikely(self->signals.notify || wants_restart(frame)))
			signal_deliver(frame);
		if (unlikely(self->rseq && self->rseq_disturbed))
			rseq_resume(frame);
		if (likely(!thread_has_work(self)))
			return;
	}
	/* What has come to this CPU meanwhile comes first, and with it this, to go on here. */
	cpu_kick(this_cpu()->index);
}
