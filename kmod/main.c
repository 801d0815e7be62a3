// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pisces.ko: takes CPUs and memory from a running Linux, boots a co-kernel on
 * them, and gives them back. This file is the module's start and the control fd.
 */

#include <linux/capability.h>
#include <linux/cc_platform.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <linux/suspend.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/tsc.h>
#include <pisces/build_id.h>

#include "block.h"
#include "clock.h"
#include "enclave.h"
#include "places.h"
#include "notes.h"
#include "reclaim.h"
#include "scrub.h"
#include "shared.h"

/* ---- control fd ---- */

static int ioctl_version(void __user *argument)
{
	struct pisces_version version = { .abi = PISCES_ABI_VERSION };

	strscpy(version.build_id, PISCES_BUILD_ID, sizeof(version.build_id));
	return copy_to_user(argument, &version, sizeof(version)) ? -EFAULT : 0;
}

/* [A-Za-z0-9._:-]*, NUL-terminated */
static bool name_is_good(const char *name)
{
	size_t i, length = strnlen(name, PISCES_NAME_LEN);

	for (i = 0; i < length; i++) {
		char c = name[i], lower = c | 0x20;

		if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '.' && c != '_' && c != ':' && c != '-')
			return false;
	}
	return length < PISCES_NAME_LEN;
}

static int ioctl_create(void __user *argument)
{
	struct pisces_create request;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&request, argument, sizeof(request)))
		return -EFAULT;
	if (request.abi != PISCES_ABI_VERSION ||
	    strncmp(request.build_id, PISCES_BUILD_ID, sizeof(request.build_id)))
		return -EPROTO;
	if (request.flags || request.unused || !name_is_good(request.name))
		return -EINVAL;
	return enclave_fd(&request);
}

static int ioctl_list(void __user *argument)
{
	struct pisces_list request;
	u32 *numbers, stored;
	int ret = 0;

	if (copy_from_user(&request, argument, sizeof(request)))
		return -EFAULT;
	if (request.flags & ~PISCES_LIST_GONE || request.unused)
		return -EINVAL;
	numbers = kcalloc(ENCLAVES_MAX + ENCLAVES_GONE_MAX, sizeof(*numbers), GFP_KERNEL);
	if (!numbers)
		return -ENOMEM;
	request.count = enclave_list(numbers, ENCLAVES_MAX + ENCLAVES_GONE_MAX,
				     request.flags & PISCES_LIST_GONE);
	stored = min(request.count, request.capacity);
	if (copy_to_user(u64_to_user_ptr(request.enclaves), numbers, stored * sizeof(*numbers)) ||
	    copy_to_user(argument, &request, sizeof(request)))
		ret = -EFAULT;
	kfree(numbers);
	return ret;
}

static int ioctl_info(void __user *argument)
{
	struct pisces_info *info;
	struct enclave *e;
	u32 number;
	int ret = 0;

	if (get_user(number, &((struct pisces_info __user *)argument)->enclave))
		return -EFAULT;
	info = kmalloc(sizeof(*info), GFP_KERNEL);
	if (!info)
		return -ENOMEM;
	e = enclave_find_any(number);
	if (e) {
		enclave_describe(e, info);
		enclave_put(e);
		if (copy_to_user(argument, info, sizeof(*info)))
			ret = -EFAULT;
	} else {
		ret = -ENOENT;
	}
	kfree(info);
	return ret;
}

static int ioctl_status(void __user *argument)
{
	struct pisces_get_status request;
	struct enclave *e;
	int ret;

	if (copy_from_user(&request, argument, sizeof(request)))
		return -EFAULT;
	e = enclave_find(request.enclave);
	if (!e)
		return -ENOENT;
	ret = shared_read_status(e, &request);
	enclave_put(e);
	if (!ret && copy_to_user(argument, &request, sizeof(request)))
		ret = -EFAULT;
	return ret;
}

