/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What enclaves have, in /proc/iomem. */
#ifndef PISCES_KMOD_IOMEM_H
#define PISCES_KMOD_IOMEM_H

#include <linux/list.h>
#include <linux/types.h>

/* Zeroed before it is added. It has a line for each piece of System RAM that it lies in. */
struct iomem_entry {
	struct list_head link;
	struct list_head lines;
	bool claim;
	bool listed;
};

/*
 * Shows [BASE, BASE + SIZE) as NAME until iomem_remove(), whole or not at all. With CLAIM it
 * is no memory of Linux, and the entry keeps others from it. -EBUSY: something else is in
 * the way; -ENOMEM.
 */
int iomem_add(struct iomem_entry *entry, u64 base, u64 size, const char *name, bool claim);

/* Does nothing for an entry that was not added. */
void iomem_remove(struct iomem_entry *entry);

/*
 * Takes all entries that lie in System RAM out of the way, and puts them back when the last
 * who wanted that is done: Linux cannot cut a piece out of System RAM that has entries of
 * others in it. That may take long, and entries come and go meanwhile.
 */
void iomem_hide_all(void);
void iomem_show_all(void);

#endif
