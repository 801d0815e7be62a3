/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/own.h"

#include <asm/unistd_64.h>

#include "channel/channel.h"
#include "fs/linux.h"
#include "fs/text.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "task/process.h"
#include "task/thread.h"

/* Of open(2) and memfd_create(2). */
#define ACCESS_MODE 3u
#define DIRECTORY_ONLY 0200000u
#define CLOSE_ON_EXEC 02000000u
#define MEMFD_CLOSE_ON_EXEC 1u

bool own_path(int dir, const char *name, bool empty, char *path)
{
	char base[OWN_PATH_MOST];

	if (!name[0] && !empty)
		return false;
	if (name[0] == '/')
		return strlcpy(path, name, OWN_PATH_MOST) < OWN_PATH_MOST;
	if (own_dir_path(dir, base)) {
		return format_text(path, OWN_PATH_MOST, name[0] ? "%s/%s" : "%s%s", base, name) <
		       (int)OWN_PATH_MOST;
	}
	/* As hwloc does it, with a descriptor of the root; or the root is where the program is. */
	if ((strncmp(name, "sys/", 4) != 0 && strncmp(name, "proc/", 5) != 0) ||
	    linux_path_of(dir, base, sizeof(base)) < 0 || strcmp(base, "/") != 0)
		return false;
	return format_text(path, OWN_PATH_MOST, "/%s", name) < (int)OWN_PATH_MOST;
}

int64_t own_make_file(const char *name, const struct text *text, uint32_t flags)
{
	int64_t error, fd;

	if (!text_is_whole(text))
		return -ENOMEM;
	fd = linux_call_with_name(__NR_memfd_create, name,
				  flags & CLOSE_ON_EXEC ? MEMFD_CLOSE_ON_EXEC : 0);
	if (fd < 0)
		return fd;
	error = linux_fill(fd, text->bytes, text->used);
	if (error == 0)
		return fd;
	linux_close(fd);
	return error;
}

static int64_t open_file(const struct tree_node *node, uint32_t flags)
{
	struct text text;
	int64_t fd;

	if (flags & DIRECTORY_ONLY)
		return -ENOTDIR;
	if (flags & ACCESS_MODE)
		return -EACCES;
	text_init(&text);
	node->entry->write(&text, node->number);
	fd = own_make_file(node->path, &text, flags);
	text_free(&text);
	return fd;
}

bool own_open(const char *path, uint32_t flags, int64_t *result)
{
	struct tree_node node;

	tree_find(path, &node);
	switch (node.found) {
	case TREE_OTHER:
		return false;
	case TREE_ABSENT:
		*result = -ENOENT;
		return true;
	case TREE_FILE:
		*result = open_file(&node, flags);
		return true;
	case TREE_DIRECTORY:
		*result = flags & ACCESS_MODE ? -EISDIR : own_dir_open(&node, flags);
		return true;
	}
	return false;
}

const char *own_link(const char *path)
{
	struct process *process = process_current();
	char own[48];

	format_text(own, sizeof(own), "/proc/%u/exe", process->pid);
	if (strcmp(path, "/proc/self/exe") != 0 && strcmp(path, "/proc/thread-self/exe") != 0 &&
	    strcmp(path, own) != 0)
		return NULL;
	return process->executable;
}
