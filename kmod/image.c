// SPDX-License-Identifier: GPL-2.0-or-later
/* A co-kernel image on its way into an enclave's memory. */

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <pisces/build_id.h>

#include "enclave.h"
#include "image.h"
#include "memory.h"

#define COPY_BYTES 0x100000ull
#define UPPER_HALF 0xffff800000000000ull

static int header_check(const struct pisces_image_header *header, u64 bytes)
{
	u64 end = header->virtual_base + round_up(header->memory_size, PISCES_MEMORY_ALIGN);

	if (header->magic != PISCES_IMAGE_MAGIC || header->header_size != sizeof(*header))
		return -ENOEXEC;
	if (header->abi != PISCES_ABI_VERSION ||
	    strncmp(header->build_id, PISCES_BUILD_ID, sizeof(header->build_id)))
		return -EPROTO;
	if (header->file_size < sizeof(*header) || header->file_size > bytes ||
	    header->memory_size < header->file_size || header->memory_size > IMAGE_MAX)
		return -ENOEXEC;
	if (header->virtual_base % PISCES_MEMORY_ALIGN || header->virtual_base < UPPER_HALF ||
	    (end && end < header->virtual_base))
		return -ENOEXEC;
	if (header->entry < header->virtual_base + sizeof(*header) ||
	    header->entry - header->virtual_base >= header->file_size)
		return -ENOEXEC;
	return 0;
}

/* The range for an image of BYTES bytes: on the first CPU's node, else anywhere. */
static struct memory_range *image_range(struct enclave *e, u64 bytes)
{
	struct memory_range *range, *other = NULL;

	list_for_each_entry(range, &e->ranges, link) {
		if (range->size < bytes)
			continue;
		if (range->node == e->cpus[0].node)
			return range;
		if (!other)
			other = range;
	}
	return other;
}

static int image_copy(void *to, const void __user *from, u64 bytes)
{
	u64 done, part;

	for (done = 0; done < bytes; done += part) {
		part = min(bytes - done, COPY_BYTES);
		if (copy_from_user(to + done, from + done, part))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

int image_load(struct enclave *e, u64 address, u64 bytes, struct pisces_image_header *header)
{
	struct memory_range *range;
	void *to;
	int ret;

	if (bytes < sizeof(*header))
		return -ENOEXEC;
	if (bytes > IMAGE_MAX)
		return -EFBIG;
	if (copy_from_user(header, u64_to_user_ptr(address), sizeof(*header)))
		return -EFAULT;
	ret = header_check(header, bytes);
	if (ret)
		return ret;
	range = image_range(e, round_up(header->memory_size, PISCES_MEMORY_ALIGN));
	if (!range)
		return -ENOMEM;

	e->image_base = range->base;
	e->image_bytes = PAGE_ALIGN(header->memory_size);
	to = memory_map(range, e->image_base, e->image_bytes);
	if (!to)
		return -ENOMEM;
	ret = image_copy(to, u64_to_user_ptr(address), header->file_size);
	/* The header that was checked, and not what the user has made of it since. */
	memcpy(to, header, sizeof(*header));
	/* The co-kernel clears a dirty range around itself. */
	memset(to + header->file_size, 0, e->image_bytes - header->file_size);
	memory_unmap(range, to);
	if (ret)
		image_unload(e);
	return ret;
}

void image_unload(struct enclave *e)
{
	struct memory_range *range = memory_range_at(&e->ranges, e->image_base);
	void *at = range ? memory_map(range, e->image_base, e->image_bytes) : NULL;

	/* If it cannot be reached it is scrubbed when the enclave ends. */
	if (at) {
		memset(at, 0, e->image_bytes);
		memory_unmap(range, at);
	}
	e->image_base = 0;
	e->image_bytes = 0;
}
