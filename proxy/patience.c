/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A wait that a call ends has saved the time of a sleep. One in vain has cost at most
 * PISCES_LINGER_US, when nobody else wanted the CPU. A program that seldom calls shall not
 * cost that much each time: after a few in vain, only one sleep in many is tried, to
 * notice when calls come close together again.
 */
#include "patience.h"

#include <errno.h>

#define IN_VAIN_MOST 4u
#define SLEEPS_PER_TRY 16u

bool patience_lasts(struct patience *patience)
{
	if (patience->in_vain < IN_VAIN_MOST)
		return true;
	if (++patience->sleeps < SLEEPS_PER_TRY)
		return false;
	patience->sleeps = 0;
	return true;
}

void patience_learn(struct patience *patience, int result)
{
	if (result == 0)
		patience->in_vain = 0;
	else if (result == -ETIME && patience->in_vain < IN_VAIN_MOST)
		patience->in_vain++;
	/* Who was interrupted, or had no CPU to wait on, has learnt nothing, and cost nothing. */
}
