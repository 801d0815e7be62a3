// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Linux empties a memory block for as long as it takes: with a page in it that somebody has
 * pinned for good, as for RDMA, offline_pages() ends only by a signal to its caller. So one
 * that has had PISCES_OFFLINE_LIMIT_S for a block of ours is told that a signal is there, in
 * the way the freezer of tasks does it, and is told the truth afterwards.
 */

#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/timer.h>
#include <pisces/ioctl.h>

#include "compat.h"
#include "offlining.h"

/* Linux's lock of memory hotplug is held from the start to the end: so there is one at most. */
static struct task_struct *offliner; /* it is in offline_pages(), so it is there */
static struct timer_list offlining_timer;
static bool offlining_expired;

static void offlining_is_late(struct timer_list *unused)
{
	offlining_expired = true;
	set_tsk_thread_flag(offliner, TIF_SIGPENDING);
}

void offlining_begin(void)
{
	offliner = current;
	offlining_expired = false;
	mod_timer(&offlining_timer, jiffies + PISCES_OFFLINE_LIMIT_S * HZ);
}

bool offlining_end(void)
{
	if (offliner != current)
		return false;
	compat_timer_delete_sync(&offlining_timer);
	offliner = NULL;
	if (!offlining_expired)
		return false;
	spin_lock_irq(&current->sighand->siglock);
	recalc_sigpending();
	spin_unlock_irq(&current->sighand->siglock);
	return true;
}

void offlining_init(void)
{
	timer_setup(&offlining_timer, offlining_is_late, 0);
}
