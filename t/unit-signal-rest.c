/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit-signal-rest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>

#include "arch/time.h"
#include "arch/user.h"
#include "channel/channel.h"
#include "fs/linux.h"
#include "mm/heap.h"
#include "syscall/handlers.h"
#include "task/posix_timer.h"
#include "task/sched.h"
#include "task/turn.h"
#include "unit-linux-calls.h"

struct process process = { .pid = 100, .uid = 7 };
struct thread threads[2], *running = &threads[0];
void (*while_waiting)(void);
int calls;

struct thread *thread_current(void)
{
	return running;
}

struct process *process_current(void)
{
	return &process;
}

void *heap_alloc(size_t size)
{
	return malloc(size);
}

void *heap_alloc_zero(size_t size)
{
	return calloc(1, size);
}

void heap_free(void *memory)
{
	free(memory);
}

int copy_to_user(user_addr_t to, const void *from, size_t size)
{
	if (to < 4096)
		return -EFAULT;
	memcpy((void *)to, from, size);
	return 0;
}

int copy_from_user(void *to, user_addr_t from, size_t size)
{
	if (from < 4096)
		return -EFAULT;
	memcpy(to, (const void *)from, size);
	return 0;
}

nsec_t time_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (nsec_t)now.tv_sec * NSEC_PER_SEC + (nsec_t)now.tv_nsec;
}

nsec_t time_after(nsec_t span)
{
	nsec_t now = time_now();

	return span > NSEC_FOREVER - now ? NSEC_FOREVER : now + span;
}

void wait_queue_init(struct wait_queue *queue)
{
	queue->lock = (struct lock)LOCK_INIT;
	list_init(&queue->waiters);
}

void begin_to_wait(void)
{
	void (*what)(void) = while_waiting;

	while_waiting = NULL;
	if (what)
		what();
}

int wait_on(struct wait_queue *queue, nsec_t deadline, bool interruptible)
{
	(void)deadline;
	(void)interruptible;
	lock_drop(&queue->lock);
	if (!while_waiting && !signal_pending()) {
		printf("Bail out! it waits for ever\n");
		exit(1);
	}
	begin_to_wait();
	lock_take(&queue->lock);
	return -EINTR;
}

unsigned int wake_all(struct wait_queue *queue)
{
	(void)queue;
	return 0;
}

void wait_interrupt(struct thread *thread)
{
	(void)thread;
}

void sched_poke(struct thread *thread)
{
	(void)thread;
}

void process_end(struct process *of, int status)
{
	(void)of;
	(void)status;
}

void posix_timers_dropped(struct process *of, uint64_t set)
{
	(void)of;
	(void)set;
}

void posix_timer_delivered(struct process *of, struct signal_info *info)
{
	(void)of;
	(void)info;
}

void turn_init(struct turn *turn)
{
	turn->taken = false;
}

int turn_take(struct turn *turn)
{
	turn->taken = true;
	return 0;
}

void turn_take_certain(struct turn *turn)
{
	turn->taken = true;
}

void turn_end(struct turn *turn)
{
	turn->taken = false;
}

int64_t channel_call_own(uint32_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
			 uint64_t f)
{
	(void)e;
	(void)f;
	calls++;
	/* Its buffer is the only argument that is an address. */
	if (nr == SYS_timerfd_settime) {
		c = (uint64_t)linux_area + c;
		d = 0;
	}
	return linux_result(syscall(nr, a, b, c, d));
}
