/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A limit for the time that Linux takes to empty a memory block. */
#ifndef PISCES_KMOD_OFFLINING_H
#define PISCES_KMOD_OFFLINING_H

#include <linux/types.h>

void offlining_init(void);

/*
 * Linux begins to empty a block in the running task, and is done, whether it has or not: then
 * true if that took too long. From the notifier of memory hotplug. An end without a beginning
 * is none.
 */
void offlining_begin(void);
bool offlining_end(void);

#endif
