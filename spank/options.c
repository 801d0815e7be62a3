/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options, as a table. The grammar of values is libpisces's, so that it is
 * the same for `pisces run`.
 *
 * Callbacks come more than once (from the environment first, then from the
 * command line; in 22.05 twice on the node), so the last one counts.
 */
#include "enclave.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KIND = 0, MEM, SMT, NAME, IO, STAGE, OPTIONS, FUTURE = OPTIONS };

struct option {
	const char *request; /* its name in pisces_request_set() */
	struct spank_option spank;
};

static int on_option(int index, const char *value, int remote);

static struct option options[] = {
	[KIND] = { "kind", {
		.name = "enclave",
		.arginfo = "KIND",
		.usage = "run the program on cores and memory taken away from Linux, under a "
			 "co-kernel: lwk; or on Linux: none",
	} },
	[MEM] = { "mem", {
		.name = "enclave-mem",
		.arginfo = "SIZE",
		.usage = "memory of the enclave on each node, as 512M or 2G (default: the memory "
			 "allocated there)",
	} },
	[SMT] = { "smt", {
		.name = "enclave-smt",
		.arginfo = "keep|split",
		.usage = "take whole cores (the default), or leave SMT siblings to others",
	} },
	[NAME] = { "name", {
		.name = "enclave-name",
		.arginfo = "NAME",
		.usage = "its name in `pisces list` on the node (default: a number)",
	} },
	[IO] = { "io", {
		.name = "enclave-io",
		.arginfo = "forward|staged",
		.usage = "do calls on files on Linux as they come (the default), or inside: files "
			 "are copied in before and out after the program",
	} },
	[STAGE] = { "stage", {
		.name = "enclave-stage",
		.arginfo = "PATH[,PATH...]",
		.usage = "with --enclave-io=staged: copy these files and directories in",
	} },
	/* Known, so that whoever writes one hears that it was no spelling mistake. */
	[FUTURE] = { "device", { .name = "enclave-device" } },
	{ "image", { .name = "enclave-image" } },
};

#define ALL_OPTIONS ((int)(sizeof(options) / sizeof(options[0])))

static struct pisces_request request;
static bool given[ALL_OPTIONS];
static struct pisces_error error_here;

/*
 * Slurm lists every registered option in its help, and there is no other way to
 * answer for one than to register it. So those that do not work yet are
 * registered only when no help was asked for.
 */
static bool is_help_wanted(void)
{
	char words[4096];
	size_t size, at;
	FILE *file = fopen("/proc/self/cmdline", "re");
	bool found = false;

	if (!file)
		return false;
	size = fread(words, 1, sizeof(words) - 1, file);
	words[size] = '\0';
	fclose(file);
	for (at = 0; at < size; at += strlen(words + at) + 1)
		if (strcmp(words + at, "--help") == 0 || strcmp(words + at, "-h") == 0)
			found = true;
	return found;
}

int options_register(spank_t spank)
{
	int count = is_help_wanted() ? FUTURE : ALL_OPTIONS;
	int i;

	pisces_request_init(&request);
	request.kind = PISCES_KIND_NONE;
	request.image = plugin_args.image;
	if (plugin_args.append)
		snprintf(request.cmdline, sizeof(request.cmdline), "%s", plugin_args.append);
	for (i = 0; i < count; i++) {
		struct spank_option *option = &options[i].spank;

		option->has_arg = 1;
		option->val = i;
		option->cb = on_option;
		if (i >= FUTURE) {
			option->arginfo = "...";
			option->usage = "not in this release";
		}
		if (spank_option_register(spank, option) != ESPANK_SUCCESS) {
			slurm_error("enclave: Slurm does not take the option --%s", option->name);
			return HOOK_FAILED;
		}
	}
	return 0;
}

static int on_option(int index, const char *value, int remote)
{
	struct pisces_error error;

	if (index < 0 || index >= ALL_OPTIONS)
		return HOOK_FAILED;
	/* Some versions pass nothing for an empty value, some "". */
	if (!value)
		value = "";
	if (pisces_request_set(&request, options[index].request, value, &error) != 0) {
		if (remote)
			snprintf(error_here.text, sizeof(error_here.text), "--%s: %.400s",
				 options[index].spank.name, error.text);
		else
			slurm_error("enclave: --%s: %s", options[index].spank.name, error.text);
		return HOOK_FAILED;
	}
	given[index] = true;
	return 0;
}

bool options_wanted(void)
{
	return (given[KIND] && request.kind != PISCES_KIND_NONE) || error_here.text[0] != '\0';
}

bool options_kind_given(void)
{
	return given[KIND];
}

const char *options_other_given(void)
{
	int i;

	for (i = KIND + 1; i < ALL_OPTIONS; i++)
		if (given[i])
			return options[i].spank.name;
	return NULL;
}

const struct pisces_request *options_request(void)
{
	return &request;
}

const char *options_error(void)
{
	return error_here.text;
}
