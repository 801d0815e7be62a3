// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A look into an enclave from outside, for pisces dump. The co-kernel is not asked.
 *
 * What is copied to user space is copied twice, so that a page of the user's that
 * takes its time holds up nobody.
 */

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "enclave.h"
#include "inspect.h"
#include "memory.h"
#include "snapshot.h"

/* Bytes that are copied at a time. */
#define PIECE 0x40000u

/*
 * 0 if the enclave has memory of the co-kernel's, which stays until e->shared_sem is
 * dropped: the end of an enclave takes the shared area away first. e->mutex is held
 * too, against changes while it runs.
 */
static int inspect_check(const struct enclave *e)
{
	if (e->shared.pages)
		return 0;
	return enclave_is_over(e) ? -ESHUTDOWN : -EBUSY;
}

static bool inspect_hits(u64 base, u64 size, u64 address, size_t *bytes)
{
	if (address < base || address - base >= size)
		return false;
	*bytes = min_t(u64, *bytes, size - (address - base));
	return true;
}

/* Copies what there is at ADDRESS to TO; *BYTES is cut to what follows there. 0 or -errno. */
static int inspect_fetch(struct enclave *e, u64 address, void *to, size_t *bytes)
{
	struct memory_range *range;
	void *from;

	if (inspect_hits(page_to_phys(e->shared.pages), e->shared.bytes, address, bytes)) {
		memcpy(to, phys_to_virt(address), *bytes);
		return 0;
	}
	range = memory_range_at(&e->ranges, address);
	if (!range || !inspect_hits(range->base, range->size, address, bytes))
		return -EFAULT;
	from = memory_map(range, address, *bytes);
	if (!from)
		return -ENOMEM;
	memcpy(to, from, *bytes);
	memory_unmap(range, from);
	return 0;
}

/* Copies at most BYTES from ADDRESS on to TO. Returns how many, or -errno. */
static ssize_t inspect_copy(struct enclave *e, u64 address, void *to, size_t bytes)
{
	ssize_t ret;

	ret = mutex_lock_killable(&e->mutex);
	if (ret)
		return ret;
	down_read(&e->shared_sem);
	ret = inspect_check(e);
	if (!ret)
		ret = inspect_fetch(e, address, to, &bytes) ?: (ssize_t)bytes;
	up_read(&e->shared_sem);
	mutex_unlock(&e->mutex);
	return ret;
}

ssize_t inspect_read(struct file *file, char __user *buffer, size_t size, loff_t *position)
{
	struct enclave *e = file->private_data;
	ssize_t ret = 0, done = 0;
	void *copy;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	copy = kvmalloc(min_t(size_t, size, PIECE), GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	while (size) {
		ret = inspect_copy(e, *position, copy, min_t(size_t, size, PIECE));
		if (ret < 0)
			break;
		if (copy_to_user(buffer + done, copy, ret)) {
			ret = -EFAULT;
			break;
		}
		done += ret;
		size -= ret;
		*position += ret;
		cond_resched();
	}
	kvfree(copy);
	return done ?: ret;
}

int inspect_layout(struct enclave *e, void __user *argument)
{
	struct pisces_range_info *ranges = NULL;
	struct pisces_layout layout;
	struct memory_range *range;
	u32 capacity;
	int ret;

	if (copy_from_user(&layout, argument, sizeof(layout)))
		return -EFAULT;
	layout.count = 0;
	ret = mutex_lock_killable(&e->mutex);
	if (ret)
		return ret;
	capacity = min(layout.capacity, e->range_count);
	ranges = kvcalloc(capacity + 1, sizeof(*ranges), GFP_KERNEL);
	if (!ranges) {
		mutex_unlock(&e->mutex);
		return -ENOMEM;
	}
	down_read(&e->shared_sem);
	ret = inspect_check(e);
	if (!ret) {
		list_for_each_entry(range, &e->ranges, link) {
			if (layout.count < capacity)
				ranges[layout.count] = (struct pisces_range_info){
					.base = range->base,
					.size = range->size,
					.node = range->node,
					.way = range->way,
				};
			layout.count++;
		}
		layout.image_base = e->image_base;
		layout.image_size = e->image_bytes;
		layout.image_virtual = e->image_virtual;
		layout.shared_base = page_to_phys(e->shared.pages);
		layout.shared_size = e->shared.bytes;
	}
	up_read(&e->shared_sem);
	mutex_unlock(&e->mutex);
	if (!ret && (copy_to_user(u64_to_user_ptr(layout.ranges), ranges,
				  min(capacity, layout.count) * sizeof(*ranges)) ||
		     copy_to_user(argument, &layout, sizeof(layout))))
		ret = -EFAULT;
	kvfree(ranges);
	return ret;
}

int inspect_snapshot(struct enclave *e, void __user *argument)
{
	struct pisces_snapshot request;
	int ret;

	if (copy_from_user(&request, argument, sizeof(request)))
		return -EFAULT;
	if (request.unused)
		return -EINVAL;
	ret = snapshot_read(e, &request.count, u64_to_user_ptr(request.registers));
	if (!ret && copy_to_user(argument, &request, sizeof(request)))
		ret = -EFAULT;
	return ret;
}