static int ioctl_console(void __user *argument)
{
	struct pisces_get_console request;
	struct enclave *e;
	int ret = -EPERM;

	if (copy_from_user(&request, argument, sizeof(request)))
		return -EFAULT;
	if (request.unused)
		return -EINVAL;
	e = enclave_find_any(request.enclave);
	if (!e)
		return -ENOENT;
	if (capable(CAP_SYS_ADMIN) ||
	    uid_eq(current_euid(), make_kuid(&init_user_ns, e->uid)))
		ret = console_fd(e);
	enclave_put(e);
	return ret;
}

static int ioctl_open(void __user *argument)
{
	struct pisces_open request;
	struct enclave *e;
	int fd;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&request, argument, sizeof(request)))
		return -EFAULT;
	if (request.unused)
		return -EINVAL;
	e = enclave_find_any(request.enclave);
	if (!e)
		return -ENOENT;
	fd = handle_fd(e);
	enclave_put(e);
	return fd;
}

static int ioctl_blocks(void __user *argument)
{
	struct pisces_blocks request;
	int ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&request, argument, sizeof(request)))
		return -EFAULT;
	ret = blocks_list(&request);
	if (!ret && copy_to_user(argument, &request, sizeof(request)))
		ret = -EFAULT;
	return ret;
}

static int ioctl_cpuset(unsigned int command, void __user *argument)
{
	struct pisces_cpuset_note *note;
	int ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	note = memdup_user(argument, sizeof(*note));
	if (IS_ERR(note))
		return PTR_ERR(note);
	if (command == PISCES_IOC_CPUSET_DONE) {
		ret = notes_done(note);
	} else {
		ret = notes_next(note);
		if (!ret && copy_to_user(argument, note, sizeof(*note)))
			ret = -EFAULT;
	}
	kfree(note);
	return ret;
}

static long control_ioctl(struct file *file, unsigned int command, unsigned long address)
{
	void __user *argument = (void __user *)address;

	switch (command) {
	case PISCES_IOC_VERSION:
		return ioctl_version(argument);
	case PISCES_IOC_CREATE:
		return ioctl_create(argument);
	case PISCES_IOC_LIST:
		return ioctl_list(argument);
	case PISCES_IOC_INFO:
		return ioctl_info(argument);
	case PISCES_IOC_STATUS:
		return ioctl_status(argument);
	case PISCES_IOC_CONSOLE:
		return ioctl_console(argument);
	case PISCES_IOC_OPEN:
		return ioctl_open(argument);
	case PISCES_IOC_PLACES:
		return ioctl_places(argument);
	case PISCES_IOC_BLOCKS:
		return ioctl_blocks(argument);
	case PISCES_IOC_RECLAIM:
		return capable(CAP_SYS_ADMIN) ? blocks_reclaim() : -EPERM;
	case PISCES_IOC_CPUSET_NEXT:
	case PISCES_IOC_CPUSET_DONE:
		return ioctl_cpuset(command, argument);
	}
	return -ENOTTY;
}

static const struct file_operations control_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = control_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice control_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "pisces",
	.fops = &control_operations,
	.mode = 0644, /* anyone may look */
};

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
	ret = scrub_init();
	if (ret)
		return ret;
	ret = reclaim_init();
	if (ret)
		goto exit_scrub;
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
	ret = misc_register(&control_device);
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
exit_scrub:
	scrub_exit();
	return ret;
}

/* Not while an enclave lives: its fds, and a quarantine, hold the module. */
static void __exit pisces_exit(void)
{
	misc_deregister(&control_device);
	unregister_pm_notifier(&sleep_block);
	atomic_notifier_chain_unregister(&panic_notifier_list, &panic_block);
	unregister_reboot_notifier(&reboot_block);
	cpus_exit();
	enclaves_exit();
	blocks_exit();
	reclaim_exit();
	scrub_exit();
}

module_init(pisces_init);
module_exit(pisces_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Enclaves: CPUs and memory of this node for co-kernels");
MODULE_VERSION(PISCES_VERSION_STRING);
