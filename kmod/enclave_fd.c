// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The enclave fd: the only owner of an enclave. Whoever holds it must have the
 * right to administrate the system as well, each time: an fd that has leaked to
 * another process is worth nothing there.
 */

#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "block.h"
#include "boot.h"
#include "enclave.h"
#include "inspect.h"
#include "memory.h"
#include "notes.h"
#include "resize.h"
#include "task.h"

/* 0 if resources can be added. e->mutex is held. */
static int check_open(const struct enclave *e)
{
	if (e->state == PISCES_ENCLAVE_NEW || e->state == PISCES_ENCLAVE_RUNNING)
		return 0;
	return enclave_is_over(e) ? -ESHUTDOWN : -EBUSY;
}

static int call_add_cpu(struct enclave *e, void *argument)
{
	const struct pisces_add_cpu *request = argument;
	struct enclave_cpu cpu;
	unsigned long flags;
	int ret;

	if (request->unused)
		return -EINVAL;
	ret = check_open(e);
	if (ret)
		return ret;
	if (e->state == PISCES_ENCLAVE_RUNNING)
		return resize_add_cpu(e, request->linux_cpu);
	if (e->cpu_count == PISCES_MAX_CPUS)
		return -ENOSPC;
	ret = cpu_take(request->linux_cpu, &cpu);
	if (ret)
		return ret;
	spin_lock_irqsave(&e->lock, flags);
	e->cpus[e->cpu_count++] = cpu;
	spin_unlock_irqrestore(&e->lock, flags);
	notes_taken(e->number, cpu.linux_cpu);
	return 0;
}

static int call_remove_cpu(struct enclave *e, void *argument)
{
	const struct pisces_remove_cpu *request = argument;

	if (request->unused)
		return -EINVAL;
	return enclave_check_running(e) ?: resize_remove_cpu(e, request->linux_cpu);
}

static int call_add_memory(struct enclave *e, void *argument)
{
	struct pisces_add_memory *request = argument;
	LIST_HEAD(ranges);
	int ret;

	request->available = 0;
	if (request->way > PISCES_MEMORY_REMOVE ||
	    (request->way == PISCES_MEMORY_CONTIG && request->base))
		return -EINVAL;
	ret = check_open(e);
	if (ret)
		return ret;
	/* A block may join a range, which is not known before. */
	if (request->way != PISCES_MEMORY_CONTIG)
		ret = e->range_count < PISCES_MAX_RANGES ?
			      block_take(&ranges, request, e->number, e->resource_name) :
			      -ENOSPC;
	else
		ret = memory_take(&ranges, request->size, request->node,
				  PISCES_MAX_RANGES - min(e->range_count, PISCES_MAX_RANGES),
				  e->resource_name, &request->available);
	if (ret)
		return ret;
	if (e->state == PISCES_ENCLAVE_RUNNING)
		return resize_add_memory(e, &ranges);
	resize_insert_ranges(e, &ranges);
	return 0;
}

static int call_remove_memory(struct enclave *e, void *argument)
{
	return resize_remove_memory(e, argument);
}

static int call_reserve_block(struct enclave *e, void *argument)
{
	return enclave_is_over(e) ? -ESHUTDOWN : block_reserve(e->number, argument);
}

static int call_cpuset_note(struct enclave *e, void *argument)
{
	return enclave_is_over(e) ? -ESHUTDOWN : notes_add(e->number, argument);
}

static int call_boot(struct enclave *e, void *argument)
{
	return enclave_boot(e, argument);
}

/*
 * One line for each call of an enclave fd: what it does is a function that gets a
 * copy of its argument, with e->mutex held. The command itself says how large that
 * is and which ways it goes; out fields go back with errors too.
 */
static const struct enclave_call {
	unsigned int command;
	int (*call)(struct enclave *e, void *argument);
} enclave_calls[] = {
	{ PISCES_IOC_ADD_CPU, call_add_cpu },
	{ PISCES_IOC_ADD_MEMORY, call_add_memory },
	{ PISCES_IOC_BOOT, call_boot },
	{ PISCES_IOC_REMOVE_CPU, call_remove_cpu },
	{ PISCES_IOC_REMOVE_MEMORY, call_remove_memory },
	{ PISCES_IOC_RESERVE_BLOCK, call_reserve_block },
	{ PISCES_IOC_CPUSET_NOTE, call_cpuset_note },
};

#define CALL_ARGUMENT_MAX sizeof(struct pisces_cpuset_note)

/*
 * To the end of an enclave a call on a handle is nothing to wait for: whoever comes
 * after the owner has gone is turned away.
 */
static int enclave_enter(struct enclave *e)
{
	int ret = mutex_lock_killable(&e->mutex);

	if (!ret && READ_ONCE(e->ending)) {
		mutex_unlock(&e->mutex);
		return -ESHUTDOWN;
	}
	return ret;
}

