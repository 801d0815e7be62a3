/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "message.h"

/* As the kernel: what it reads of a file to know its kind, and how deep scripts go. */
#define HEAD_SIZE 256
#define SCRIPTS	  PROGRAM_SCRIPTS

#define DEFAULT_PATH "/bin:/usr/bin"

/* Returns 0 if PATH is a file that may be executed, or an errno. */
static int check_executable(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return errno;
	if (S_ISDIR(status.st_mode))
		return EISDIR;
	if (!S_ISREG(status.st_mode))
		return EACCES;
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		return errno;
	return 0;
}

_Noreturn static void cannot_run(const char *name, int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		message_fail(EXIT_NOT_FOUND, "cannot run %s: no such file", name);
	case EISDIR:
		message_fail(EXIT_CANNOT_RUN, "cannot run %s: it is a directory", name);
	case EACCES:
		message_fail(EXIT_CANNOT_RUN, "cannot run %s: no permission to execute it; "
			     "chmod +x if it is a program", name);
	default:
		message_fail(EXIT_CANNOT_RUN, "cannot run %s: %s", name, strerror(error));
	}
}

/* The path of program NAME; does not return if there is none. */
static const char *find(const char *name)
{
	const char *dirs = getenv("PATH");
	const char *dir, *end;
	int found = ENOENT;
	char *path;
	int error;

	if (strchr(name, '/')) {
		error = check_executable(name);
		if (error)
			cannot_run(name, error);
		return name;
	}
	if (!dirs)
		dirs = DEFAULT_PATH;
	for (dir = dirs;; dir = end + 1) {
		int length;

		end = strchrnul(dir, ':');
		length = (int)(end - dir);
		if (asprintf(&path, "%.*s%s%s", length, dir, length ? "/" : "", name) < 0)
			cannot_run(name, ENOMEM);
		error = name[0] == '\0' ? ENOENT : check_executable(path);
		if (error == 0)
			return path;
		free(path);
		if (error == EACCES)
			found = EACCES;
		if (*end == '\0')
			break;
	}
	if (found == ENOENT)
		message_fail(EXIT_NOT_FOUND, "cannot run %s: not found in PATH (%s)", name, dirs);
	cannot_run(name, found);
}

static int open_program(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == EACCES)
		message_fail(EXIT_CANNOT_RUN, "cannot run %s: no permission to read it, which a "
			     "co-kernel needs to load it; chmod +r", path);
	if (fd < 0)
		cannot_run(path, errno);
	return fd;
}

/*
 * Cuts the first line of a script, of LENGTH bytes at HEAD, into interpreter and
 * its one argument (or NULL). False: the kernel would not take it either.
 */
static bool parse_script(char *head, size_t length, char **interpreter, char **argument)
{
	char *end = memchr(head, '\n', length);
	char *word;

	if (!end && length == HEAD_SIZE) {
		/* A line longer than that may lose of its argument, not of its path. */
		word = head + 2 + strspn(head + 2, " \t");
		if (word[strcspn(word, " \t")] == '\0')
			return false;
	}
	if (end)
		*end = '\0';
	end = head + strlen(head);
	while (end > head + 2 && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';

	word = head + 2 + strspn(head + 2, " \t");
	if (*word == '\0')
		return false;
	*interpreter = word;
	word += strcspn(word, " \t");
	*argument = NULL;
	if (*word != '\0') {
		*word++ = '\0';
		*argument = word + strspn(word, " \t");
	}
	return true;
}

static char *copy(const char *text)
{
	char *new = strdup(text);

	if (!new)
		cannot_run(text, ENOMEM);
	return new;
}

/* Puts INTERPRETER, its ARGUMENT and SCRIPT in the place of argv[0]. */
static void put_before(struct program *program, const char *interpreter, const char *argument,
		       const char *script)
{
	int more = argument ? 2 : 1;
	char **argv = calloc((size_t)(program->argc + more + 1), sizeof(*argv));
	int i = 0;

	if (!argv)
		cannot_run(script, ENOMEM);
	argv[i++] = copy(interpreter);
	if (argument)
		argv[i++] = copy(argument);
	argv[i++] = copy(script);
	memcpy(argv + i, program->argv + 1, sizeof(*argv) * (size_t)(program->argc - 1));
	program->argv = argv;
	program->argc += more;
}

void program_open(struct program *program, int argc, char *const argv[])
{
	const char *path = find(argv[0]);
	int scripts;

	program->argc = argc;
	program->argv = (char **)argv;
	program->execfn = copy(path);
	program->script_count = 0;

	for (scripts = 0;; scripts++) {
		char head[HEAD_SIZE + 1] = "";
		char *interpreter, *argument;
		ssize_t length;
		int error;

		program->fd = open_program(path);
		length = pread(program->fd, head, HEAD_SIZE, 0);
		if (length < 0)
			cannot_run(path, errno);
		if (length >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0)
			return;
		if (length < 2 || head[0] != '#' || head[1] != '!' ||
		    !parse_script(head, (size_t)length, &interpreter, &argument))
			message_fail(EXIT_CANNOT_RUN, "cannot run %s: it is neither an ELF "
				     "program nor a script that begins with #!", path);
		if (scripts == SCRIPTS)
			message_fail(EXIT_CANNOT_RUN, "cannot run %s: more than %d scripts "
				     "interpret each other", argv[0], SCRIPTS);
		close(program->fd);
		error = check_executable(interpreter);
		if (error)
			message_fail(error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN,
				     "cannot run %s: its interpreter %s: %s", path, interpreter,
				     strerror(error));
		program->scripts[program->script_count++] = copy(path);
		put_before(program, interpreter, argument, path);
		path = program->argv[0];
	}
}
