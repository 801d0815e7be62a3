// SPDX-License-Identifier: GPL-2.0-or-later
/* The task fd: what a proxy, without any rights of its own, can do. */

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "control.h"
#include "enclave.h"
#include "task.h"

/* TASK_NEW, TASK_CPUS for each word of CPUs, TASK_START */
#define START_MESSAGES (PISCES_CPU_WORDS + 2)

bool task_is_over(const struct task *task)
{
	return READ_ONCE(task->life) == TASK_LIFE_ENDED || enclave_is_over(task->enclave);
}

/* Its CPUs of that word: those that have left the enclave since it was made are not. */
static u64 task_cpus_locked(const struct task *task, unsigned int word)
{
	u64 rest, cpus = task->cpus[word];

	for (rest = cpus; rest; rest &= rest - 1) {
		unsigned int bit = __ffs64(rest);

		if (task->enclave->cpus[word * 64 + bit].left)
			cpus &= ~(1ull << bit);
	}
	return cpus;
}

static int task_start(struct task *task)
{
	struct enclave *e = task->enclave;
	struct pisces_message *messages;
	unsigned int word, count = 0;
	unsigned long flags;
	bool any = false;
	int ret;

	messages = kcalloc(START_MESSAGES, sizeof(*messages), GFP_KERNEL);
	if (!messages)
		return -ENOMEM;
	messages[count++] = (struct pisces_message){
		.type = PISCES_MSG_TASK_NEW,
		.arg = { task->id, page_to_phys(task->channel), task->channel_bytes,
			 task->uid | (u64)task->gid << 32, task_tgid_nr(current) },
	};
	spin_lock_irqsave(&e->lock, flags);
	for (word = 0; word < PISCES_CPU_WORDS; word++) {
		u64 cpus = task_cpus_locked(task, word);

		if (!cpus)
			continue;
		any = true;
		messages[count++] = (struct pisces_message){
			.type = PISCES_MSG_TASK_CPUS,
			.arg = { task->id, word, cpus },
		};
	}
	messages[count++] = (struct pisces_message){
		.type = PISCES_MSG_TASK_START,
		.arg = { task->id },
	};

	ret = -EBUSY;
	if (task->life == TASK_LIFE_NEW)
		ret = any ? 0 : -ENXIO;
	if (!ret)
		ret = control_send_locked(e, messages, count, false);
	if (!ret) {
		task->life = TASK_LIFE_STARTED;
		usage_started_locked(task);
	}
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
		.arg = { task->id, signal->signal | (u64)(u32)signal->code << 32,
			 (u32)signal->pid | (u64)signal->uid << 32, signal->value },
	};
	unsigned long flags;
	int ret;

	if (signal->signal < 1 || signal->signal > 64)
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
	case PISCES_IOC_LINGER:
		return task_linger(task, (u32)address);
	case PISCES_IOC_SIGNAL:
		if (copy_from_user(&signal, (void __user *)address, sizeof(signal)))
			return -EFAULT;
		return task_signal(task, &signal);
	case PISCES_IOC_WHO:
		return copy_to_user((void __user *)address, &who, sizeof(who)) ? -EFAULT : 0;
	}
	return -ENOTTY;
}

static void task_vma_open(struct vm_area_struct *vma)
{
	usage_mapped(vma->vm_file->private_data, vma->vm_mm);
}

static void task_vma_close(struct vm_area_struct *vma)
{
	usage_unmapped(vma->vm_file->private_data, vma->vm_mm);
}

static const struct vm_operations_struct task_vma_operations = {
	.open = task_vma_open,
	.close = task_vma_close,
};

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
	compat_vm_flags_clear(vma, VM_MAYEXEC);
	compat_vm_flags_set(vma, VM_DONTEXPAND | VM_DONTCOPY | VM_DONTDUMP | VM_MIXEDMAP);
	for (i = 0; i < count; i++) {
		ret = vm_insert_page(vma, vma->vm_start + i * PAGE_SIZE, task->channel + i);
		if (ret)
			return ret;
	}
	/* Last, since a mapping that could not be made is not closed. */
	vma->vm_ops = &task_vma_operations;
	task_vma_open(vma);
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
	usage_closed_locked(task);
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
};

struct file *task_file(struct task *task)
{
	return anon_inode_getfile("[pisces-task]", &task_operations, task, O_RDWR);
}
