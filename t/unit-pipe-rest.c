/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit-pipe-rest.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>

#include "arch/time.h"
#include "arch/user.h"
#include "channel/channel.h"
#include "fs/linux.h"
#include "fs/memory_file.h"
#include "fs/pipe.h"
#include "fs/stage.h"
#include "mm/direct.h"
#include "mm/heap.h"
#include "mm/local.h"
#include "mm/page.h"
#include "syscall/handlers.h"
#include "task/process.h"
#include "task/signal.h"
#include "task/thread.h"
#include "unit-linux-calls.h"

uint64_t direct_base;
int broken_pipes, pages, pages_most = 1 << 20;

static struct process process = { .pid = 100 };
static __thread struct thread self;

struct thread *thread_current(void)
{
	return &self;
}

struct process *process_current(void)
{
	return &process;
}

void await_full(struct pipe *pipe)
{
	for (int i = 0; i < 3000; i++) {
		if (pipe_bytes(pipe) == 65536)
			return;
		usleep(10000);
	}
	printf("Bail out! the pipe has not become full within 30 s\n");
	exit(1);
}

void interrupt_self(bool now)
{
	self.signals.notify = now;
}

void signal_broken_pipe(void)
{
	__atomic_fetch_add(&broken_pipes, 1, __ATOMIC_RELAXED);
}

/* ---- memory ---- */

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

phys_addr_t page_alloc(unsigned int order, node_id_t node, unsigned int how)
{
	(void)node, (void)how;
	if (__atomic_add_fetch(&pages, 1, __ATOMIC_RELAXED) > pages_most) {
		__atomic_fetch_sub(&pages, 1, __ATOMIC_RELAXED);
		return PAGE_NONE;
	}
	return (uint64_t)aligned_alloc(PAGE_SIZE, PAGE_SIZE << order);
}

void page_free(phys_addr_t block, unsigned int order)
{
	(void)order;
	__atomic_fetch_sub(&pages, 1, __ATOMIC_RELAXED);
	free((void *)block);
}

node_id_t mm_this_node(void)
{
	return 0;
}

bool mm_shrink(bool urgent)
{
	(void)urgent;
	return false;
}

void mm_heartbeat(void)
{
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

long string_from_user(char *to, user_addr_t from, size_t size)
{
	size_t length;

	if (from < 4096)
		return -EFAULT;
	length = strnlen((const char *)from, size);
	if (length == size)
		return -ENAMETOOLONG;
	memcpy(to, (const void *)from, length + 1);
	return (long)length;
}

/* ---- waiting: as task/wait.c has it, without a scheduler ---- */

void wait_queue_init(struct wait_queue *queue)
{
	queue->lock = (struct lock)LOCK_INIT;
	list_init(&queue->waiters);
}

nsec_t time_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (nsec_t)now.tv_sec * NSEC_PER_SEC + (nsec_t)now.tv_nsec;
}

nsec_t deadline_of_call(nsec_t span)
{
	nsec_t again = self.restart_deadline;

	self.restart_deadline = 0;
	if (again)
		return again;
	return span == NSEC_FOREVER ? span : time_now() + span;
}

int wait_on_mode(struct wait_queue *queue, nsec_t deadline, enum wait_mode mode)
{
	bool late;

	list_append(&queue->waiters, &self.wait_link);
	__atomic_store_n(&self.waiting_on, queue, __ATOMIC_SEQ_CST);
	lock_drop(&queue->lock);
	while (__atomic_load_n(&self.waiting_on, __ATOMIC_SEQ_CST) &&
	       !(mode == WAIT_INTERRUPTIBLE && self.signals.notify) && time_now() < deadline)
		sched_yield();
	late = time_now() >= deadline;
	lock_take(&queue->lock);
	if (!self.waiting_on)
		return 0;
	list_remove(&self.wait_link);
	self.waiting_on = NULL;
	return late ? -ETIMEDOUT : -EINTR;
}

int wait_on(struct wait_queue *queue, nsec_t deadline, bool interruptible)
{
	return wait_on_mode(queue, deadline, interruptible ? WAIT_INTERRUPTIBLE : WAIT_CERTAIN);
}

unsigned int wake_one(struct wait_queue *queue)
{
	struct thread *first;

	if (list_empty(&queue->waiters))
		return 0;
	first = LIST_ENTRY(queue->waiters.next, struct thread, wait_link);
	list_remove(&first->wait_link);
	__atomic_store_n(&first->waiting_on, NULL, __ATOMIC_SEQ_CST);
	return 1;
}

unsigned int wake_all(struct wait_queue *queue)
{
	unsigned int count = 0;

	while (wake_one(queue))
		count++;
	return count;
}

/* ---- open files ---- */

struct open_file *open_file_create(struct memory_file *file, uint32_t flags)
{
	struct open_file *open = calloc(1, sizeof(*open));

	open->references = 1;
	open->file = file;
	open->flags = flags;
	return open;
}

void open_file_get(struct open_file *open)
{
	__atomic_fetch_add(&open->references, 1, __ATOMIC_RELAXED);
}

void open_file_put(struct open_file *open)
{
	if (__atomic_fetch_sub(&open->references, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	if (open->release)
		open->release(open);
	free(open);
}

void stage_node_get(struct stage_node *node)
{
	node->references++;
}

void stage_node_put(struct stage_node *node)
{
	node->references--;
}

/* ---- Linux ---- */

int64_t channel_call_own(uint32_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
			 uint64_t f)
{
	(void)e;
	(void)f;
	return linux_result(syscall(nr, a, nr == SYS_write ? (uint64_t)linux_area + b : b, c, d));
}

int64_t linux_name_call(uint32_t call, const char *path, uint64_t third, uint64_t fourth)
{
	return linux_result(syscall(call, AT_FDCWD, path, third, fourth));
}

int64_t forward_write(int fd, user_addr_t from, uint64_t size)
{
	return linux_result(write(fd, (const void *)from, size));
}
