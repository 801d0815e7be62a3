/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces console: what a co-kernel says. */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"usage: pisces console [--follow] ENCLAVE\n"
	"\n"
	"Prints what the co-kernel of ENCLAVE (a number or a name) has said so far; also of one\n"
	"that died and is gone (pisces list --gone).\n"
	"\n"
	"  -f, --follow    go on with what it says from now on, until the enclave ends\n";

/* Copies from FD until its end, or, if it does not wait, until there is nothing more. */
static int copy(int fd)
{
	char text[4096];

	for (;;) {
		ssize_t got = read(fd, text, sizeof(text));

		if (got > 0) {
			if (fwrite(text, 1, (size_t)got, stdout) != (size_t)got ||
			    fflush(stdout) != 0)
				return -1;
		} else if (got == 0 || errno == EAGAIN) {
			return 0;
		} else if (errno != EINTR) {
			return -1;
		}
	}
}

int command_console(int argc, char **argv)
{
	static const struct option options[] = {
		{"follow", no_argument, NULL, 'f'},
		TOOL_OPTION_HELP,
		{0},
	};
	struct tool_arguments arguments = {
		.help = help, .least = 1, .most = 1, .wanted = TOOL_ONE_ENCLAVE};
	struct pisces_error error;
	uint32_t enclave;
	bool follow = false;
	int code, fd, result;

	code = tool_arguments(argc, argv, ":fh", options, &arguments, tool_set_flag, &follow);
	if (code >= 0)
		return code;
	if (pisces_find_any(argv[optind], &enclave, &error) < 0)
		return tool_failed(&error);
	fd = pisces_console(enclave, &error);
	if (fd < 0)
		return tool_failed(&error);
	if (!follow && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		result = -1;
	else
		result = copy(fd);
	if (result < 0)
		fprintf(stderr, "enclave: the console of enclave %u: %s\n", enclave,
			strerror(errno));
	close(fd);
	return result < 0 ? TOOL_FAILED : TOOL_OK;
}
