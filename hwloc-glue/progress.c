/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is being done, for whoever waits: by the caller's own thread, which in slurmstepd
 * is the only one that we have. So a single call of the module that takes long is told
 * of when the next part begins.
 */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

/* Who waits longer wants to know for what. */
#define PATIENCE_MS 2000u

static struct {
	void (*say)(const char *what, uint64_t ms);
	bool always;
	bool said; /* of the part that is being done */
	uint64_t begin;
	char what[160];
} progress;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

void pisces_progress(void (*say)(const char *what, uint64_t ms), bool always)
{
	progress.say = say;
	progress.always = always;
	progress.said = true; /* nothing is being done yet */
	progress.begin = now_ms();
}

void pisces_still_doing(void)
{
	uint64_t passed;

	if (!progress.say || progress.said)
		return;
	passed = now_ms() - progress.begin;
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
