// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tasks: programs with a proxy each. What a proxy does with its fd is in task_fd.c.
 *
 * A task, and with it its channel, lives as long as somebody may use it: the
 * proxy, through the fd or a mapping, or the co-kernel, from START until it says
 * that the task has ended. Each of the two holds a reference; the co-kernel's is
 * the enclave's table. When the enclave ends, its CPUs are Linux's again before
 * the table is emptied, so nothing writes to a channel that has been freed.
 */

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <pisces/channel.h>

#include "compat.h"
#include "control.h"
#include "enclave.h"
#include "memory.h"
#include "task.h"

#define CHANNEL_DEFAULT 0x100000u /* 1 MiB */

void task_put(struct task *task)
{
	if (!refcount_dec_and_test(&task->references))
		return;
	usage_free(task);
	memory_free_shared(task->channel, task->channel_bytes);
	enclave_put(task->enclave);
	kfree(task);
}

static void task_put_work(struct work_struct *work)
{
	task_put(container_of(work, struct task, put_work));
}

void task_remove_locked(struct task *task)
{
	struct enclave *e = task->enclave;

	lockdep_assert_held(&e->lock);
	e->tasks[task->id] = NULL;
	e->task_count--;
}

bool task_ended_locked(struct enclave *e, u64 id)
{
	struct task *task;

	lockdep_assert_held(&e->lock);
	task = id < PISCES_MAX_TASKS ? e->tasks[id] : NULL;
	if (!task || task->life != TASK_LIFE_STARTED)
		return false;
	task->life = TASK_LIFE_ENDED;
	if (task->closed) {
		task_remove_locked(task);
		queue_work(enclaves_queue, &task->put_work);
	} else {
		wake_up_interruptible(&task->wait);
	}
	return true;
}

bool tasks_answer(struct enclave *e)
{
	bool any = false;
	unsigned int word;

	lockdep_assert_held(&e->drain);
	for (word = 0; word < PISCES_TASK_WORDS; word++) {
		uint64_t *shared = &e->shared.status->task_bells[word];
		u64 bits;

		if (!READ_ONCE(*shared))
			continue;
		bits = xchg(shared, 0);
		spin_lock(&e->lock);
		for (; bits; bits &= bits - 1) {
			struct task *task = e->tasks[word * 64 + __ffs64(bits)];

			if (!task || task->life != TASK_LIFE_STARTED)
				continue;
			/* One that has not read the last ring yet learns nothing from another. */
			any |= task->rings++ == 0;
			wake_up_interruptible(&task->wait);
		}
		spin_unlock(&e->lock);
	}
	return any;
}

void tasks_wake_locked(struct enclave *e)
{
	unsigned int id;

	lockdep_assert_held(&e->lock);
	for (id = 0; e->task_count && id < PISCES_MAX_TASKS; id++)
		if (e->tasks[id])
			wake_up_all(&e->tasks[id]->wait);
}

void tasks_finish(struct enclave *e)
{
	unsigned int id;

	for (id = 0; id < PISCES_MAX_TASKS; id++) {
		struct task *task;
		unsigned long flags;

		spin_lock_irqsave(&e->lock, flags);
		task = e->tasks[id];
		if (task)
			task_remove_locked(task);
		spin_unlock_irqrestore(&e->lock, flags);
		if (task)
			task_put(task);
	}
}

static int task_check(struct enclave *e, const struct pisces_task *request)
{
	unsigned int i, count = 0;

	if (request->flags || request->unused)
		return -EINVAL;
	if (request->channel_size && (request->channel_size < PISCES_CHANNEL_MIN_SIZE ||
				      request->channel_size > PISCES_CHANNEL_MAX_SIZE))
		return -EINVAL;
	for (i = 0; i < PISCES_MAX_CPUS; i++) {
		if (!(request->cpus[i / 64] >> i % 64 & 1))
			continue;
		if (i >= e->cpu_count || e->cpus[i].left)
			return -EINVAL;
		count++;
	}
	return count ? 0 : -EINVAL;
}

static int node_of_task(struct enclave *e, const struct pisces_task *request)
{
	unsigned int i = 0;

	while (!(request->cpus[i / 64] >> i % 64 & 1))
		i++;
	return e->cpus[i].node;
}

/* As large as wanted, or less if Linux's memory is in too small pieces. */
static int channel_create(struct task *task, u32 wanted, int node)
{
	struct pisces_channel_layout at;
	void *base;

	task->channel_bytes = PAGE_ALIGN(wanted ?: CHANNEL_DEFAULT);
	for (;;) {
		task->channel = memory_alloc_shared(task->channel_bytes, node);
		if (task->channel)
			break;
		if (task->channel_bytes / 2 < PISCES_CHANNEL_MIN_SIZE)
			return -ENOMEM;
		task->channel_bytes = PAGE_ALIGN(task->channel_bytes / 2);
	}
	at = pisces_channel_layout(task->channel_bytes);
	base = page_address(task->channel);
	pisces_ring_init(base + at.calls, PISCES_CHANNEL_SLOTS);
	pisces_ring_init(base + at.replies, PISCES_CHANNEL_SLOTS);
	task->calls = base + at.calls;
	task->replies = base + at.replies;
	return 0;
}

/* Gives it an id and puts it into the table, which takes a reference. */
static int task_insert(struct enclave *e, struct task *task)
{
	unsigned long flags;
	int ret;
	u32 id;

	spin_lock_irqsave(&e->lock, flags);
	ret = enclave_check_running(e);
	if (ret)
		goto out;
	for (id = 0; id < PISCES_MAX_TASKS && e->tasks[id]; id++)
		;
	ret = -ENOSPC;
	if (id == PISCES_MAX_TASKS)
		goto out;
	task->id = id;
	refcount_inc(&task->references);
	e->tasks[id] = task;
	e->task_count++;
	usage_clear_locked(e, id);
	ret = 0;
out:
	spin_unlock_irqrestore(&e->lock, flags);
	return ret;
}

int task_create(struct enclave *e, struct pisces_task *request, struct file **file)
{
	struct task *task;
	int ret, fd;

	ret = enclave_check_running(e);
	if (ret)
		return ret;
	ret = task_check(e, request);
	if (ret)
		return ret;

	task = kzalloc(sizeof(*task), GFP_KERNEL);
	if (!task)
		return -ENOMEM;
	refcount_set(&task->references, 1);
	init_waitqueue_head(&task->wait);
	INIT_WORK(&task->put_work, task_put_work);
	task->uid = request->uid;
	task->gid = request->gid;
	memcpy(task->cpus, request->cpus, sizeof(task->cpus));
	ret = channel_create(task, request->channel_size, node_of_task(e, request));
	if (ret) {
		kfree(task);
		return ret;
	}
	task->enclave = e;
	enclave_get(e);

	fd = get_unused_fd_flags(O_CLOEXEC);
	ret = fd;
	if (fd < 0)
		goto put_task;
	ret = task_insert(e, task);
	if (ret)
		goto put_fd;
	*file = task_file(task);
	if (IS_ERR(*file)) {
		unsigned long flags;

		ret = PTR_ERR(*file);
		spin_lock_irqsave(&e->lock, flags);
		if (e->tasks[task->id] == task) {
			task_remove_locked(task);
			refcount_dec(&task->references);
		}
		spin_unlock_irqrestore(&e->lock, flags);
		goto put_fd;
	}
	request->id = task->id;
	request->channel_size = task->channel_bytes;
	return fd;

put_fd:
	put_unused_fd(fd);
put_task:
	task_put(task);
	return ret;
}
