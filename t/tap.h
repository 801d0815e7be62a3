/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TAP for tests in C: ok() and friends count; done() prints the plan and gives
 * the exit code for main().
 */
#ifndef PISCES_TAP_H
#define PISCES_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count;
static int tap_failed;

__attribute__((format(printf, 2, 3))) static inline bool ok(bool good, const char *format, ...)
{
	va_list args;

	printf("%s %d - ", good ? "ok" : "not ok", ++tap_count);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	if (!good)
		tap_failed++;
	fflush(stdout);
	return good;
}

static inline bool is_number(long long got, long long expected, const char *name)
{
	bool good = ok(got == expected, "%s", name);

	if (!good)
		printf("#      got: %lld\n# expected: %lld\n", got, expected);
	return good;
}

static inline bool is_text(const char *got, const char *expected, const char *name)
{
	bool good = ok(got && strcmp(got, expected) == 0, "%s", name);

	if (!good)
		printf("#      got: %s\n# expected: %s\n", got ? got : "(null)", expected);
	return good;
}

static inline int done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
