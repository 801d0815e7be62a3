/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of what the kernel was booted with, and of programs that are of help. */
#include "internal.h"
#include "topology.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Words of the kernel command line; a word that ends in '=' stands for any value. */
static const struct {
	const char *what;
	const char *words[4];
	const char *buys;
	const char *remedy;
} helpful[] = {
	{"boot: memory",
	 {"movablecore=", "kernelcore=", "movable_node"},
	 "memory that Linux can always free, so that large enclaves are there hours after the boot",
	 "movablecore=50% (about what enclaves get at most) on the kernel command line"},
	{"boot: interrupts",
	 {"irqaffinity="},
	 "no interrupt of a device on CPUs that enclaves take, so that none has to move when they "
	 "do",
	 "irqaffinity=0 (the CPUs that stay with Linux) on the kernel command line"},
	{"boot: memory back",
	 {"memhp_default_state=online_movable"},
	 "memory of the ways block and remove comes back such that it can be taken again",
	 "memhp_default_state=online_movable on the kernel command line, if these ways are used"},
};

/* The word of LINE that begins as WORD does, or is it, in FOUND. */
static bool find_word(const char *line, const char *word, char *found, size_t size)
{
	size_t length = strlen(word);
	bool any_value = word[length - 1] == '=';

	while (*line) {
		size_t end = strcspn(line, " \n");

		if (strncmp(line, word, length) == 0 && (any_value ? end > length : end == length)) {
			snprintf(found, size, "%.*s", (int)end, line);
			return true;
		}
		line += end + strspn(line + end, " \n");
	}
	return false;
}

static void check_words(struct pisces_report *report)
{
	char line[4096], found[64];

	if (pisces_read_text("/proc/cmdline", line, sizeof(line)) < 0)
		return;
	for (size_t i = 0; i < sizeof(helpful) / sizeof(helpful[0]); i++) {
		bool there = false;

		for (int j = 0; j < 4 && helpful[i].words[j] && !there; j++)
			there = find_word(line, helpful[i].words[j], found, sizeof(found));
		if (there)
			pisces_report(report, PISCES_CHECK_OK, helpful[i].what, "", "%s buys: %s",
				      found, helpful[i].buys);
		else
			pisces_report(report, PISCES_CHECK_ADVICE, helpful[i].what,
				      helpful[i].remedy, "not booted for: %s", helpful[i].buys);
	}
}

/*
 * Linux stops its own CPUs before it boots a crash kernel, and those of enclaves are
 * not among them: the module stops these when it is told of a panic, which by default
 * comes after the crash kernel.
 */
static void check_kdump(struct pisces_report *report)
{
	char text[16];

	if (pisces_read_text("/sys/kernel/kexec_crash_loaded", text, sizeof(text)) < 0 ||
	    text[0] != '1') {
		pisces_report(report, PISCES_CHECK_OK, "kdump", "",
			      "no crash kernel that could meet running enclaves");
		return;
	}
	if (pisces_read_text("/sys/module/kernel/parameters/crash_kexec_post_notifiers", text,
			     sizeof(text)) == 0 &&
	    text[0] == 'Y')
		pisces_report(report, PISCES_CHECK_OK, "kdump", "",
			      "enclaves are stopped before the crash kernel starts");
	else
		pisces_report(report, PISCES_CHECK_ADVICE, "kdump",
			      "crash_kexec_post_notifiers on the kernel command line, or echo Y > "
			      "/sys/module/kernel/parameters/crash_kexec_post_notifiers",
			      "after a panic the crash kernel starts while enclaves still run");
}

/* Linux cannot take a part of such a page out of its map (see kmod/block-take.c). */
static void check_direct_map(struct pisces_report *report)
{
	char text[8192];

	if (pisces_read_text("/proc/meminfo", text, sizeof(text)) < 0)
		return;
	if (pisces_meminfo_bytes(text, "DirectMap1G:"))
		pisces_report(report, PISCES_CHECK_ADVICE, "boot: way remove",
			      "nogbpages on the kernel command line, if that way is used",
			      "Linux maps memory by pages of 1 GiB, of which it cannot remove parts");
	else
		pisces_report(report, PISCES_CHECK_OK, "boot: way remove", "",
			      "Linux maps no memory by pages of 1 GiB: blocks of it can be removed");
}

/* Is PROGRAM in a directory of PATH? */
static bool is_in_path(const char *program)
{
	const char *path = getenv("PATH");
	char name[512];

	while (path && *path) {
		size_t length = strcspn(path, ":");

		snprintf(name, sizeof(name), "%.*s/%s", (int)length, path, program);
		if (access(name, X_OK) == 0)
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}

static void check_lstopo(struct pisces_report *report)
{
	if (is_in_path("lstopo") || is_in_path("lstopo-no-graphics"))
		pisces_report(report, PISCES_CHECK_OK, "drawings", "",
			      "lstopo is here for pisces draw");
	else
		pisces_report(report, PISCES_CHECK_ADVICE, "drawings",
			      "apt-get install hwloc-nox (hwloc for .png)",
			      "pisces draw needs hwloc's lstopo, which is not here");
}

void pisces_check_boot(struct pisces_report *report)
{
	check_words(report);
	check_direct_map(report);
	check_kdump(report);
	check_lstopo(report);
}
