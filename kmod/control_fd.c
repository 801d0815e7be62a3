// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <pisces/build_id.h>

#include "block.h"
#include "control_fd.h"
#include "enclave.h"
#include "notes.h"
#include "places.h"
#include "shared.h"

static int call_version(void *argument)
{
	struct pisces_version *version = argument;

	version->abi = PISCES_ABI_VERSION;
	strscpy(version->build_id, PISCES_BUILD_ID, sizeof(version->build_id));
	return 0;
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

static int call_create(void *argument)
{
	const struct pisces_create *request = argument;

	if (request->abi != PISCES_ABI_VERSION ||
	    strncmp(request->build_id, PISCES_BUILD_ID, sizeof(request->build_id)))
		return -EPROTO;
	if (request->flags || request->unused || !name_is_good(request->name))
		return -EINVAL;
	return enclave_fd(request);
}

static int call_list(void *argument)
{
	struct pisces_list *request = argument;
	u32 *numbers;
	int ret = 0;

	if (request->flags & ~PISCES_LIST_GONE || request->unused)
		return -EINVAL;
	numbers = kcalloc(ENCLAVES_MAX + ENCLAVES_GONE_MAX, sizeof(*numbers), GFP_KERNEL);
	if (!numbers)
		return -ENOMEM;
	request->count = enclave_list(numbers, ENCLAVES_MAX + ENCLAVES_GONE_MAX,
				      request->flags & PISCES_LIST_GONE);
	if (copy_to_user(u64_to_user_ptr(request->enclaves), numbers,
			 min(request->count, request->capacity) * sizeof(*numbers)))
		ret = -EFAULT;
	kfree(numbers);
	return ret;
}

/* May the caller see what goes on inside of it? That it is there, everybody may. */
static bool may_look_inside(const struct enclave *e)
{
	return capable(CAP_SYS_ADMIN) ||
	       uid_eq(current_euid(), make_kuid(&init_user_ns, e->uid));
}

static int call_info(void *argument)
{
	struct pisces_info *info = argument;
	struct enclave *e = enclave_find_any(info->enclave);
	unsigned int i;

	if (!e)
		return -ENOENT;
	enclave_describe(e, info);
	if (!may_look_inside(e)) {
		/* As /proc/iomem does */
		for (i = 0; i < PISCES_INFO_RANGES; i++)
			info->ranges[i].base = 0;
		memset(info->reason, 0, sizeof(info->reason));
	}
	enclave_put(e);
	return 0;
}

static int call_status(void *argument)
{
	struct pisces_get_status *request = argument;
	struct enclave *e = enclave_find(request->enclave);
	int ret;

	if (!e)
		return -ENOENT;
	ret = may_look_inside(e) ? shared_read_status(e, request) : -EPERM;
	enclave_put(e);
	return ret;
}

static int call_console(void *argument)
{
	const struct pisces_get_console *request = argument;
	struct enclave *e;
	int ret = -EPERM;

	if (request->unused)
		return -EINVAL;
	e = enclave_find_any(request->enclave);
	if (!e)
		return -ENOENT;
	if (may_look_inside(e))
		ret = console_fd(e);
	enclave_put(e);
	return ret;
}

static int call_open(void *argument)
{
	const struct pisces_open *request = argument;
	struct enclave *e;
	int fd;

	if (request->unused)
		return -EINVAL;
	e = enclave_find_any(request->enclave);
	if (!e)
		return -ENOENT;
	fd = handle_fd(e);
	enclave_put(e);
	return fd;
}

static int call_places(void *argument)
{
	return places_list(argument);
}

static int call_blocks(void *argument)
{
	return blocks_list(argument);
}

static int call_reclaim(void *unused)
{
	return blocks_reclaim();
}

static int call_cpuset_next(void *argument)
{
	return notes_next(argument);
}

static int call_cpuset_done(void *argument)
{
	return notes_done(argument);
}

/*
 * One line for each call, as in enclave_fd.c: a function that gets a copy of the
 * argument, which goes back if the command says so and the call went well. Calls that
 * make an fd return it, and their arguments do not go back.
 */
static const struct control_call {
	unsigned int command;
	bool anyone; /* may look; the others are for CAP_SYS_ADMIN */
	int (*call)(void *argument);
} control_calls[] = {
	{ PISCES_IOC_VERSION, true, call_version },
	{ PISCES_IOC_CREATE, false, call_create },
	{ PISCES_IOC_LIST, true, call_list },
	{ PISCES_IOC_INFO, true, call_info },
	{ PISCES_IOC_STATUS, true, call_status },
	{ PISCES_IOC_CONSOLE, true, call_console },
	{ PISCES_IOC_OPEN, false, call_open },
	{ PISCES_IOC_PLACES, true, call_places },
	{ PISCES_IOC_BLOCKS, false, call_blocks },
	{ PISCES_IOC_RECLAIM, false, call_reclaim },
	{ PISCES_IOC_CPUSET_NEXT, false, call_cpuset_next },
	{ PISCES_IOC_CPUSET_DONE, false, call_cpuset_done },
};

static int control_call(const struct control_call *call, void __user *address)
{
	size_t size = _IOC_SIZE(call->command);
	void *argument = kzalloc(size, GFP_KERNEL);
	int ret = 0;

	if (!argument)
		return -ENOMEM;
	if (_IOC_DIR(call->command) & _IOC_WRITE && copy_from_user(argument, address, size))
		ret = -EFAULT;
	if (!ret)
		ret = call->call(argument);
	if (ret >= 0 && _IOC_DIR(call->command) & _IOC_READ &&
	    copy_to_user(address, argument, size))
		ret = -EFAULT;
	kfree(argument);
	return ret;
}

static long control_ioctl(struct file *file, unsigned int command, unsigned long address)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(control_calls); i++) {
		if (control_calls[i].command != command)
			continue;
		if (!control_calls[i].anyone && !capable(CAP_SYS_ADMIN))
			return -EPERM;
		return control_call(&control_calls[i], (void __user *)address);
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

int control_fd_init(void)
{
	return misc_register(&control_device);
}

void control_fd_exit(void)
{
	misc_deregister(&control_device);
}
