/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stage.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include "hwloc-glue/libpisces.h"
#include "message.h"

/* As the contract counts them. */
#define PATHS_MOST UINT16_MAX

static void *check(void *memory)
{
	if (!memory)
		message_fail(EXIT_CANNOT_RUN, "no memory for the list of files to stage");
	return memory;
}

static void add(struct stage_list *list, const char *path, size_t length)
{
	if (list->count == PATHS_MOST)
		message_fail(EXIT_CANNOT_RUN, "more than %d paths to stage: name directories that "
			     "they are in", PATHS_MOST);
	list->paths = check(realloc(list->paths, (list->count + 1) * sizeof(*list->paths)));
	list->paths[list->count++] = check(strndup(path, length));
}

static void add_named(struct stage_list *list, const char *paths)
{
	size_t length;

	for (; *paths; paths += length + (paths[length] == ',')) {
		length = strcspn(paths, ",");
		if (length > 0)
			add(list, paths, length);
	}
}

/* The ELF interpreter of FD, of at most PATH_MAX bytes with NUL; false: it has none. */
static bool find_interpreter(int fd, char *interpreter)
{
	Elf64_Phdr header;
	Elf64_Ehdr elf;
	unsigned int i;

	if (pread(fd, &elf, sizeof(elf), 0) != sizeof(elf) ||
	    elf.e_phentsize != sizeof(header))
		return false;
	for (i = 0; i < elf.e_phnum; i++) {
		if (pread(fd, &header, sizeof(header), (off_t)(elf.e_phoff + i * sizeof(header))) !=
		    sizeof(header))
			return false;
		if (header.p_type != PT_INTERP)
			continue;
		if (header.p_filesz < 2 || header.p_filesz > PATH_MAX ||
		    pread(fd, interpreter, header.p_filesz, (off_t)header.p_offset) !=
			    (ssize_t)header.p_filesz)
			return false;
		return interpreter[header.p_filesz - 1] == '\0';
	}
	return false;
}

/*
 * The C library of GNU opens another one itself, when a thread ends by pthread_exit(3) or
 * is cancelled, and aborts the program if that is not there. It is beside it.
 */
static void add_companion(struct stage_list *list, const char *path, size_t length)
{
	static const char library[] = "/libc.so.6", companion[] = "/libgcc_s.so.1";
	size_t directory = length - strlen(library);
	char other[PATH_MAX];

	if (length < strlen(library) || memcmp(path + directory, library, strlen(library)) != 0 ||
	    directory + sizeof(companion) > sizeof(other))
		return;
	memcpy(other, path, directory);
	memcpy(other + directory, companion, sizeof(companion));
	add(list, other, directory + strlen(companion));
}

/* A line is "\tNAME => PATH (ADDRESS)" or "\tPATH (ADDRESS)"; others name no file. */
static void add_line(struct stage_list *list, char *line)
{
	char *arrow = strstr(line, " => ");
	char *path = arrow ? arrow + 4 : line + strspn(line, " \t");
	char *end = strrchr(path, '(');

	/* The vDSO has no file; a relative path is seen from the working directory. */
	if (!end || end == path || end[-1] != ' ' || !memchr(path, '/', (size_t)(end - path)))
		return;
	add(list, path, (size_t)(end - 1 - path));
	add_companion(list, path, (size_t)(end - 1 - path));
}

/* In the child: INTERPRETER tells OUT what PROGRAM needs, and nobody else anything. */
static _Noreturn void list_libraries(const char *interpreter, const char *program, int out)
{
	char *const argv[] = { (char *)interpreter, (char *)"--list", (char *)program, NULL };
	int null = open("/dev/null", O_RDWR);

	/* What it cannot find it says in the enclave again. */
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0)
		_exit(EXIT_CANNOT_RUN);
	unsetenv(PISCES_ENV_FD);
	execv(interpreter, argv);
	_exit(EXIT_CANNOT_RUN);
}

static void add_libraries(struct stage_list *list, const char *interpreter, const char *program)
{
	size_t room = 0;
	char *line = NULL;
	int ends[2];
	FILE *from;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		message_fail(EXIT_CANNOT_RUN, "no pipe to %s: %s", interpreter, strerror(errno));
	pid = fork();
	if (pid == 0)
		list_libraries(interpreter, program, ends[1]);
	close(ends[1]);
	from = pid > 0 ? fdopen(ends[0], "r") : NULL;
	if (!from)
		message_fail(EXIT_CANNOT_RUN, "cannot ask %s what %s needs: %s", interpreter, program,
			     strerror(errno));
	while (getline(&line, &room, from) > 0)
		add_line(list, line);
	free(line);
	fclose(from);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void add_needed(struct stage_list *list, const struct program *program)
{
	char interpreter[PATH_MAX], link[64], path[PATH_MAX];
	ssize_t length;
	unsigned int i;

	for (i = 0; i < program->script_count; i++)
		add(list, program->scripts[i], strlen(program->scripts[i]));
	if (!find_interpreter(program->fd, interpreter))
		return;
	add(list, interpreter, strlen(interpreter));
	/* As it is in the enclave: ld.so looks from where the program is ($ORIGIN). */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", program->fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length <= 0)
		return;
	path[length] = '\0';
	add_libraries(list, interpreter, path);
}

void stage_open(struct stage *stage, const struct program *program)
{
	const char *io = getenv(PISCES_ENV_IO), *paths = getenv(PISCES_ENV_STAGE);

	memset(stage, 0, sizeof(*stage));
	stage->wanted = io && strcmp(io, "staged") == 0;
	if (!stage->wanted)
		return;
	if (paths)
		add_named(&stage->named, paths);
	unsetenv(PISCES_ENV_IO);
	unsetenv(PISCES_ENV_STAGE);
	add_needed(&stage->needed, program);
}
