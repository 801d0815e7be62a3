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

#define PATH_SIZE 256

static char reclaim_path[PATH_SIZE] = "/usr/bin/pisces"; /* changes under kernel_param_lock() */

/* As it comes from `echo`: with a newline. */
static int reclaim_path_set(const char *value, const struct kernel_param *parameter)
{
	size_t length = strcspn(value, "\n");

	if (length >= PATH_SIZE || (length && value[0] != '/'))
		return -EINVAL;
	memcpy(reclaim_path, value, length);
	reclaim_path[length] = 0;
	return 0;
}

static int reclaim_path_get(char *text, const struct kernel_param *parameter)
{
	return sysfs_emit(text, "%s\n", reclaim_path);
}

static const struct kernel_param_ops reclaim_path_ops = {
	.set = reclaim_path_set,
	.get = reclaim_path_get,
};
module_param_cb(reclaim, &reclaim_path_ops, NULL, 0644);
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
	char path[PATH_SIZE];
	int status; /* as of wait(2), or -errno */
};

static void run_free(struct kref *references)
{
	kfree(container_of(references, struct reclaim_run, references));
}

static void run_work(struct work_struct *work)
{
	struct reclaim_run *run = container_of(work, struct reclaim_run, work);
	char *argv[] = { run->path, "reclaim", "--returned", NULL };
	char *envp[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", NULL };

	run->status = call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC);
	complete(&run->done);
	kref_put(&run->references, run_free);
	module_put(THIS_MODULE); /* the code of this function: reclaim_exit() waits for it */
}

/* What the program ended with, as of wait(2); or -errno. */
static int run_program(void)
{
	struct reclaim_run *run = kzalloc(sizeof(*run), GFP_KERNEL);
	int status = -ETIMEDOUT;

	if (!run)
		return -ENOMEM;
	kernel_param_lock(THIS_MODULE);
	strscpy(run->path, reclaim_path, sizeof(run->path));
	kernel_param_unlock(THIS_MODULE);
	if (!run->path[0]) {
		kfree(run);
		return -ENOENT;
	}
	kref_init(&run->references);
	kref_get(&run->references);
	INIT_WORK(&run->work, run_work);
	init_completion(&run->done);
	__module_get(THIS_MODULE);
	queue_work(reclaim_queue, &run->work);
	if (wait_for_completion_timeout(&run->done, msecs_to_jiffies(RECLAIM_WAIT_MS)))
		status = run->status;
	kref_put(&run->references, run_free);
	return status;
}

void reclaim_start(void)
{
	int status;

	if (!blocks_wait() && !notes_wait())
		return;
	status = run_program();
	if (blocks_wait() || notes_wait())
		pr_warn("memory blocks or cpusets are not as they were (the program of parameter 'reclaim' ended with %d); run as root: pisces reclaim\n",
			status);
}
