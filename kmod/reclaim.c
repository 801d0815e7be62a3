// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * User space's part of giving back: memory blocks go online, and cpusets get their CPUs,
 * by files of Linux that only a process can write. So the module starts one.
 */

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/umh.h>
#include <linux/workqueue.h>

#include "block.h"
#include "log.h"
#include "notes.h"
#include "reclaim.h"

#define RECLAIM_WAIT_MS 60000

static char reclaim_path[256] = "/usr/bin/pisces";
module_param_string(reclaim, reclaim_path, sizeof(reclaim_path), 0644);
MODULE_PARM_DESC(reclaim,
		 "program that brings memory blocks online and repairs cpusets; \"\" for none");

static struct workqueue_struct *reclaim_queue; /* its works wait for user space */

int reclaim_init(void)
{
	reclaim_queue = alloc_workqueue("pisces_reclaim", WQ_UNBOUND, 0);
	return reclaim_queue ? 0 : -ENOMEM;
}

void reclaim_exit(void)
{
	destroy_workqueue(reclaim_queue);
}

/* One run of the program. It may last longer than anybody waits for it. */
struct reclaim_run {
	struct kref references;
	struct work_struct work;
	struct completion done;
	int status; /* as of wait(2), or -errno */
};

static void run_free(struct kref *references)
{
	kfree(container_of(references, struct reclaim_run, references));
}

static void run_work(struct work_struct *work)
{
	struct reclaim_run *run = container_of(work, struct reclaim_run, work);
	char *argv[] = { reclaim_path, "reclaim", "--returned", NULL };
	char *envp[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", NULL };

	run->status = call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC);
	complete(&run->done);
	kref_put(&run->references, run_free);
	module_put(THIS_MODULE); /* the code of this function: reclaim_exit() waits for it */
}

void reclaim_start(void)
{
	struct reclaim_run *run;
	int status = -ENOMEM;

	if (!blocks_wait() && !notes_wait())
		return;
	run = reclaim_path[0] ? kzalloc(sizeof(*run), GFP_KERNEL) : NULL;
	if (run) {
		kref_init(&run->references);
		kref_get(&run->references);
		INIT_WORK(&run->work, run_work);
		init_completion(&run->done);
		__module_get(THIS_MODULE);
		queue_work(reclaim_queue, &run->work);
		status = -ETIMEDOUT;
		if (wait_for_completion_timeout(&run->done, msecs_to_jiffies(RECLAIM_WAIT_MS)))
			status = run->status;
		kref_put(&run->references, run_free);
	}
	if (blocks_wait() || notes_wait())
		pr_warn("memory blocks or cpusets are not as they were ('%s reclaim': %d); run as root: pisces reclaim\n",
			reclaim_path, status);
}
