/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who pays: what a task uses in its enclave is put on the bill of its proxy. */
#ifndef PISCES_KMOD_USAGE_H
#define PISCES_KMOD_USAGE_H

#include <linux/types.h>

struct enclave;
struct mm_struct;
struct task;
struct task_struct;

/* Of an enclave; under its lock. */
struct usage {
	u64 tsc_khz;
	u64 looked_ns; /* when the last look was, CLOCK_MONOTONIC */
	u64 budget_ns; /* CPU time that it can have had and that is on no bill */
	unsigned int cpus; /* that it had then */
};

/* Of a task; under the lock of its enclave. */
struct bill {
	struct task_struct *proxy; /* with a reference; NULL before START */
	u64 found_ns;	/* CPU time, by the look that goes on */
	u64 charged_ns; /* and what the proxy has been charged with */
	struct mm_struct *mm; /* that maps the channel; without a reference: see usage_unmapped() */
	unsigned int mappings; /* of it in there */
	u64 pages;	      /* that are on the bill of mm */
	u64 peak;	      /* the most that there were */
};

/* The enclave boots: from here on its CPUs count. e->lock is held. */
void usage_begin_locked(struct enclave *e);

/* A task got its id: nothing is told of it yet. e->lock is held. */
void usage_clear_locked(struct enclave *e, u32 id);

/* The caller starts the program of the task, and pays for it. e->lock is held. */
void usage_started_locked(struct task *task);

/*
 * Reads what the co-kernel tells and charges all proxies with what is new. e->lock is
 * held. Nothing happens unless the enclave is RUNNING.
 */
void usage_look_locked(struct enclave *e);

/*
 * MM maps, or does not map any more, the channel of the task once. The first that maps it
 * is charged with memory, until it has no mapping left: by then MM still exists.
 */
void usage_mapped(struct task *task, struct mm_struct *mm);
void usage_unmapped(struct task *task, struct mm_struct *mm);

/* The task fd is closed, by the end of its proxy or before. e->lock is held. */
void usage_closed_locked(struct task *task);

/* Nobody has the task any more. */
void usage_free(struct task *task);

#endif
