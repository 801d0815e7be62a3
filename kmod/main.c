// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pisces.ko: takes CPUs and memory from a running Linux, boots a co-kernel on
 * them, and gives them back. This file is the module's start, and what it does when
 * Linux goes down.
 */

#include <linux/cc_platform.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/reboot.h>
#include <linux/suspend.h>
#include <asm/cpufeature.h>
#include <asm/tsc.h>
#include <pisces/build_id.h>

#include "block.h"
#include "clock.h"
#include "control_fd.h"
#include "enclave.h"
#include "reclaim.h"
#include "workers.h"

/* ---- when Linux goes down ---- */

/* Also before kexec, whose new kernel would use the memory that a co-kernel still writes to. */
static int reboot_notify(struct notifier_block *block, unsigned long action, void *data)
{
	enclaves_silence_all(false);
	return NOTIFY_DONE;
}

static struct notifier_block reboot_block = { .notifier_call = reboot_notify };

static int panic_notify(struct notifier_block *block, unsigned long action, void *data)
{
	enclaves_silence_all(true);
	return NOTIFY_DONE;
}

static struct notifier_block panic_block = { .notifier_call = panic_notify };

/* Sleep would switch the enclaves' CPUs off. */
static int sleep_notify(struct notifier_block *block, unsigned long action, void *data)
{
	if (action != PM_SUSPEND_PREPARE && action != PM_HIBERNATION_PREPARE)
		return NOTIFY_DONE;
	if (!enclaves_hold_cpus())
		return NOTIFY_DONE;
	pr_warn("Linux cannot sleep while enclaves have CPUs; see them with: pisces list\n");
	return NOTIFY_BAD;
}

static struct notifier_block sleep_block = { .notifier_call = sleep_notify };

/* ---- the module ---- */

static const char *const ways[] = { "contig", "block", "remove" };
static const char *memory_way = "contig";

static int memory_way_set(const char *value, const struct kernel_param *parameter)
{
	int way = sysfs_match_string(ways, value);

	if (way < 0)
		return way;
	WRITE_ONCE(memory_way, ways[way]);
	return 0;
}

static int memory_way_get(char *text, const struct kernel_param *parameter)
{
	return sysfs_emit(text, "%s\n", READ_ONCE(memory_way));
}

/* The module does not use it: libpisces, which can fall back, reads it. */
static const struct kernel_param_ops memory_way_ops = {
	.set = memory_way_set,
	.get = memory_way_get,
};
module_param_cb(memory_way, &memory_way_ops, NULL, 0644);
MODULE_PARM_DESC(memory_way, "how memory is taken if a request does not say: contig, block, remove");

static int machine_check(void)
{
	if (cc_platform_has(CC_ATTR_MEM_ENCRYPT)) {
		pr_err("memory encryption is active: a co-kernel could not read what Linux writes for it\n");
		return -EOPNOTSUPP;
	}
	if (boot_cpu_has(X86_FEATURE_XENPV) || !boot_cpu_has(X86_FEATURE_NX) || !tsc_khz) {
		pr_err("this machine has no INIT/SIPI, no NX or no TSC: co-kernels cannot run here\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int __init pisces_init(void)
{
	int ret;

	ret = machine_check();
	if (ret)
		return ret;
	clock_init();
	ret = workers_init();
	if (ret)
		return ret;
	ret = reclaim_init();
	if (ret)
		goto exit_workers;
	ret = blocks_init();
	if (ret)
		goto exit_reclaim;
	ret = enclaves_init();
	if (ret)
		goto exit_blocks;
	ret = cpus_init();
	if (ret)
		goto exit_enclaves;
	ret = register_reboot_notifier(&reboot_block);
	if (ret)
		goto exit_cpus;
	ret = atomic_notifier_chain_register(&panic_notifier_list, &panic_block);
	if (ret)
		goto exit_reboot;
	ret = register_pm_notifier(&sleep_block);
	if (ret)
		goto exit_panic;
	ret = control_fd_init();
	if (ret)
		goto exit_sleep;
	pr_info("version %s, contract %s\n", PISCES_VERSION_STRING, PISCES_BUILD_ID);
	return 0;

exit_sleep:
	unregister_pm_notifier(&sleep_block);
exit_panic:
	atomic_notifier_chain_unregister(&panic_notifier_list, &panic_block);
exit_reboot:
	unregister_reboot_notifier(&reboot_block);
exit_cpus:
	cpus_exit();
exit_enclaves:
	enclaves_exit();
exit_blocks:
	blocks_exit();
exit_reclaim:
	reclaim_exit();
exit_workers:
	workers_exit();
	return ret;
}

/* Not while an enclave lives: its fds, and a quarantine, hold the module. */
static void __exit pisces_exit(void)
{
	control_fd_exit();
	unregister_pm_notifier(&sleep_block);
	atomic_notifier_chain_unregister(&panic_notifier_list, &panic_block);
	unregister_reboot_notifier(&reboot_block);
	cpus_exit();
	enclaves_exit();
	blocks_exit();
	reclaim_exit();
	workers_exit();
}

module_init(pisces_init);
module_exit(pisces_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Enclaves: CPUs and memory of this node for co-kernels");
MODULE_VERSION(PISCES_VERSION_STRING);
