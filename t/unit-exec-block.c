/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What execve(2) is given, as it is kept until the new program begins: copied out of a
 * program's memory, of any size up to the limits, and with the interpreter of a script in it;
 * and the first lines of scripts, some of them rubbish.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tap.h"
#include "chance.h"

#include "task/exec_block.c"

/* ---- what it needs of the rest ---- */

/* The program's memory is the test's, but for this. */
static void *const BAD = (void *)8;

static long heap_left = -1; /* so many pieces can be had; negative: any number */

void *heap_alloc(size_t size)
{
	if (heap_left == 0 || size > 1 << 20)
		return NULL;
	heap_left--;
	return malloc(size);
}

void heap_free(void *memory)
{
	free(memory);
}

int copy_from_user(void *to, user_addr_t from, size_t size)
{
	if (from == (user_addr_t)BAD)
		return -EFAULT;
	memcpy(to, (const void *)from, size);
	return 0;
}

long string_from_user(char *to, user_addr_t from, size_t size)
{
	size_t length;

	if (from == (user_addr_t)BAD)
		return -EFAULT;
	length = strnlen((const char *)from, size);
	if (length == size)
		return -ENAMETOOLONG;
	memcpy(to, (const char *)from, length + 1);
	return (long)length;
}

/* ---- */

static struct pisces_exec *copy(const char *path, const void *argv, const void *envp, int *error)
{
	return exec_block_copy((user_addr_t)path, (user_addr_t)argv, (user_addr_t)envp, error);
}

/* Does EXEC say this, and nothing else? */
static bool says(const struct pisces_exec *exec, uint32_t argc, uint32_t envc, const char *strings,
		 size_t size)
{
	return exec != NULL && exec->argc == argc && exec->envc == envc &&
	       exec->size == sizeof(*exec) + size && memcmp(exec->strings, strings, size) == 0;
}

#define SAYS(exec, argc, envc, strings) says(exec, argc, envc, strings, sizeof(strings))

static int error_of(const char *path, const void *argv, const void *envp)
{
	int error;

	free(copy(path, argv, envp, &error));
	return error;
}

static void copied(void)
{
	static char page[EXEC_PATH_MOST + 1], text[STRING_MOST + 1];
	char *argv[] = { "one", "", "three", NULL }, *envp[] = { "A=b", NULL };
	char *wrong[] = { "one", BAD, NULL }, *one[] = { text, NULL };
	struct pisces_exec *exec;
	int error;

	exec = copy("/a/b", argv, envp, &error);
	ok(error == 0 && SAYS(exec, 3, 1, "one\0\0three\0A=b\0/a/b"), "arguments, environment, path");
	is_text(exec_block_path(exec), "/a/b", "its path");
	free(exec);
	exec = copy("x", NULL, NULL, &error);
	ok(error == 0 && SAYS(exec, 1, 0, "\0x"), "without arguments there is an empty one");
	free(exec);
	is_number(error_of("", argv, envp), -ENOENT, "an empty path");
	is_number(error_of(BAD, argv, envp), -EFAULT, "a bad path");
	is_number(error_of("x", BAD, envp), -EFAULT, "bad arguments");
	is_number(error_of("x", argv, BAD), -EFAULT, "bad environment");
	is_number(error_of("x", wrong, envp), -EFAULT, "a bad argument");
	is_number(error_of("x", argv, wrong), -EFAULT, "a bad entry");
	memset(page, 'p', EXEC_PATH_MOST);
	is_number(error_of(page, argv, envp), -ENAMETOOLONG, "a path without an end");
	page[EXEC_PATH_MOST - 1] = 0;
	is_number(error_of(page, argv, envp), 0, "the longest path");
	memset(text, 't', STRING_MOST);
	is_number(error_of("x", one, envp), -E2BIG, "an argument that is too long");
	text[STRING_MOST - 1] = 0;
	is_number(error_of("x", one, envp), 0, "the longest argument");
}

/* Memory gives out at each step in turn. */
static void short_of_memory(void)
{
	static char text[100000];
	char *argv[] = { text, NULL };
	long pieces;
	int error = -ENOMEM;

	memset(text, 't', sizeof(text) - 1);
	for (pieces = 0; error == -ENOMEM && pieces < 100; pieces++) {
		heap_left = pieces;
		error = error_of("x", argv, argv);
	}
	heap_left = -1;
	ok(error == 0 && pieces > 3, "out of memory %ld times, then not", pieces - 1);
}

