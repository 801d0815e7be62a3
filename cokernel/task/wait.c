/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A waiting thread is in its queue's list and thread->waiting_on names the queue,
 * both under the queue's lock. A waker takes it out of the list, sets the result
 * and then waiting_on = NULL, by sched_wake_waiter(). Deadlines and signals leave
 * the list alone: they only wake the thread, which takes itself out. So nobody
 * ever needs the lock of a queue that may be gone.
 */
#include "task/wait.h"

#include "lib/errno.h"
#include "task/process.h"
#include "task/sched.h"
#include "task/thread.h"

void wait_queue_init(struct wait_queue *queue)
{
	queue->lock = (struct lock)LOCK_INIT;
	list_init(&queue->waiters);
}

bool wait_is_over(const struct thread *thread)
{
	/* Pairs with senders of signals, who queue first and wake then. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&thread->waiting_on, __ATOMIC_ACQUIRE))
		return true;
	if (__atomic_load_n(&thread->timed_out, __ATOMIC_RELAXED))
		return true;
	if (thread->wait_mode == WAIT_CERTAIN)
		return false;
	if (thread->wait_mode == WAIT_ENDING)
		return __atomic_load_n(&thread->process->ending, __ATOMIC_RELAXED);
	if (__atomic_load_n(&thread->dying, __ATOMIC_RELAXED))
		return true;
	return thread->wait_mode == WAIT_INTERRUPTIBLE &&
	       __atomic_load_n(&thread->signals.notify, __ATOMIC_RELAXED);
}

void wait_begin(struct wait_queue *queue, enum wait_mode mode)
{
	struct thread *self = thread_current();

	self->timed_out = false;
	self->wait_result = 0;
	self->wait_mode = mode;
	list_append(&queue->waiters, &self->wait_link);
	__atomic_store_n(&self->waiting_on, queue, __ATOMIC_RELEASE);
}

void wait_sleep(nsec_t deadline)
{
	struct thread *self = thread_current();

	if (deadline != NSEC_FOREVER)
		timer_arm(&self->wait_timer, deadline);
	sched_block();
	if (deadline != NSEC_FOREVER)
		timer_cancel(&self->wait_timer);
}

/* The running thread leaves the queue it is in, whose lock is held, unwoken. */
static int leave_queue(struct thread *self)
{
	list_remove(&self->wait_link);
	__atomic_store_n(&self->waiting_on, NULL, __ATOMIC_RELAXED);
	if (self->timed_out)
		return -ETIMEDOUT;
	if (self->wait_mode != WAIT_CERTAIN && thread_has_work(self))
		return -EINTR;
	return -EAGAIN;
}

int wait_finish(void)
{
	struct thread *self = thread_current();
	struct wait_queue *queue;
	int result;

	for (;;) {
		queue = __atomic_load_n(&self->waiting_on, __ATOMIC_ACQUIRE);
		if (!queue)
			return self->wait_result;
		lock_take(&queue->lock);
		if (__atomic_load_n(&self->waiting_on, __ATOMIC_RELAXED) == queue) {
			result = leave_queue(self);
			lock_drop(&queue->lock);
			return result;
		}
		lock_drop(&queue->lock);
	}
}

int wait_on_mode(struct wait_queue *queue, nsec_t deadline, enum wait_mode mode)
{
	struct thread *self = thread_current();

	wait_begin(queue, mode);
	lock_drop(&queue->lock);
	wait_sleep(deadline);
	lock_take(&queue->lock);
	if (!self->waiting_on)
		return self->wait_result;
	return leave_queue(self);
}

int wait_on(struct wait_queue *queue, nsec_t deadline, bool interruptible)
{
	return wait_on_mode(queue, deadline, interruptible ? WAIT_INTERRUPTIBLE : WAIT_CERTAIN);
}

void wake_thread(struct wait_queue *queue, struct thread *thread, int result)
{
	(void)queue;
	list_remove(&thread->wait_link);
	thread->wait_result = result;
	sched_wake_waiter(thread);
}

unsigned int wake_one(struct wait_queue *queue)
{
	if (list_empty(&queue->waiters))
		return 0;
	wake_thread(queue, LIST_ENTRY(queue->waiters.next, struct thread, wait_link), 0);
	return 1;
}

unsigned int wake_all(struct wait_queue *queue)
{
	unsigned int count = 0;

	while (wake_one(queue))
		count++;
	return count;
}

void wait_move(struct thread *thread, struct wait_queue *to)
{
	list_remove(&thread->wait_link);
	list_append(&to->waiters, &thread->wait_link);
	__atomic_store_n(&thread->waiting_on, to, __ATOMIC_RELEASE);
}

void wait_interrupt(struct thread *thread)
{
	/* Pairs with wait_is_over(): what is to be seen there was stored before. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	sched_wake(thread);
}
