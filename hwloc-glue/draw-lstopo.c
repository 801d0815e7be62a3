/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs hwloc's lstopo, which draws. */
#include "draw-lstopo.h"

#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* What lstopo calls the kind of FILE; NULL if it is none of ours. */
static const char *format_of(const char *file)
{
	static const char *const formats[][2] = {
		{".txt", "ascii"}, {".svg", "nativesvg"}, {".png", "png"}};
	const char *ending = file ? strrchr(file, '.') : ".txt";

	for (size_t i = 0; ending && i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(ending, formats[i][0]) == 0)
			return formats[i][1];
	}
	return NULL;
}

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -1;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

/*
 * Runs PROGRAM with INPUT as its fd 3, OUTPUT as its stdout. Returns 0 if it did
 * well, 1 if not, -1 with errno if it could not be run.
 */
static int run(const char *program, char *const *argv, int input, int output)
{
	posix_spawn_file_actions_t actions;
	int status, failure;
	pid_t pid;

	failure = posix_spawn_file_actions_init(&actions);
	if (failure == 0) {
		posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
		posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
		posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
		posix_spawn_file_actions_adddup2(&actions, input, 3);
		failure = posix_spawnp(&pid, program, &actions, NULL, argv, environ);
		posix_spawn_file_actions_destroy(&actions);
	}
	if (failure) {
		errno = failure;
		return -1;
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	/* Where there is no program of that name, some C libraries find out in the child. */
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		errno = ENOENT;
		return -1;
	}
	return status == 0 ? 0 : 1;
}

static int draw(const char *format, int input, int output, char *const *legend,
		unsigned int count, struct pisces_error *error)
{
	/* The one with graphics first: it can all that the other one can. */
	static const char *const programs[] = {"lstopo", "lstopo-no-graphics"};
	static const char *const first[] = {
		"-i",	      "/proc/self/fd/3", "--if",	    "xml",     "--physical",
		"--no-io",    "--no-factorize",	 "--no-default-legend", "--of"};
	enum { FIRST = sizeof(first) / sizeof(first[0]) };
	char **argv = calloc(FIRST + 2 * (size_t)count + 4, sizeof(*argv));
	bool drawn = false, there = false;
	size_t used = 1;

	if (!argv)
		return pisces_fail(error, "no memory for a drawing");
	for (size_t i = 0; i < FIRST; i++)
		argv[used++] = (char *)(uintptr_t)first[i];
	argv[used++] = (char *)(uintptr_t)format;
	for (unsigned int i = 0; i < count; i++) {
		argv[used++] = (char *)(uintptr_t) "--append-legend";
		argv[used++] = legend[i];
	}
	argv[used++] = (char *)(uintptr_t) "-";

	for (size_t i = 0; !drawn && i < sizeof(programs) / sizeof(programs[0]); i++) {
		int result;

		argv[0] = (char *)(uintptr_t)programs[i];
		if (ftruncate(output, 0) < 0 || lseek(output, 0, SEEK_SET) < 0)
			break;
		result = run(programs[i], argv, input, output);
		there = there || result >= 0;
		/* Some say what they cannot do and call it success. */
		drawn = result == 0 && lseek(output, 0, SEEK_END) > 0;
	}
	free(argv);
	if (drawn)
		return 0;
	if (!there)
		return pisces_fail(error, "a drawing needs hwloc's lstopo, which is not here: "
					  "apt-get install hwloc-nox (.png: hwloc)");
	if (strcmp(format, "png") == 0)
		return pisces_fail(error, "the lstopo that is here draws no .png: draw to a .svg or "
					  ".txt file, or apt-get install hwloc");
	return pisces_fail(error, "lstopo did not draw this: see lstopo --of %s", format);
}

/* Copies what DRAWING has to FILE, or to stdout. */
static int deliver(int drawing, const char *file, struct pisces_error *error)
{
	off_t length = lseek(drawing, 0, SEEK_END);
	char *bytes = length > 0 ? mmap(NULL, (size_t)length, PROT_READ, MAP_SHARED, drawing, 0)
				 : MAP_FAILED;
	int fd = STDOUT_FILENO, result = -1;

	if (bytes == MAP_FAILED)
		return pisces_fail(error, "the drawing cannot be read back: %s", strerror(errno));
	if (file)
		fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd >= 0)
		result = write_all(fd, bytes, (size_t)length);
	if (fd >= 0 && file && close(fd) < 0)
		result = -1;
	if (result < 0)
		pisces_fail(error, "the drawing cannot be written to %.256s: %s",
			    file ? file : "standard output", strerror(errno));
	munmap(bytes, (size_t)length);
	return result;
}

int pisces_lstopo(const char *xml, size_t length, char *const *legend, unsigned int count,
		  const char *file, struct pisces_error *error)
{
	const char *format = format_of(file);
	int input, output, result = -1;

	if (!format)
		return pisces_fail(error, "%.256s: a drawing goes to a file that ends in .svg, .png or "
					  ".txt",
				   file);
	/* Both above 3, so that the child's dup2(2) never meets its own target. */
	input = memfd_create("topology", MFD_CLOEXEC);
	output = memfd_create("drawing", MFD_CLOEXEC);
	if (input >= 0 && input <= 3) {
		int above = fcntl(input, F_DUPFD_CLOEXEC, 4);

		close(input);
		input = above;
	}
	if (input < 0 || output < 0 || write_all(input, xml, length) < 0)
		pisces_fail(error, "no memory for a drawing: %s", strerror(errno));
	else if (draw(format, input, output, legend, count, error) == 0)
		result = deliver(output, file, error);
	if (input >= 0)
		close(input);
	if (output >= 0)
		close(output);
	return result;
}
