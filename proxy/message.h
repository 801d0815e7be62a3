/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the proxy itself says to the user, and how it ends when it cannot go on.
 */
#ifndef PROXY_MESSAGE_H
#define PROXY_MESSAGE_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Exit codes of the proxy's own. A program that ran gives its own; these are
 * said with a line on stderr, so that nobody takes one for the other.
 */
#define EXIT_ENCLAVE	 125 /* the enclave or its co-kernel failed, not the program */
#define EXIT_CANNOT_RUN	 126 /* the program was found but cannot be run, as in a shell */
#define EXIT_NOT_FOUND	 127 /* no such program, as in a shell */

#define MESSAGE_PREFIX "enclave: "

/*
 * Keeps a private copy of stderr, so that messages reach the user also after the
 * program has closed or redirected its own. Without one, stderr is used as it is.
 */
void message_open(void);

/* Where messages go. */
int message_fd(void);

/* Writes one line, "enclave: " and a newline added, by one write(2). */
void message_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says it and exits with CODE. Any thread may. */
_Noreturn void message_fail(int code, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Makes a line for message_fd() of SIZE bytes at TEXT that come from a
 * co-kernel: prefix, what can be printed of the text, newline. Returns its length.
 */
size_t message_line(char *line, size_t capacity, const char *text, size_t size);

#endif
