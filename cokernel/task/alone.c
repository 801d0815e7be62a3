/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread becomes the only one of its process, for execve(2). */
#include "lib/errno.h"
#include "task/process.h"
#include "task/thread.h"

/* All but the running one leave. False: it is to leave itself. */
static bool end_others(struct process *process)
{
	struct thread *self = thread_current(), *thread;
	struct list *pos;

	lock_take(&process->lock);
	if (self->dying) {
		lock_drop(&process->lock);
		return false;
	}
	LIST_FOR_EACH(pos, &process->threads) {
		thread = LIST_ENTRY(pos, struct thread, process_link);
		if (thread != self)
			thread_end(thread);
	}
	lock_drop(&process->lock);
	return true;
}

int process_alone(void)
{
	struct thread *self = thread_current();
	struct process *process = self->process;

	if (!end_others(process))
		return -EINTR;
	lock_take(&process->alone_queue.lock);
	while (__atomic_load_n(&process->thread_count, __ATOMIC_SEQ_CST) > 1 && !self->dying)
		wait_on_mode(&process->alone_queue, NSEC_FOREVER, WAIT_KILLABLE);
	lock_drop(&process->alone_queue.lock);
	if (__atomic_load_n(&self->dying, __ATOMIC_SEQ_CST))
		return -EINTR;
	thread_lead(self);
	return 0;
}

void process_one_is_left(struct process *process)
{
	lock_take(&process->alone_queue.lock);
	wake_all(&process->alone_queue);
	lock_drop(&process->alone_queue.lock);
}
