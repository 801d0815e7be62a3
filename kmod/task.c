// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tasks: programs with a proxy each, and the task fd.
 *
 * A task, and with it its channel, lives as long as somebody may use it: the
 * proxy, through the fd or a mapping, or the co-kernel, from START until it says
 * that the task has ended. Each of the two holds a reference; the co-kernel's is
 * the enclave's table. When the enclave ends, its CPUs are Linux's again before
 * the table is emptied, so nothing writes to a channel that has been freed.
 */

#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <pisces/channel.h>

#include "compat.h"
#include "control.h"
#include "enclave.h"
#include "memory.h"
#include "task.h"

#define CHANNEL_DEFAULT 0x100000u /* 1 MiB */

/* TASK_NEW, TASK_CPUS for each word of CPUs, TASK_START */
#define START_MESSAGES (PISCES_CPU_WORDS + 2)

enum task_life {
	TASK_LIFE_NEW,
	TASK_LIFE_STARTED, /* the co-kernel knows of it */
	TASK_LIFE_ENDED,   /* and has let go of it */
};

struct task {
	refcount_t references;
	struct enclave *enclave;
	u32 id, uid, gid;
	u64 cpus[PISCES_CPU_WORDS];

	/* of the enclave's lock */
	enum task_life life;
	bool closed; /* the fd is */
	u64 rings;   /* since the last read */

	wait_queue_head_t wait;
	struct work_struct put_work; /* for where freeing is not allowed */

	struct page *channel;
	size_t channel_bytes;
	struct pisces_ring *replies;
};

static void task_put(struct task *task)
{
	if (!refcount_dec_and_test(&task->references))
		return;
	memory_free_shared(task->channel, task->channel_bytes);
	enclave_put(task->enclave);
	kfree(task);
}

static void task_put_work(struct work_struct *work)
{
	task_put(container_of(work, struct task, put_work));
}

/* Takes it out of the table. The table's reference is the caller's then. */
static void task_remove_locked(struct task *task)
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
			any = true;
			task->rings++;
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

/* Nothing will come from the co-kernel any more. */
static bool task_is_over(const struct task *task)
{
	return READ_ONCE(task->life) == TASK_LIFE_ENDED || enclave_is_over(task->enclave);
}

/* ---- the task fd ---- */

static int task_start(struct task *task)
{
	struct enclave *e = task->enclave;
	struct pisces_message *messages;
	unsigned int word, count = 0;
	unsigned long flags;
	int ret;

	messages = kcalloc(START_MESSAGES, sizeof(*messages), GFP_KERNEL);
	if (!messages)
		return -ENOMEM;
	messages[count++] = (struct pisces_message){
		.type = PISCES_MSG_TASK_NEW,
		.arg = { task->id, page_to_phys(task->channel), task->channel_bytes,
			 task->uid | (u64)task->gid << 32, task_tgid_nr(current) },
	};
	for (word = 0; word < PISCES_CPU_WORDS; word++)
		if (task->cpus[word])
			messages[count++] = (struct pisces_message){
				.type = PISCES_MSG_TASK_CPUS,
				.arg = { task->id, word, task->cpus[word] },
			};
	messages[count++] = (struct pisces_message){
		.type = PISCES_MSG_TASK_START,
		.arg = { task->id },
	};

	spin_lock_irqsave(&e->lock, flags);
	ret = -EBUSY;
	if (task->life == TASK_LIFE_NEW)
		ret = control_send_locked(e, messages, count, false);
	if (!ret)
		task->life = TASK_LIFE_STARTED;
	spin_unlock_irqrestore(&e->lock, flags);
	kfree(messages);
	return ret;
}

/* Rings the CPU that waits for replies; which one, the co-kernel says in the ring. */
static int task_ring(struct task *task)
{
	struct enclave *e = task->enclave;
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&e->lock, flags);
	ret = enclave_check_running(e);
	if (!ret && task->life == TASK_LIFE_STARTED)
		bell_ring_locked(e, READ_ONCE(task->replies->bell_cpu));
	spin_unlock_irqrestore(&e->lock, flags);
	return ret;
}

static int task_signal(struct task *task, const struct pisces_signal *signal)
{
	struct enclave *e = task->enclave;
	struct pisces_message message = {
		.type = PISCES_MSG_TASK_SIGNAL,
		.arg = { task->id, signal->signal },
	};
	unsigned long flags;
	int ret;

	if (signal->signal < 1 || signal->signal > 64 || signal->unused)
		return -EINVAL;
	spin_lock_irqsave(&e->lock, flags);
	if (task->life == TASK_LIFE_ENDED)
		ret = -ESRCH;
	else if (task->life == TASK_LIFE_NEW)
		ret = enclave_check_running(e) ?: -EBUSY;
	else
		ret = control_send_locked(e, &message, 1, false);
	spin_unlock_irqrestore(&e->lock, flags);
	return ret;
}

