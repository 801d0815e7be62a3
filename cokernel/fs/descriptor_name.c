/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/descriptor_name.h"

#include "lib/string.h"

/* More than any process or descriptor has. */
#define NUMBER_MOST 99999999

static bool take(const char **at, const char *text)
{
	size_t size = strlen(text);

	if (strncmp(*at, text, size) != 0)
		return false;
	*at += size;
	return true;
}

/* The number that *AT begins with, or -1. */
static int take_number(const char **at)
{
	int number = 0;

	if (**at < '0' || **at > '9')
		return -1;
	for (; **at >= '0' && **at <= '9'; ++*at) {
		number = number * 10 + (**at - '0');
		if (number > NUMBER_MOST)
			return -1;
	}
	return number;
}

/* What *AT has before the number of the descriptor. */
static bool take_directory(const char **at, tid_t *whose)
{
	int number;

	*whose = 0;
	if (take(at, "/dev/fd/"))
		return true;
	if (!take(at, "/proc/"))
		return false;
	if (!take(at, "self") && !take(at, "thread-self")) {
		number = take_number(at);
		if (number <= 0)
			return false;
		*whose = (tid_t)number;
	}
	if (take(at, "/task/") && take_number(at) < 0)
		return false;
	return take(at, "/fd/");
}

bool descriptor_name(const char *path, tid_t *whose, int *fd)
{
	static const char *const streams[] = { "/dev/stdin", "/dev/stdout", "/dev/stderr" };
	unsigned int i;

	*whose = 0;
	for (i = 0; i < ARRAY_SIZE(streams); i++) {
		if (strcmp(path, streams[i]) == 0) {
			*fd = (int)i;
			return true;
		}
	}
	if (!take_directory(&path, whose))
		return false;
	*fd = take_number(&path);
	return *fd >= 0 && *path == '\0';
}
