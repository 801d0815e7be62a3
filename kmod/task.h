/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tasks: programs with a proxy each, and the task fd. */
#ifndef PISCES_KMOD_TASK_H
#define PISCES_KMOD_TASK_H

#include <linux/types.h>

struct enclave;
struct pisces_task;

/*
 * PISCES_IOC_TASK: makes a task. Returns a reserved fd, not yet installed, and
 * its file at *FILE; fills the out fields of *REQUEST. e->mutex is held.
 */
int task_create(struct enclave *e, struct pisces_task *request, struct file **file);

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
