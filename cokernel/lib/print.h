/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Formatted text: to a buffer, and to the console ring that Linux reads.
 * Conversions: %d %u %x %c %s %p %% with flags 0 and -, width, precision of %s,
 * and lengths hh, h, l, ll, z.
 */
#ifndef CK_LIB_PRINT_H
#define CK_LIB_PRINT_H

#include <stdarg.h>

#include "lib/types.h"

/* As vsnprintf(3) with the conversions above. Always terminates when size > 0. */
int format_text_args(char *text, size_t size, const char *format, va_list args);
int format_text(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * One line for the console, with "\n" at its end. May be called anywhere, also in
 * an exception; never waits for Linux. Lines of several CPUs do not mix.
 */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The end of this co-kernel: says why on the console with registers and a
 * backtrace, puts the reason into the status area, tells Linux, stops all CPUs.
 */
__noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define ASSERT(condition)                                                               \
	do {                                                                             \
		if (unlikely(!(condition)))                                              \
			panic("%s:%d: not so: %s", __FILE__, __LINE__, #condition);     \
	} while (0)

#endif
