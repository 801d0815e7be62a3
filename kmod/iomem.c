// SPDX-License-Identifier: GPL-2.0-or-later
/* What enclaves have, in /proc/iomem. */

#include <linux/errno.h>
#include <linux/mutex.h>

#include "iomem.h"
#include "log.h"

static DEFINE_MUTEX(iomem_mutex); /* outside of Linux's locks of memory hotplug */
static LIST_HEAD(iomem_entries);

int iomem_add(struct iomem_entry *entry, u64 base, u64 size, const char *name, bool claim)
{
	int ret;

	entry->resource.name = name;
	entry->resource.start = base;
	entry->resource.end = base + size - 1;
	entry->resource.flags = IORESOURCE_MEM | IORESOURCE_BUSY;
	entry->claim = claim;
	mutex_lock(&iomem_mutex);
	ret = insert_resource(&iomem_resource, &entry->resource);
	if (!ret) {
		list_add_tail(&entry->link, &iomem_entries);
		entry->listed = true;
	}
	mutex_unlock(&iomem_mutex);
	return ret;
}

void iomem_remove(struct iomem_entry *entry)
{
	if (!entry->listed)
		return;
	mutex_lock(&iomem_mutex);
	if (entry->resource.parent)
		remove_resource(&entry->resource);
	list_del(&entry->link);
	entry->listed = false;
	mutex_unlock(&iomem_mutex);
}

void iomem_hide_all(void)
{
	struct iomem_entry *entry;

	mutex_lock(&iomem_mutex);
	list_for_each_entry(entry, &iomem_entries, link)
		if (!entry->claim && entry->resource.parent)
			remove_resource(&entry->resource);
}

void iomem_show_all(void)
{
	struct iomem_entry *entry;

	list_for_each_entry(entry, &iomem_entries, link)
		if (!entry->claim && insert_resource(&iomem_resource, &entry->resource))
			pr_info("%pR is not shown in /proc/iomem any more\n", &entry->resource);
	mutex_unlock(&iomem_mutex);
}
