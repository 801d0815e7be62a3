/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "task/program_file.h"

#include <asm/unistd_64.h>

#include "channel/channel.h"
#include "fs/linux.h"
#include "fs/memory_file.h"
#include "fs/own.h"
#include "fs/shared_names.h"
#include "fs/staged.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "syscall/own_file.h"
#include "task/process.h"
#include "task/thread.h"

#define PATH_SIZE 4096u

/* Of access(2) and faccessat2(2) */
#define EXECUTE_OK 1u
#define EFFECTIVE_ACCESS 0x200u

int program_file_open(const char *path, struct program_file *file)
{
	int64_t fd;

	*file = (struct program_file){ .fd = -1 };
	if (staged_current())
		return staged_find_file(path, 0, &file->file);
	fd = linux_open(path);
	file->fd = (int)fd;
	return fd < 0 ? (int)fd : 0;
}

/* FILE, whose reference is taken over, if its mode lets the user execute it. */
static int execute_memory_file(struct memory_file *file, struct program_file *program)
{
	if (!memory_file_allows_execution(file)) {
		memory_file_put(file);
		return -EACCES;
	}
	program->file = file;
	return 0;
}

static int execute_on_linux(const char *path, struct program_file *program)
{
	struct user_stat status;
	/* A pipe would keep whoever opens it. */
	int64_t result = linux_status(path, true, &status);

	if (result == 0 && (status.mode & MODE_TYPE) != MODE_REGULAR)
		result = -EACCES;
	if (result == 0)
		result = linux_name_call(__NR_faccessat2, path, EXECUTE_OK, EFFECTIVE_ACCESS);
	return result == 0 ? program_file_open(path, program) : (int)result;
}

int program_file_execute(const char *path, struct program_file *program)
{
	const char *link = own_link(path), *shared;
	struct memory_file *file;
	struct tree_node node;
	bool is_new;
	int error;

	*program = (struct program_file){ .fd = -1 };
	if (link)
		path = link;
	if (staged_current())
		return staged_find_file(path, EXECUTE_OK, &program->file);
	tree_find(path, &node);
	if (node.found != TREE_OTHER)
		return node.found == TREE_ABSENT ? -ENOENT : -EACCES;
	shared = shared_name(path);
	if (shared) {
		error = shared_open(shared, OPEN_READ_ONLY, 0, &file, &is_new);
		return error ? error : execute_memory_file(file, program);
	}
	file = own_descriptor_file(path);
	return file ? execute_memory_file(file, program) : execute_on_linux(path, program);
}

void program_file_close(struct program_file *file)
{
	if (file->file)
		memory_file_put(file->file);
	else if (file->fd >= 0)
		linux_close(file->fd);
	*file = (struct program_file){ .fd = -1 };
}

char *program_file_name(const struct program_file *file, const char *path)
{
	char *name = heap_alloc(PATH_SIZE);
	int64_t length;

	if (!name)
		return NULL;
	if (!file->file) {
		length = linux_path_of(file->fd, name, PATH_SIZE);
	} else if (path[0] == '/' || !staged_current()) {
		length = (int64_t)strlcpy(name, path, PATH_SIZE);
	} else {
		length = stage_path(staged_current()->view.directory, name, PATH_SIZE);
		if (length >= 0)
			length += format_text(name + length, PATH_SIZE - (uint64_t)length,
					      name[1] ? "/%s" : "%s", path);
	}
	if (length > 0 && length < (int64_t)PATH_SIZE)
		return name;
	heap_free(name);
	return NULL;
}

int64_t program_file_read(const struct program_file *file, void *to, uint64_t size,
			  uint64_t offset)
{
	if (file->file)
		return memory_file_read(file->file, to, size, offset);
	return forward_pread_kernel(file->fd, to, size, offset);
}

int64_t program_file_read_user(const struct program_file *file, user_addr_t to, uint64_t size,
			       uint64_t offset)
{
	if (file->file)
		return memory_file_read_user(file->file, to, size, offset);
	return forward_pread_all(file->fd, to, size, offset);
}
