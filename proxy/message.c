/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "descriptor.h"

static int fd = STDERR_FILENO;

void message_open(void)
{
	int copy = dup(STDERR_FILENO);

	/* Without a stderr, its number is soon a file of the program's. */
	fd = copy >= 0 ? descriptor_hide(copy) : -1;
}

int message_fd(void)
{
	return fd;
}

static void say(const char *format, va_list args)
{
	char line[2048] = MESSAGE_PREFIX;
	size_t used = strlen(line);
	int saved = errno;
	int length;

	length = vsnprintf(line + used, sizeof(line) - used - 1, format, args);
	if (length < 0)
		return;
	used = strlen(line);
	line[used++] = '\n';
	/* Nobody is left to be told when this fails. */
	if (write(fd, line, used) < 0)
		errno = saved;
}

void message_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

void message_fail(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	_exit(code);
}

size_t message_line(char *line, size_t capacity, const char *text, size_t size)
{
	size_t used = strlen(MESSAGE_PREFIX);
	size_t i;

	memcpy(line, MESSAGE_PREFIX, used);
	for (i = 0; i < size && used < capacity - 1; i++) {
		char c = text[i];

		/* The user's terminal is not a co-kernel's to command. */
		line[used++] = c >= 0x20 && c < 0x7f ? c : ' ';
	}
	line[used++] = '\n';
	return used;
}