static int enclave_call(struct enclave *e, const struct enclave_call *call, void __user *address)
{
	size_t size = _IOC_SIZE(call->command);
	void *argument;
	int ret;

	if (WARN_ON_ONCE(size > CALL_ARGUMENT_MAX))
		return -EINVAL;
	argument = memdup_user(address, size);
	if (IS_ERR(argument))
		return PTR_ERR(argument);
	ret = enclave_enter(e);
	if (!ret) {
		ret = call->call(e, argument);
		mutex_unlock(&e->mutex);
		if (_IOC_DIR(call->command) & _IOC_READ && copy_to_user(address, argument, size) &&
		    !ret)
			ret = -EFAULT;
	}
	kfree(argument);
	return ret;
}

/* Apart from the table: it makes an fd, which must not be seen before all is well. */
static int ioctl_task(struct enclave *e, void __user *argument)
{
	struct pisces_task request;
	struct file *file;
	int ret, fd;

	if (copy_from_user(&request, argument, sizeof(request)))
		return -EFAULT;
	ret = enclave_enter(e);
	if (ret)
		return ret;
	fd = task_create(e, &request, &file);
	mutex_unlock(&e->mutex);
	if (fd < 0)
		return fd;
	if (copy_to_user(argument, &request, sizeof(request))) {
		put_unused_fd(fd);
		fput(file);
		return -EFAULT;
	}
	fd_install(fd, file);
	return fd;
}

static int ioctl_who(struct enclave *e, void __user *argument)
{
	struct pisces_own_info who = { .enclave = e->number, .task = U32_MAX };

	return copy_to_user(argument, &who, sizeof(who)) ? -EFAULT : 0;
}

static int enclave_release(struct inode *inode, struct file *file)
{
	struct enclave *e = file->private_data;

	enclave_end(e);
	enclave_put(e);
	return 0;
}

/* A handle owns nothing. */
static int handle_release(struct inode *inode, struct file *file)
{
	enclave_put(file->private_data);
	return 0;
}

static long enclave_ioctl(struct file *file, unsigned int command, unsigned long address)
{
	struct enclave *e = file->private_data;
	void __user *argument = (void __user *)address;
	unsigned int i;

	if (command == PISCES_IOC_WHO)
		return ioctl_who(e, argument);
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	switch (command) {
	case PISCES_IOC_END:
		if (file->f_op->release != enclave_release)
			return -EPERM;
		enclave_begin_end(e);
		return 0;
	case PISCES_IOC_TASK:
		return ioctl_task(e, argument);
	case PISCES_IOC_SNAPSHOT:
		return inspect_snapshot(e, argument);
	case PISCES_IOC_LAYOUT:
		return inspect_layout(e, argument);
	}
	for (i = 0; i < ARRAY_SIZE(enclave_calls); i++)
		if (enclave_calls[i].command == command)
			return enclave_call(e, &enclave_calls[i], argument);
	return -ENOTTY;
}

static __poll_t enclave_poll(struct file *file, poll_table *table)
{
	struct enclave *e = file->private_data;

	poll_wait(file, &e->changed, table);
	return enclave_is_over(e) ? EPOLLHUP : 0;
}

/* Who looks for the holders of an enclave need not take a copy, and hold it as well. */
static void enclave_show_fdinfo(struct seq_file *to, struct file *file)
{
	struct enclave *e = file->private_data;

	seq_printf(to, "pisces-enclave:\t%u\n", e->number);
}

static const struct file_operations enclave_operations = {
	.owner = THIS_MODULE,
	.show_fdinfo = enclave_show_fdinfo,
	.unlocked_ioctl = enclave_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.read = inspect_read,
	.poll = enclave_poll,
	.release = enclave_release,
};

static const struct file_operations handle_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = enclave_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.read = inspect_read,
	.poll = enclave_poll,
	.release = handle_release,
};

/* As anon_inode_getfd(), with pread(2). */
static int install_fd(const char *name, const struct file_operations *operations,
		      struct enclave *e)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct file *file;

	if (fd < 0)
		return fd;
	file = anon_inode_getfile(name, operations, e, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	file->f_mode |= FMODE_PREAD;
	fd_install(fd, file);
	return fd;
}

int handle_fd(struct enclave *e)
{
	int fd;

	enclave_get(e);
	fd = install_fd("[pisces-handle]", &handle_operations, e);
	if (fd < 0)
		enclave_put(e);
	return fd;
}

int enclave_fd(const struct pisces_create *request)
{
	struct enclave *e = enclave_create(request);
	int fd;

	if (IS_ERR(e))
		return PTR_ERR(e);
	fd = install_fd("[pisces-enclave]", &enclave_operations, e);
	if (fd < 0) {
		enclave_end(e);
		enclave_put(e);
	}
	return fd;
}