static long task_ioctl(struct file *file, unsigned int command, unsigned long address)
{
	struct task *task = file->private_data;
	struct pisces_own_info who = {
		.enclave = task->enclave->number,
		.task = task->id,
		.channel_size = task->channel_bytes,
	};
	struct pisces_signal signal;

	switch (command) {
	case PISCES_IOC_START:
		return task_start(task);
	case PISCES_IOC_BELL:
		return task_ring(task);
	case PISCES_IOC_SIGNAL:
		if (copy_from_user(&signal, (void __user *)address, sizeof(signal)))
			return -EFAULT;
		return task_signal(task, &signal);
	case PISCES_IOC_WHO:
		return copy_to_user((void __user *)address, &who, sizeof(who)) ? -EFAULT : 0;
	}
	return -ENOTTY;
}

static int task_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct task *task = file->private_data;
	unsigned long i, count = task->channel_bytes >> PAGE_SHIFT;
	int ret;

	if (vma->vm_pgoff || vma_pages(vma) != count || !(vma->vm_flags & VM_SHARED) ||
	    vma->vm_flags & VM_EXEC)
		return -EINVAL;
	if (enclave_is_over(task->enclave))
		return -ESHUTDOWN;
	compat_vm_flags_set(vma, VM_DONTEXPAND | VM_DONTCOPY | VM_DONTDUMP | VM_MIXEDMAP);
	for (i = 0; i < count; i++) {
		ret = vm_insert_page(vma, vma->vm_start + i * PAGE_SIZE, task->channel + i);
		if (ret)
			return ret;
	}
	return 0;
}

static bool task_take_rings(struct task *task, u64 *rings)
{
	unsigned long flags;

	spin_lock_irqsave(&task->enclave->lock, flags);
	*rings = task->rings;
	task->rings = 0;
	spin_unlock_irqrestore(&task->enclave->lock, flags);
	return *rings != 0;
}

static ssize_t task_read(struct file *file, char __user *buffer, size_t size, loff_t *unused)
{
	struct task *task = file->private_data;
	u64 rings;
	int ret;

	if (size < sizeof(rings))
		return -EINVAL;
	while (!task_take_rings(task, &rings)) {
		if (task_is_over(task))
			return -ESHUTDOWN;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(task->wait,
					       READ_ONCE(task->rings) || task_is_over(task));
		if (ret)
			return ret;
	}
	return copy_to_user(buffer, &rings, sizeof(rings)) ? -EFAULT : (ssize_t)sizeof(rings);
}

static __poll_t task_poll(struct file *file, poll_table *table)
{
	struct task *task = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &task->wait, table);
	if (READ_ONCE(task->rings))
		events |= EPOLLIN | EPOLLRDNORM;
	if (task_is_over(task))
		events |= EPOLLHUP;
	return events;
}

static int task_release(struct inode *inode, struct file *file)
{
	struct task *task = file->private_data;
	struct enclave *e = task->enclave;
	struct pisces_message kill = {
		.type = PISCES_MSG_TASK_KILL,
		.arg = { task->id },
	};
	bool removed = false;
	unsigned long flags;

	spin_lock_irqsave(&e->lock, flags);
	task->closed = true;
	if (e->tasks[task->id] == task) {
		if (task->life == TASK_LIFE_STARTED) {
			/* It has a place in the ring; if the enclave is dead, nobody is there to tell. */
			if (control_send_locked(e, &kill, 1, true) == -EAGAIN)
				enclave_die_locked(e, true,
						   "the co-kernel does not read its control ring");
		} else {
			task_remove_locked(task);
			removed = true;
		}
	}
	spin_unlock_irqrestore(&e->lock, flags);
	if (removed)
		task_put(task);
	task_put(task);
	return 0;
}

static const struct file_operations task_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = task_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = task_mmap,
	.read = task_read,
	.poll = task_poll,
	.release = task_release,
	.llseek = no_llseek,
};

/* ---- making one ---- */

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
		if (i >= e->cpu_count)
			return -EINVAL;
		count++;
	}
	return count ? 0 : -EINVAL;
}

static int task_node(struct enclave *e, const struct pisces_task *request)
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
	ret = channel_create(task, request->channel_size, task_node(e, request));
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
	*file = anon_inode_getfile("[pisces-task]", &task_operations, task, O_RDWR);
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
