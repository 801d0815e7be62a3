// SPDX-License-Identifier: GPL-2.0-or-later
#include "workers.h"

#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat.h"

struct worker {
	struct work_struct work;
	struct workers *workers;
};

struct workers {
	void (*function)(void *argument);
	void *argument;
	unsigned int count;
	struct worker each[];
};

static struct workqueue_struct *workers_queue; /* not that of enclaves: bound to CPUs */

int workers_init(void)
{
	workers_queue = alloc_workqueue("pisces_workers", WQ_CPU_INTENSIVE | COMPAT_WQ_PERCPU, 0);
	return workers_queue ? 0 : -ENOMEM;
}

void workers_exit(void)
{
	destroy_workqueue(workers_queue);
}

static void workers_work(struct work_struct *work)
{
	const struct workers *workers = container_of(work, struct worker, work)->workers;

	workers->function(workers->argument);
}

struct workers *workers_start(const struct cpumask *cpus, unsigned int most,
			      void (*function)(void *argument), void *argument)
{
	unsigned int cpu, count = min(cpumask_weight(cpus), most);
	struct workers *workers;
	struct worker *worker;

	if (!count)
		return NULL;
	workers = kvzalloc(struct_size(workers, each, count), GFP_KERNEL);
	if (!workers)
		return NULL;
	workers->function = function;
	workers->argument = argument;
	for_each_cpu(cpu, cpus) {
		if (workers->count == count)
			break;
		worker = &workers->each[workers->count++];
		worker->workers = workers;
		INIT_WORK(&worker->work, workers_work);
		queue_work_on(cpu, workers_queue, &worker->work);
	}
	return workers;
}

void workers_wait(struct workers *workers)
{
	unsigned int i;

	if (!workers)
		return;
	for (i = 0; i < workers->count; i++)
		flush_work(&workers->each[i].work);
	kvfree(workers);
}
