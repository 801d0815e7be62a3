/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which names are those of descriptors. */
#include <stdlib.h>

#include "fs/descriptor_name.h"
#include "tap.h"

static void is_name(const char *path, int whose, int fd)
{
	tid_t tid = 77;
	int number = -2;

	ok(descriptor_name(path, &tid, &number) && (int)tid == whose && number == fd, "%s", path);
}

static void is_none(const char *path)
{
	tid_t tid;
	int number;

	ok(!descriptor_name(path, &tid, &number), "not '%s'", path);
}

int main(void)
{
	static const char *const others[] = {
		"", "/", "/proc", "/proc/self", "/proc/self/fd", "/proc/self/fd/",
		"/proc/self/fd/x", "/proc/self/fd/1x", "/proc/self/fd/1/2", "/proc/self/fd/-1",
		"/proc/selfish/fd/1", "/proc/1/fdinfo/1", "/proc/0/fd/1", "/proc/x/fd/1",
		"/proc//fd/1", "/proc/self/task/fd/1", "/proc/self/task/x/fd/1", "/dev/fd",
		"/dev/fd/", "/dev/stdin1", "proc/self/fd/1", "/tmp/proc/self/fd/1",
		"/proc/self/fd/99999999999999999999", "/proc/4294967297/fd/1",
		"/proc/self/fd/03",
	};

	is_name("/dev/stdin", 0, 0);
	is_name("/dev/stdout", 0, 1);
	is_name("/dev/stderr", 0, 2);
	is_name("/dev/fd/0", 0, 0);
	is_name("/dev/fd/17", 0, 17);
	is_name("/proc/self/fd/3", 0, 3);
	is_name("/proc/thread-self/fd/1023", 0, 1023);
	is_name("/proc/4194304/fd/65535", 4194304, 65535);
	is_name("/proc/self/task/12/fd/9", 0, 9);
	is_name("/proc/12/task/13/fd/9", 12, 9);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		is_none(others[i]);
	return done();
}
