/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tasks: programs with a proxy each, and the task fd. */
#ifndef PISCES_KMOD_TASK_H
#define PISCES_KMOD_TASK_H

#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <pisces/abi.h>
#include <pisces/ring.h>

#include "usage.h"

struct enclave;
struct file;
struct page;
struct pisces_task;

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
	struct bill bill;

	wait_queue_head_t wait;
	struct work_struct put_work; /* for where freeing is not allowed */

	struct page *channel;
	size_t channel_bytes;
	struct pisces_ring *calls;   /* shared with a proxy and a co-kernel: */
	struct pisces_ring *replies; /* what is in there is believed by neither of us */
};

/* Nothing will come from the co-kernel any more. */
bool task_is_over(const struct task *task);

/* PISCES_IOC_LINGER, with its argument. */
int task_linger(struct task *task, u32 seen);

/*
 * PISCES_IOC_TASK: makes a task. Returns a reserved fd, not yet installed, and
 * its file at *FILE; fills the out fields of *REQUEST. e->mutex is held.
 */
int task_create(struct enclave *e, struct pisces_task *request, struct file **file);

/* A file for the task, which takes over a reference; or an ERR_PTR. */
struct file *task_file(struct task *task);

void task_put(struct task *task);

/* Takes it out of the enclave's table. The table's reference is the caller's then. */
void task_remove_locked(struct task *task);

/* Wakes the proxies that the co-kernel has asked for. True if there were any. e->drain is held. */
bool tasks_answer(struct enclave *e);

/* The co-kernel has let go of a task. e->lock is held. False: there is no such task. */
bool task_ended_locked(struct enclave *e, u64 id);

/* Wakes all who wait for a task of this enclave. e->lock is held. */
void tasks_wake_locked(struct enclave *e);

/*
 * The enclave is over and its CPUs are Linux's: takes the channels back. Proxies
 * that still map one keep its pages, and nothing else, alive.
 */
void tasks_finish(struct enclave *e);

#endif
