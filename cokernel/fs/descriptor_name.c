/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/descriptor_name.h"

#include "fs/path_number.h"
#include "lib/string.h"

static bool take(const char **at, const char *text)
{
	size_t size = strlen(text);

	if (strncmp(*at, text, size) != 0)
		return false;
	*at += size;
	return true;
}

/* What *AT has before the number of the descriptor. */
static bool take_directory(const char **at, tid_t *whose)
{
	uint32_t number;

	*whose = 0;
	if (take(at, "/dev/fd/"))
		return true;
	if (!take(at, "/proc/"))
		return false;
	if (!take(at, "self") && !take(at, "thread-self")) {
		if (!path_number(at, &number) || number == 0)
			return false;
		*whose = (tid_t)number;
	}
	if (take(at, "/task/") && !path_number(at, &number))
		return false;
	return take(at, "/fd/");
}

bool descriptor_name(const char *path, tid_t *whose, int *fd)
{
	static const char *const streams[] = { "/dev/stdin", "/dev/stdout", "/dev/stderr" };
	uint32_t number;
	unsigned int i;

	*whose = 0;
	for (i = 0; i < ARRAY_SIZE(streams); i++) {
		if (strcmp(path, streams[i]) == 0) {
			*fd = (int)i;
			return true;
		}
	}
	if (!take_directory(&path, whose) || !path_number(&path, &number) || *path != '\0')
		return false;
	*fd = (int)number;
	return true;
}
