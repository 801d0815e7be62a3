/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/user.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "task/exec.h"

#define ROOM_LEAST 0x4000u
#define ROOM_MOST 0x100000u	/* what the heap has in one piece */
#define STRINGS_MOST 0x10000u	/* so that their addresses are less than that, too */
#define STRING_MOST 0x20000u	/* one of them, as on Linux */

struct growing {
	struct pisces_exec *exec;
	size_t room; /* bytes; exec->size are used */
};

static int grow(struct growing *block)
{
	size_t room = block->exec ? block->room * 2 : ROOM_LEAST;
	struct pisces_exec *new;

	if (room > ROOM_MOST)
		return -E2BIG;
	new = heap_alloc(room);
	if (!new)
		return -ENOMEM;
	if (block->exec)
		memcpy(new, block->exec, block->exec->size);
	else
		*new = (struct pisces_exec){ .size = sizeof(*new) };
	heap_free(block->exec);
	block->exec = new;
	block->room = room;
	return 0;
}

static int add_user_string(struct growing *block, user_addr_t from)
{
	size_t left;
	long length;
	int error;

	for (;;) {
		left = block->room - block->exec->size;
		length = string_from_user((char *)block->exec + block->exec->size, from,
					  min_u64(left, STRING_MOST));
		if (length != -ENAMETOOLONG)
			break;
		error = left < STRING_MOST ? grow(block) : -E2BIG;
		if (error)
			return error;
	}
	if (length < 0)
		return (int)length;
	block->exec->size += (uint32_t)length + 1;
	return 0;
}

static int add_string(struct growing *block, const char *text)
{
	size_t size = strlen(text) + 1;
	int error = 0;

	while (!error && block->room - block->exec->size < size)
		error = grow(block);
	if (error)
		return error;
	memcpy((char *)block->exec + block->exec->size, text, size);
	block->exec->size += (uint32_t)size;
	return 0;
}

/* All that LIST, which may be 0, has up to its NULL: environment, or arguments. */
static int add_list(struct growing *block, user_addr_t list, bool is_environment)
{
	user_addr_t at;
	int error;

	for (; list != 0; list += sizeof(at)) {
		if (copy_from_user(&at, list, sizeof(at)) != 0)
			return -EFAULT;
		if (at == 0)
			break;
		if (block->exec->argc + block->exec->envc == STRINGS_MOST)
			return -E2BIG;
		error = add_user_string(block, at);
		if (error)
			return error;
		if (is_environment)
			block->exec->envc++;
		else
			block->exec->argc++;
	}
	return 0;
}

/* PATH is the co-kernel's. */
static int add_all(struct growing *block, const char *path, user_addr_t argv, user_addr_t envp)
{
	int error = add_list(block, argv, false);

	/* As Linux since 5.18: programs may believe that there is an argv[0]. */
	if (!error && block->exec->argc == 0) {
		error = add_string(block, "");
		block->exec->argc = 1;
	}
	if (!error)
		error = add_list(block, envp, true);
	if (!error)
		error = add_string(block, path);
	return error;
}

/* The block, or NULL if ERROR, which is the caller's too. */
static struct pisces_exec *finish(struct growing *block, int error, int *result)
{
	*result = error;
	if (!error)
		return block->exec;
	heap_free(block->exec);
	return NULL;
}

struct pisces_exec *exec_block_copy(user_addr_t path, user_addr_t argv, user_addr_t envp,
				    int *error)
{
	struct growing block = { 0 };
	char *name = heap_alloc(EXEC_PATH_MOST);
	long length;

	*error = name ? grow(&block) : -ENOMEM;
	if (!*error) {
		length = string_from_user(name, path, EXEC_PATH_MOST);
		*error = length == 0 ? -ENOENT : length < 0 ? (int)length : 0;
	}
	if (!*error)
		*error = add_all(&block, name, argv, envp);
	heap_free(name);
	return finish(&block, *error, error);
}

const char *exec_block_behind(const char *text, uint64_t count)
{
	while (count-- > 0)
		text += strlen(text) + 1;
	return text;
}

const char *exec_block_path(const struct pisces_exec *exec)
{
	return exec_block_behind(exec->strings, (uint64_t)exec->argc + exec->envc);
}

struct pisces_exec *exec_block_script(const struct pisces_exec *exec, const char *interpreter,
				      const char *argument, const char *script, int *error)
{
	struct growing block = { 0 };
	const char *text = exec_block_behind(exec->strings, 1);
	uint64_t count = (uint64_t)exec->argc - 1 + exec->envc + 1;

	*error = grow(&block);
	if (!*error)
		*error = add_string(&block, interpreter);
	if (!*error && argument)
		*error = add_string(&block, argument);
	if (!*error)
		*error = add_string(&block, script);
	for (; !*error && count > 0; count--, text = exec_block_behind(text, 1))
		*error = add_string(&block, text);
	if (!*error) {
		block.exec->argc = exec->argc + (argument ? 2 : 1);
		block.exec->envc = exec->envc;
	}
	return finish(&block, *error, error);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *skip_blanks(char *text)
{
	while (is_blank(*text))
		text++;
	return text;
}

static char *skip_word(char *text)
{
	while (*text && !is_blank(*text))
		text++;
	return text;
}

bool exec_parse_script(char *head, uint64_t length, char **interpreter, char **argument)
{
	char *end, *word;

	head[length] = '\0';
	end = strchr(head, '\n');
	word = skip_blanks(head + 2);
	/* A line that does not end in HEAD may lose of its argument, not of its path. */
	if (!end && length == EXEC_HEAD_SIZE && *skip_word(word) == '\0')
		return false;
	if (!end)
		end = head + strlen(head);
	while (end > word && is_blank(end[-1]))
		end--;
	*end = '\0';
	if (word >= end)
		return false;
	*interpreter = word;
	word = skip_word(word);
	*argument = NULL;
	if (*word) {
		*word++ = '\0';
		*argument = skip_blanks(word);
	}
	return true;
}
