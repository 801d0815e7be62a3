/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The task fd: what the proxy asks of the module. In one table, so that a test
 * can stand in for module and co-kernel.
 */
#ifndef PROXY_TASK_H
#define PROXY_TASK_H

#include <stddef.h>
#include <stdint.h>

struct task;
struct pisces_signal; /* pisces/ioctl.h */

/* Functions that can fail return 0 or a negative errno. */
struct task_ops {
	/* Maps the channel; its bytes in *size. NULL and errno if it cannot be. */
	uint8_t *(*map)(struct task *task, uint64_t *size);
	/* The exec block is in the channel: run it. */
	int (*start)(struct task *task);
	/*
	 * Waits awake, for a moment, for a message behind the first SEEN ones in the ring of
	 * calls. 0: it is there; all else: go to sleep (PISCES_IOC_LINGER).
	 */
	int (*linger)(struct task *task, uint32_t seen);
	/* Rings the co-kernel. Any thread. A dead one is noticed by poll(2). */
	void (*bell)(struct task *task);
	/* Sends the program a signal; -EAGAIN: not now. */
	int (*signal)(struct task *task, const struct pisces_signal *signal);
	/* After POLLHUP: one line that says what became of the enclave. */
	void (*obituary)(struct task *task, char *text, size_t size);
};

struct task {
	const struct task_ops *ops;
	int fd;		  /* poll(2): POLLIN is a bell, POLLHUP the end; read(2) as an eventfd */
	uint32_t enclave; /* its number */
	uint64_t channel_size;
};

/* Makes TASK of the task fd of the module. Returns 0 or a negative errno. */
int task_open(struct task *task, int fd);

#endif
