/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The enclave's own part of /proc and /sys: which paths are in it, which are Linux's,
 * and what its directories list, with a table and numbers of this test's own.
 */
#include <stdarg.h>

#include "tap.h"

#include "fs/tree.c"

/* ---- what it needs of the rest ---- */

static struct process process = { .pid = 4711 };

struct process *process_current(void)
{
	return &process;
}

size_t strlcpy(char *to, const char *from, size_t size)
{
	return (size_t)snprintf(to, size, "%s", from);
}

int format_text(char *text, size_t size, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, size, format, args);
	va_end(args);
	return length;
}

/* CPUs 2, 3 and 10; nodes 0 and 1; a cache. */
bool tree_number_exists(uint8_t kind, uint32_t number)
{
	switch (kind) {
	case TREE_CPU:
		return number == 2 || number == 3 || number == 10;
	case TREE_NODE:
		return number < 2;
	default:
		return number == 0;
	}
}

uint32_t tree_number_next(uint8_t kind, uint32_t from)
{
	for (; from < 20; from++) {
		if (tree_number_exists(kind, from))
			return from;
	}
	return UINT32_MAX;
}

static void write_it(struct text *text, const uint32_t number[TREE_NUMBERS])
{
	(void)text;
	(void)number;
}

#define CPU "/sys/devices/system/cpu/"

const struct tree_entry tree_table[] = {
	{ "/proc/cpuinfo", write_it, { 0 } },
	{ "/proc/self/maps", write_it, { 0 } },
	{ "/proc/self/cgroup", NULL, { 0 } },
	{ "/proc/self/task/%/comm", write_it, { TREE_THREAD } },
	{ CPU "online", write_it, { 0 } },
	{ CPU "cpu%/topology/core_id", write_it, { TREE_CPU } },
	{ CPU "cpu%/topology/die_id", write_it, { TREE_CPU } },
	{ CPU "cpu%/cache/index%/size", write_it, { TREE_CPU, TREE_CACHE } },
	{ "/sys/devices/system/node/node%/distance", write_it, { TREE_NODE } },
};
const unsigned int tree_entries = ARRAY_SIZE(tree_table);

/* ---- */

static enum tree_found found(const char *path)
{
	struct tree_node node;

	tree_find(path, &node);
	return node.found;
}

static void test_files(void)
{
	struct tree_node node;

	is_number(found("/proc/cpuinfo"), TREE_FILE, "a file of ours");
	is_number(found("/proc/uptime"), TREE_OTHER, "one of Linux");
	is_number(found("/proc/cpuinfo2"), TREE_OTHER, "one with a longer name");
	is_number(found("/proc/cpuinf"), TREE_OTHER, "one with a shorter name");
	is_number(found("/etc/passwd"), TREE_OTHER, "one that is far away");
	is_number(found("/proc/self/maps"), TREE_FILE, "/proc/self");
	is_number(found("/proc/4711/maps"), TREE_FILE, "is /proc/ and our number");
	is_number(found("/proc/thread-self/maps"), TREE_FILE, "and /proc/thread-self");
	is_number(found("/proc/4712/maps"), TREE_OTHER, "but not another one's");
	is_number(found("/proc/47110/maps"), TREE_OTHER, "nor one that begins like ours");
	is_number(found("/proc/self"), TREE_OTHER, "the directory is Linux's");
	is_number(found("/proc/self/cgroup"), TREE_ABSENT, "what is hidden is not there");
	is_number(found("//proc///cpuinfo"), TREE_OTHER, "a path that begins otherwise");
	is_number(found("/proc///cpuinfo"), TREE_FILE, "more slashes than needed");
	is_number(found("/proc/./cpuinfo"), TREE_OTHER, "dots are for Linux");
	is_number(found("/sys/devices/system/cpu/../cpu/online"), TREE_OTHER, "two of them too");

	tree_find(CPU "cpu10/cache/index0/size", &node);
	is_number(node.found, TREE_FILE, "a path with two numbers");
	is_number(node.number[0], 10, "the first");
	is_number(node.number[1], 0, "the second");
	ok(node.entry == &tree_table[7], "its entry");
}

static void test_roots(void)
{
	is_number(found("/sys/devices/system/cpu"), TREE_DIRECTORY, "a directory of ours");
	is_number(found("/sys/devices/system/cpu/"), TREE_DIRECTORY, "with a slash behind it");
	is_number(found("/sys/devices/system"), TREE_OTHER, "the one above is Linux's");
	is_number(found("/sys/devices/system/cpufreq"), TREE_OTHER, "one that begins like it");
	is_number(found(CPU "cpu2"), TREE_DIRECTORY, "a CPU's");
	is_number(found(CPU "cpu2/topology"), TREE_DIRECTORY, "what is below it");
	is_number(found(CPU "cpu4"), TREE_ABSENT, "a CPU that is not there");
	is_number(found(CPU "cpu4/topology/core_id"), TREE_ABSENT, "nor its files");
	is_number(found(CPU "cpu02"), TREE_ABSENT, "a number that is not written so");
	is_number(found(CPU "cpu99999999999999999999"), TREE_ABSENT, "one that is too large");
	is_number(found(CPU "cpu"), TREE_ABSENT, "none at all");
	is_number(found(CPU "cpufreq/policy0"), TREE_ABSENT, "what only Linux has there");
	is_number(found("/sys/bus/cpu/devices/cpu3/topology/die_id"), TREE_FILE, "by the other name");
	is_number(found("/sys/bus/node/devices"), TREE_DIRECTORY, "nodes by theirs");
	is_number(found("/proc/self/task/0/comm"), TREE_FILE, "a thread's file");
	is_number(found("/proc/self/task/1"), TREE_ABSENT, "no such thread");
}

static char names[1024];

static void add(const char *name, bool is_directory, void *argument)
{
	char word[200];

	(void)argument;
	snprintf(word, sizeof(word), " %s%s", name, is_directory ? "/" : "");
	if (!strstr(names, word))
		strcat(names, word);
}

static const char *list(const char *path)
{
	struct tree_node node;

	names[0] = '\0';
	tree_find(path, &node);
	tree_for_each(&node, add, NULL);
	return names;
}

static void test_lists(void)
{
	is_text(list("/sys/devices/system/cpu"), " online cpu2/ cpu3/ cpu10/", "CPUs");
	is_text(list(CPU "cpu3"), " topology/ cache/", "a CPU");
	is_text(list(CPU "cpu3/topology"), " core_id die_id", "its topology");
	is_text(list("/sys/bus/cpu/devices/cpu3/cache"), " index0/", "its caches");
	is_text(list(CPU "cpu3/cache/index0"), " size", "a cache");
	is_text(list("/sys/devices/system/node/"), " node0/ node1/", "nodes");
	is_text(list("/proc/self/task"), " 0/", "threads");
}

/* No path, however long, goes beyond its buffer: the sanitizer would say so. */
static void test_long(void)
{
	char path[400] = "/sys/devices/system/cpu/";
	unsigned int i, ours = 0;

	for (i = (unsigned int)strlen(path); i < sizeof(path) - 1; i++) {
		path[i] = i % 7 == 0 ? '/' : 'x';
		path[i + 1] = '\0';
		if (strlen(path) < OWN_PATH_MOST)
			ours += found(path) == TREE_ABSENT;
		else
			ours -= found(path) != TREE_OTHER;
	}
	ok(ours > 50, "long paths are absent, and too long ones Linux's");
}

int main(void)
{
	test_files();
	test_roots();
	test_lists();
	test_long();
	return done();
}
