// SPDX-License-Identifier: GPL-2.0-or-later
/* What enclaves have, in /proc/iomem. */

#include <linux/errno.h>
#include <linux/ioport.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "iomem.h"
#include "log.h"

static DEFINE_MUTEX(iomem_mutex); /* outside of Linux's locks of memory hotplug */
static LIST_HEAD(iomem_entries);
static unsigned int iomem_hidden; /* so many want what lies in System RAM out of the way */

struct line {
	struct list_head link;
	struct resource resource;
};

static int line_add(struct list_head *lines, u64 start, u64 end, const char *name, bool now)
{
	struct line *line = kzalloc(sizeof(*line), GFP_KERNEL);
	int ret = 0;

	if (!line)
		return -ENOMEM;
	line->resource.name = name;
	line->resource.start = start;
	line->resource.end = end;
	line->resource.flags = IORESOURCE_MEM | IORESOURCE_BUSY;
	if (now)
		ret = insert_resource(&iomem_resource, &line->resource);
	if (ret)
		kfree(line);
	else
		list_add_tail(&line->link, lines);
	return ret;
}

static void lines_free(struct list_head *lines)
{
	struct line *line, *next;

	list_for_each_entry_safe(line, next, lines, link) {
		if (line->resource.parent)
			remove_resource(&line->resource);
		kfree(line);
	}
	INIT_LIST_HEAD(lines);
}

struct pieces {
	struct list_head *lines;
	const char *name;
};

/* What lies in one piece of System RAM: an entry cannot lie across two. */
static int piece_show(struct resource *piece, void *argument)
{
	struct pieces *pieces = argument;

	return line_add(pieces->lines, piece->start, piece->end, pieces->name, !iomem_hidden);
}

int iomem_add(struct iomem_entry *entry, u64 base, u64 size, const char *name, bool claim)
{
	struct pieces pieces = { &entry->lines, name };
	int ret;

	INIT_LIST_HEAD(&entry->lines);
	entry->claim = claim;
	mutex_lock(&iomem_mutex);
	if (claim)
		ret = line_add(&entry->lines, base, base + size - 1, name, true);
	else
		ret = walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
					  base, base + size - 1, &pieces, piece_show);
	if (!ret) {
		list_add_tail(&entry->link, &iomem_entries);
		entry->listed = true;
	} else {
		lines_free(&entry->lines);
	}
	mutex_unlock(&iomem_mutex);
	return ret;
}

void iomem_remove(struct iomem_entry *entry)
{
	if (!entry->listed)
		return;
	mutex_lock(&iomem_mutex);
	lines_free(&entry->lines);
	list_del(&entry->link);
	entry->listed = false;
	mutex_unlock(&iomem_mutex);
}

void iomem_hide_all(void)
{
	struct iomem_entry *entry;
	struct line *line;

	mutex_lock(&iomem_mutex);
	iomem_hidden++;
	list_for_each_entry(entry, &iomem_entries, link) {
		if (entry->claim)
			continue;
		list_for_each_entry(line, &entry->lines, link)
			if (line->resource.parent)
				remove_resource(&line->resource);
	}
	mutex_unlock(&iomem_mutex);
}

void iomem_show_all(void)
{
	struct iomem_entry *entry;
	struct line *line;

	mutex_lock(&iomem_mutex);
	iomem_hidden--;
	list_for_each_entry(entry, &iomem_entries, link) {
		if (iomem_hidden || entry->claim)
			continue;
		list_for_each_entry(line, &entry->lines, link)
			if (!line->resource.parent &&
			    insert_resource(&iomem_resource, &line->resource))
				pr_info("%pR is not shown in /proc/iomem any more\n", &line->resource);
	}
	mutex_unlock(&iomem_mutex);
}