/* As many strings, and as many bytes, as there may be, and more. */
static void limits(void)
{
	static char text[1001];
	char **list = calloc(STRINGS_MOST + 2, sizeof(*list));
	struct pisces_exec *exec;
	unsigned int count;
	int error;

	for (count = 0; count < STRINGS_MOST; count++)
		list[count] = "";
	exec = copy("x", list, NULL, &error);
	ok(error == 0 && exec->argc == STRINGS_MOST && exec_block_path(exec)[0] == 'x',
	   "%u arguments", STRINGS_MOST);
	free(exec);
	list[count] = "";
	is_number(error_of("x", list, NULL), -E2BIG, "one more");
	memset(text, 't', 999);
	for (count = 0; count < 1048; count++)
		list[count] = text;
	list[count] = NULL;
	exec = copy("x", NULL, list, &error);
	ok(error == 0 && exec->envc == 1048 && strlen(exec->strings + 1) == 999 &&
		   exec_block_path(exec)[0] == 'x',
	   "1,048,000 bytes");
	free(exec);
	list[count] = text;
	list[count + 1] = NULL;
	is_number(error_of("x", NULL, list), -E2BIG, "more than 1 MiB");
	free(list);
}

static void scripts(void)
{
	char *argv[] = { "one", "two", NULL }, *envp[] = { "A=b", "C=d", NULL };
	struct pisces_exec *exec, *with;
	int error;

	exec = copy("/script", argv, envp, &error);
	with = exec_block_script(exec, "/bin/sh", "-e x", "./script", &error);
	ok(error == 0 && SAYS(with, 4, 2, "/bin/sh\0-e x\0./script\0two\0A=b\0C=d\0/script"),
	   "a script whose interpreter has an argument");
	free(with);
	with = exec_block_script(exec, "/bin/sh", NULL, "./script", &error);
	ok(error == 0 && SAYS(with, 3, 2, "/bin/sh\0./script\0two\0A=b\0C=d\0/script"),
	   "one whose interpreter has none");
	free(with);
	heap_left = 0;
	ok(exec_block_script(exec, "/bin/sh", NULL, "./script", &error) == NULL && error == -ENOMEM,
	   "no memory for it");
	heap_left = -1;
	free(exec);
}

/* Is LINE a script's first line, with INTERPRETER and ARGUMENT? NULL, NULL: it is none. */
static void line(const char *text, const char *interpreter, const char *argument)
{
	char head[EXEC_HEAD_SIZE + 1], *first = NULL, *second = NULL;
	size_t length = strnlen(text, EXEC_HEAD_SIZE);
	bool taken, same;

	memcpy(head, text, length);
	taken = exec_parse_script(head, length, &first, &second);
	same = taken && interpreter && strcmp(first, interpreter) == 0 && !second == !argument &&
	       (!argument || strcmp(second, argument) == 0);
	ok(interpreter ? same : !taken, "%s: %.*s", interpreter ? "taken" : "refused",
	   (int)strcspn(text, "\n") % 60, text);
}

static void lines(void)
{
	char text[EXEC_HEAD_SIZE * 2] = "#!/", cut[EXEC_HEAD_SIZE * 2];

	line("#!/bin/sh\nmore", "/bin/sh", NULL);
	line("#!/bin/sh", "/bin/sh", NULL);
	line("#! \t /bin/sh \t \nmore", "/bin/sh", NULL);
	line("#!/bin/sh -e\n", "/bin/sh", "-e");
	line("#!/bin/sh \t -e  x \t\n", "/bin/sh", "-e  x");
	line("#!", NULL, NULL);
	line("#!\n/bin/sh", NULL, NULL);
	line("#! \t\n", NULL, NULL);
	memset(text + 3, 'i', EXEC_HEAD_SIZE);
	line(text, NULL, NULL);
	/* An argument may be cut. */
	text[10] = ' ';
	snprintf(cut, sizeof(cut), "%.*s", (int)(EXEC_HEAD_SIZE - 11), text + 11);
	line(text, "/iiiiiii", cut);
	text[EXEC_HEAD_SIZE - 1] = '\n';
	cut[EXEC_HEAD_SIZE - 12] = 0;
	line(text, "/iiiiiii", cut);
}

/* Whatever a file has: words that are there, in what was read. */
static void rubbish(void)
{
	static const char some[] = "  \t\t\n/ab\0#!";
	unsigned int i, round, taken = 0, wrong = 0;

	chance = 1;
	for (round = 0; round < 200000; round++) {
		char *head = malloc(EXEC_HEAD_SIZE + 1), *first, *second;
		unsigned int length = 2 + below(one_in(2) ? 8 : EXEC_HEAD_SIZE - 1);

		for (i = 0; i < length; i++)
			head[i] = some[below(sizeof(some))];
		memcpy(head, "#!", 2);
		if (exec_parse_script(head, length, &first, &second)) {
			taken++;
			wrong += first < head + 2 || first + strlen(first) > head + length ||
				 *first == 0 || strpbrk(first, " \t\n") != NULL;
			wrong += second && (second <= first || *second == 0 ||
					    second + strlen(second) > head + length ||
					    strchr(second, '\n') != NULL);
		}
		free(head);
	}
	ok(wrong == 0 && taken > 1000, "200,000 files of rubbish, of which %u name an interpreter",
	   taken);
}

int main(void)
{
	copied();
	short_of_memory();
	limits();
	scripts();
	lines();
	rubbish();
	return done();
}
