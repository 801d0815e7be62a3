/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "channel/control.h"
#include "lib/print.h"

#define LINE_SIZE 256u

/* A line is formatted aside and handed over whole, so that lines do not mix. */
void print(const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;
	size_t length;

	va_start(args, format);
	length = (size_t)format_text_args(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (length > sizeof(line) - 2)
		length = sizeof(line) - 2;
	line[length] = '\n';
	console_write(line, length + 1);
}
