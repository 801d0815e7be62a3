/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/tree.h"

#include "fs/path_number.h"
#include "lib/print.h"
#include "lib/string.h"
#include "task/process.h"
#include "task/thread.h"

/* Directories below which everything is ours. */
static const char *const roots[] = {
	"/sys/devices/system/cpu",
	"/sys/devices/system/node",
	"/proc/self/task",
};

/* Other names of the same directories. */
static const struct {
	const char *name;
	const char *path;
} aliases[] = {
	{ "/sys/bus/cpu/devices", "/sys/devices/system/cpu" },
	{ "/sys/bus/node/devices", "/sys/devices/system/node" },
	{ "/proc/thread-self", "/proc/self" },
};

/* What follows if PATH is DIRECTORY or below it, else NULL. */
static const char *below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	if (strncmp(path, directory, length) != 0 || (path[length] != '/' && path[length] != '\0'))
		return NULL;
	return path + length;
}

/* PATH with one / between names, none at its end, and the names that the table has. */
static bool normalize(const char *path, char *normal)
{
	char plain[OWN_PATH_MOST], own[32];
	const char *rest;
	size_t used = 0;
	unsigned int i;

	for (; *path; path++) {
		if (*path == '/' && (path[1] == '/' || path[1] == '\0'))
			continue;
		/* Names with dots are Linux's: only it knows what they lead to. */
		if (*path == '.' && (used == 0 || plain[used - 1] == '/'))
			return false;
		if (used == sizeof(plain) - 1)
			return false;
		plain[used++] = *path;
	}
	plain[used] = '\0';

	format_text(own, sizeof(own), "/proc/%u", process_current()->pid);
	rest = below(plain, own);
	if (rest)
		return format_text(normal, OWN_PATH_MOST, "/proc/self%s", rest) <
		       (int)OWN_PATH_MOST;
	for (i = 0; i < ARRAY_SIZE(aliases); i++) {
		rest = below(plain, aliases[i].name);
		if (rest)
			return format_text(normal, OWN_PATH_MOST, "%s%s", aliases[i].path, rest) <
			       (int)OWN_PATH_MOST;
	}
	strlcpy(normal, plain, OWN_PATH_MOST);
	return true;
}

/* Where the pattern of ENTRY goes on behind PATH, or NULL: they differ. */
static const char *match(const struct tree_entry *entry, const char *path, uint32_t *number)
{
	const char *pattern = entry->path;
	unsigned int i = 0;

	while (*path) {
		if (*pattern == '%') {
			if (!path_number(&path, &number[i]) ||
			    !tree_number_exists(entry->kind[i], number[i]))
				return NULL;
			i++;
			pattern++;
		} else if (*pattern++ != *path++) {
			return NULL;
		}
	}
	return pattern;
}

static bool is_below_root(const char *path)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(roots); i++) {
		if (below(path, roots[i]))
			return true;
	}
	return false;
}

/* What node->path is, where all that is IN_ROOT is ours. */
static void find(struct tree_node *node, bool in_root)
{
	const char *rest;
	unsigned int i;

	for (i = 0; i < tree_entries; i++) {
		rest = match(&tree_table[i], node->path, node->number);
		if (!rest || (*rest != '\0' && *rest != '/'))
			continue;
		if (*rest == '/' && !in_root)
			continue;
		node->found = TREE_DIRECTORY;
		if (*rest == '\0') {
			node->entry = &tree_table[i];
			node->found = node->entry->write ? TREE_FILE : TREE_ABSENT;
		}
		return;
	}
	if (in_root)
		node->found = TREE_ABSENT;
}

void tree_find(const char *path, struct tree_node *node)
{
	*node = (struct tree_node){ .found = TREE_OTHER };
	if (strncmp(path, "/proc/", 6) != 0 && strncmp(path, "/sys/", 5) != 0)
		return;
	if (normalize(path, node->path))
		find(node, is_below_root(node->path));
}

void tree_find_alone(const char *path, struct tree_node *node)
{
	*node = (struct tree_node){ .found = TREE_ABSENT };
	if (normalize(path, node->path))
		find(node, true);
}

/* The name at REST up to the next /, with NUMBER for a %. True: a directory's. */
static bool make_name(const char *rest, uint32_t number, char *name)
{
	size_t used = 0;
	int length;

	for (; *rest && *rest != '/'; rest++) {
		if (*rest != '%') {
			name[used++] = *rest;
			continue;
		}
		length = format_text(name + used, OWN_PATH_MOST - used, "%u", number);
		used += length > 0 ? (size_t)length : 0;
	}
	name[used] = '\0';
	return *rest == '/';
}

void tree_for_each(const struct tree_node *directory,
		   void (*fn)(const char *name, bool is_directory, void *argument),
		   void *argument)
{
	uint32_t number[TREE_NUMBERS], next;
	const struct tree_entry *entry;
	char name[OWN_PATH_MOST];
	const char *rest, *at;
	bool more;
	uint8_t kind;

	for (entry = tree_table; entry < tree_table + tree_entries; entry++) {
		rest = match(entry, directory->path, number);
		if (!rest || *rest != '/' || !entry->write)
			continue;
		rest++;
		/* Which of the entry's numbers is in this name, if one is? */
		kind = entry->kind[0];
		for (at = entry->path; at < rest; at++) {
			if (*at == '%')
				kind = entry->kind[1];
		}
		for (at = rest; *at && *at != '/' && *at != '%'; at++)
			;
		if (*at != '%') {
			more = make_name(rest, 0, name);
			fn(name, more, argument);
			continue;
		}
		for (next = tree_number_next(kind, 0); next != UINT32_MAX;
		     next = tree_number_next(kind, next + 1)) {
			more = make_name(rest, next, name);
			fn(name, more, argument);
		}
	}
}
