/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work that several CPUs do together with the caller. */
#ifndef PISCES_KMOD_WORKERS_H
#define PISCES_KMOD_WORKERS_H

#include <linux/cpumask.h>

struct workers;

int workers_init(void);
void workers_exit(void);

/*
 * FUNCTION(ARGUMENT) on each of CPUS, at most MOST of them, side by side with the caller; for
 * workers_wait(). NULL: without CPUS or memory there are none, and the caller has all to do.
 */
struct workers *workers_start(const struct cpumask *cpus, unsigned int most,
			      void (*function)(void *argument), void *argument);

/* Until all have returned; WORKERS, which may be NULL, is gone then. */
void workers_wait(struct workers *workers);

#endif
