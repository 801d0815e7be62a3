// SPDX-License-Identifier: GPL-2.0-or-later
/* Booting an enclave, top to bottom. */

#include <linux/ktime.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "boot.h"
#include "enclave.h"
#include "image.h"
#include "launch.h"
#include "memory.h"
#include "shared.h"
#include "watch.h"

/*
 * From the arrival of all CPUs to the co-kernel's word that it is ready. It may have
 * terabytes to clear; one that gives no sign of life meanwhile is ended long before.
 */
#define READY_WAIT_S 600

/* NUL-terminated, printable. */
static bool cmdline_is_good(const char *cmdline)
{
	size_t i, length = strnlen(cmdline, PISCES_CMDLINE_LEN);

	for (i = 0; i < length; i++)
		if (cmdline[i] < 0x20 || cmdline[i] > 0x7e)
			return false;
	return length < PISCES_CMDLINE_LEN;
}

static int boot_prepare(struct enclave *e, const struct pisces_boot *request,
			struct pisces_image_header *header)
{
	int ret;

	ret = image_load(e, request->image, request->image_size, header);
	if (ret)
		return ret;
	ret = shared_create(e);
	if (ret)
		goto unload;
	ret = pagetable_create(&e->pagetable);
	if (ret)
		goto destroy_shared;
	ret = bell_create(e, e->cpus[0].node);
	if (ret)
		goto destroy_pagetable;
	shared_describe(e, request->cmdline);
	return 0;

destroy_pagetable:
	pagetable_destroy(&e->pagetable);
destroy_shared:
	shared_destroy(e);
unload:
	image_unload(e);
	return ret;
}

static void boot_undo(struct enclave *e)
{
	bell_destroy(e);
	pagetable_destroy(&e->pagetable);
	shared_destroy(e);
	image_unload(e);
}

/* -ESHUTDOWN: Linux goes down, and nobody would stop it any more. */
static int boot_begin(struct enclave *e)
{
	unsigned long flags;
	int ret = 0;

	spin_lock_irqsave(&e->lock, flags);
	if (enclaves_are_silenced()) {
		ret = -ESHUTDOWN;
	} else {
		WRITE_ONCE(e->state, PISCES_ENCLAVE_BOOTING);
		usage_begin_locked(e);
		watch_start_locked(e);
	}
	spin_unlock_irqrestore(&e->lock, flags);
	return ret;
}

static void boot_take_back(struct enclave *e)
{
	unsigned long flags;

	spin_lock_irqsave(&e->lock, flags);
	WRITE_ONCE(e->state, PISCES_ENCLAVE_NEW);
	spin_unlock_irqrestore(&e->lock, flags);
	/* If Linux goes down at this moment, the enclave has been dead in between. */
	cancel_delayed_work_sync(&e->silence_work);
	boot_undo(e);
}

static int boot_wait_ready(struct enclave *e)
{
	long left = wait_event_killable_timeout(e->changed,
						enclave_state(e) != PISCES_ENCLAVE_BOOTING ||
							READ_ONCE(e->ending),
						READY_WAIT_S * HZ);

	if (enclave_state(e) == PISCES_ENCLAVE_RUNNING)
		return 0;
	if (left < 0)
		return -EINTR;
	return left == 0 ? -ETIMEDOUT : -ESHUTDOWN;
}

static void boot_failed(struct enclave *e, int error, bool arrived)
{
	if (error == -EINTR)
		enclave_die(e, true, "it was killed while it booted");
	else if (error == -ETIMEDOUT && !arrived)
		enclave_die(e, true, "not all of its CPUs arrived in the co-kernel");
	else if (error == -ETIMEDOUT)
		enclave_die(e, true, "the co-kernel did not say in 10 minutes that it is ready");
}

int enclave_boot(struct enclave *e, struct pisces_boot *request)
{
	struct pisces_image_header header;
	ktime_t start = ktime_get();
	u64 launch_ns = 0;
	int ret;

	if (!cmdline_is_good(request->cmdline))
		return -EINVAL;
	if (e->state != PISCES_ENCLAVE_NEW)
		return enclave_is_over(e) ? -ESHUTDOWN : -EBUSY;
	if (!e->cpu_count || !e->range_count)
		return -EBUSY;

	ret = boot_prepare(e, request, &header);
	if (ret)
		return ret;
	ret = boot_begin(e);
	if (ret) {
		boot_undo(e);
		return ret;
	}
	e->image_virtual = header.virtual_base;
	e->image_entry = header.entry;
	ret = launch_cpus(e, 0, e->cpu_count, &launch_ns);
	if (ret && !e->launched) {
		boot_take_back(e);
		return ret;
	}
	if (ret) {
		boot_failed(e, ret, false);
		return ret;
	}
	ret = boot_wait_ready(e);
	if (ret) {
		boot_failed(e, ret, true);
		return ret;
	}
	request->boot_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	request->launch_ns = launch_ns;
	enclave_info(e, "runs on %u CPUs with %llu MiB; booted in %llu us, of these launch %llu us\n",
		     e->cpu_count, enclave_memory(e) >> 20, request->boot_ns / 1000,
		     launch_ns / 1000);
	return 0;
}
