/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is being done, for whoever waits: by the caller's own thread, which in slurmstepd
 * is the only one that we have. So a single call of the module that takes long is told
 * of when the next part begins.
 */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>

/* Who waits longer wants to know for what. */
#define PATIENCE_MS 2000u

static struct {
	void (*say)(const char *what, uint64_t ms);
	bool always;
	bool said; /* of the part that is being done */
	uint64_t begin; /* ns */
	char what[160];
} progress;

void pisces_progress(void (*say)(const char *what, uint64_t ms), bool always)
{
	progress.say = say;
	progress.always = always;
	progress.said = true; /* nothing is being done yet */
	progress.begin = pisces_now_ns();
}

void pisces_still_doing(void)
{
	uint64_t passed;

	if (!progress.say || progress.said)
		return;
	passed = (pisces_now_ns() - progress.begin) / PISCES_MS;
	if (!progress.always && passed < PATIENCE_MS)
		return;
	progress.said = true;
	progress.say(progress.what, passed);
}

void pisces_doing(const char *format, ...)
{
	va_list args;

	if (!progress.say)
		return;
	va_start(args, format);
	vsnprintf(progress.what, sizeof(progress.what), format, args);
	va_end(args);
	progress.said = false;
	pisces_still_doing();
}
