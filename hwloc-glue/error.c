/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small things that every file here needs: errors, names, one-line files. */
#include "internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int pisces_fail(struct pisces_error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	/* One line, also if what the user wrote was more. */
	for (char *at = error->text; *at; at++) {
		if (iscntrl((unsigned char)*at))
			*at = '?';
	}
	return -1;
}

const char *pisces_node_name(void)
{
	static char name[PISCES_NAME_LEN];

	if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0')
		strcpy(name, "?");
	return name;
}

int pisces_read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t got = 0;
	ssize_t bytes = 0;
	int saved;

	text[0] = '\0';
	if (fd < 0)
		return -1;
	while (got < size - 1) {
		bytes = read(fd, text + got, size - 1 - got);
		if (bytes < 0 && errno == EINTR)
			continue;
		if (bytes <= 0)
			break;
		got += (size_t)bytes;
	}
	saved = errno;
	close(fd);
	errno = saved;
	text[got] = '\0';
	if (got > 0 && text[got - 1] == '\n')
		text[got - 1] = '\0';
	return bytes < 0 ? -1 : 0;
}
