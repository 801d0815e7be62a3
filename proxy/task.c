/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "task.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <pisces/channel.h>
#include <pisces/ioctl.h>

#include "descriptor.h"
#include "hwloc-glue/libpisces.h"

static uint8_t *task_map(struct task *task, uint64_t *size)
{
	void *memory = mmap(NULL, task->channel_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    task->fd, 0);

	*size = task->channel_size;
	return memory == MAP_FAILED ? NULL : memory;
}

static int task_start(struct task *task)
{
	return ioctl(task->fd, PISCES_IOC_START) < 0 ? -errno : 0;
}

static int task_linger(struct task *task, uint32_t seen)
{
	return ioctl(task->fd, PISCES_IOC_LINGER, (unsigned long)seen) < 0 ? -errno : 0;
}

static void task_bell(struct task *task)
{
	ioctl(task->fd, PISCES_IOC_BELL);
}

static int task_signal(struct task *task, const struct pisces_signal *signal)
{
	return ioctl(task->fd, PISCES_IOC_SIGNAL, signal) < 0 ? -errno : 0;
}

static void task_obituary(struct task *task, char *text, size_t size)
{
	struct pisces_info info;
	struct pisces_error error;

	if (pisces_info(task->enclave, &info, &error) != 0)
		snprintf(text, size, "enclave %u is gone: the process that owned it has ended",
			 task->enclave);
	else if (info.reason[0] != '\0')
		snprintf(text, size,
			 "the co-kernel of enclave %u died: %.*s; see `pisces console %u` or the "
			 "node's kernel log",
			 task->enclave, (int)sizeof(info.reason) - 1, info.reason, task->enclave);
	else if (info.state == PISCES_ENCLAVE_ENDING || info.state == PISCES_ENCLAVE_GONE)
		snprintf(text, size, "enclave %u was ended under the running program",
			 task->enclave);
	else
		snprintf(text, size,
			 "enclave %u ended the program without a word, as it does when it has no "
			 "memory to begin it: ask for more, or see `pisces console %u`",
			 task->enclave, task->enclave);
}

static const struct task_ops module_ops = {
	.map = task_map,
	.start = task_start,
	.linger = task_linger,
	.bell = task_bell,
	.signal = task_signal,
	.obituary = task_obituary,
};

int task_open(struct task *task, int fd)
{
	struct pisces_own_info who;

	if (ioctl(fd, PISCES_IOC_WHO, &who) < 0)
		return -errno;
	if (who.task == UINT32_MAX)
		return -EINVAL;
	task->ops = &module_ops;
	task->fd = descriptor_hide(fd);
	task->enclave = who.enclave;
	task->channel_size = who.channel_size;
	return 0;
}
