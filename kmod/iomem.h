/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What enclaves have, in /proc/iomem. */
#ifndef PISCES_KMOD_IOMEM_H
#define PISCES_KMOD_IOMEM_H

#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/types.h>

struct iomem_entry {
	struct list_head link;
	struct resource resource;
	bool claim;
	bool listed;
};

/*
 * Shows [BASE, BASE + SIZE) as NAME until iomem_remove(). With CLAIM it is no memory of
 * Linux, and the entry keeps others from it. -EBUSY: something else is in the way.
 */
int iomem_add(struct iomem_entry *entry, u64 base, u64 size, const char *name, bool claim);

/* Does nothing for an entry that was not added. */
void iomem_remove(struct iomem_entry *entry);

/*
 * Takes all entries that lie in System RAM out of the way, and puts them back: Linux
 * cannot cut a piece out of System RAM that has entries of others in it.
 */
void iomem_hide_all(void);
void iomem_show_all(void);

#endif
