/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options, as a table. The grammar of values is libpisces's, so that it is
 * the same for `pisces run`.
 *
 * Callbacks come more than once (from the environment first, then from the
 * command line; in 22.05 twice on the node), so the last one counts.
 */
#include "enclave.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KIND = 0, CPUS, MEM, SMT, NAME, IO, STAGE, OPTIONS, FUTURE = OPTIONS };

struct option {
	const char *request; /* its name in pisces_request_set() */
	const char *variable; /* that says the same in the environment */
	struct spank_option spank;
};

static int on_option(int index, const char *value, int remote);

static struct option options[] = {
	[KIND] = { "kind", "ENCLAVE_KIND", {
		.name = "enclave",
		.arginfo = "KIND",
		.usage = "run the program on cores and memory taken away from Linux, under a "
			 "co-kernel: lwk; or on Linux: none; lwk:none and the like for the components of "
			 "a heterogeneous job",
	} },
	[CPUS] = { "cpus", "ENCLAVE_CPUS", {
		.name = "enclave-cpus",
		.arginfo = "NUMBER",
		.usage = "CPUs of the enclave on each node; the step's others stay with Linux "
			 "(default: all of the step)",
	} },
	[MEM] = { "mem", "ENCLAVE_MEM", {
		.name = "enclave-mem",
		.arginfo = "SIZE",
		.usage = "memory of the enclave on each node, as 512M or 2G (default: the memory "
			 "allocated there)",
	} },
	[SMT] = { "smt", "ENCLAVE_SMT", {
		.name = "enclave-smt",
		.arginfo = "keep|split",
		.usage = "take whole cores (the default), or leave SMT siblings to others",
	} },
	[NAME] = { "name", "ENCLAVE_NAME", {
		.name = "enclave-name",
		.arginfo = "NAME",
		.usage = "its name in `pisces list` on the node (default: a number)",
	} },
	[IO] = { "io", "ENCLAVE_IO", {
		.name = "enclave-io",
		.arginfo = "forward|staged",
		.usage = "do calls on files on Linux as they come (the default), or inside: files "
			 "are copied in before and out after the program",
	} },
	[STAGE] = { "stage", "ENCLAVE_STAGE", {
		.name = "enclave-stage",
		.arginfo = "PATH[,PATH...]",
		.usage = "with --enclave-io=staged: copy these files and directories in",
	} },
	/* Known, so that whoever writes one hears that it was no spelling mistake. */
	[FUTURE] = { "device", "ENCLAVE_DEVICE", { .name = "enclave-device" } },
	{ "image", "ENCLAVE_IMAGE", { .name = "enclave-image" } },
};

#define ALL_OPTIONS ((int)(sizeof(options) / sizeof(options[0])))

/* Longest list of kinds. */
#define KINDS_LEN 256

static struct pisces_request request;
static bool given[ALL_OPTIONS];
static char kinds[KINDS_LEN]; /* as given: one, or a list with colons between */

/* Where options are typed: what they were for the first component of a job, and since. */
static struct {
	unsigned int done;
	char kinds[KINDS_LEN];
	bool had_kinds;
	bool has_kinds;
	bool others; /* some other kind came, even if not as the last one */
} components;
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

char *options_variable(const char *option, char name[OPTION_VARIABLE_LEN])
{
	char *at;

	snprintf(name, OPTION_VARIABLE_LEN, "SLURM_SPANK__SLURM_SPANK_OPTION_enclave_%s", option);
	for (at = name; *at; at++)
		if (!isalnum((unsigned char)*at))
			*at = '_';
	return name;
}

void options_from_environment(void)
{
	int i;

	for (i = 0; i < OPTIONS; i++) {
		const char *value = getenv(options[i].variable);
		char name[OPTION_VARIABLE_LEN];

		if (value)
			setenv(options_variable(options[i].spank.name, name), value, 0);
	}
}

/* The kind at *LIST, which is moved behind it and its colon. False at the end. */
static bool next_kind(const char **list, char *kind, size_t size)
{
	size_t length;

	if (!*list)
		return false;
	length = strcspn(*list, ":");
	snprintf(kind, size, "%.*s", (int)length, *list);
	*list = (*list)[length] == ':' ? *list + length + 1 : NULL;
	return true;
}

static bool is_inherited(const char *value)
{
	char name[OPTION_VARIABLE_LEN];
	const char *inherited = getenv(options_variable(options[KIND].spank.name, name));

	return inherited && strcmp(inherited, value) == 0;
}

/* One kind, or one for each component of a heterogeneous job, of which the first is kept. */
static int set_kinds(const char *value, struct pisces_error *error)
{
	struct pisces_request checked = request;
	char kind[KINDS_LEN];
	const char *at = value;

	if (strlen(value) >= KINDS_LEN) {
		snprintf(error->text, sizeof(error->text), "more kinds than a job has components");
		return -1;
	}
	while (next_kind(&at, kind, sizeof(kind)))
		if (pisces_request_set(&checked, "kind", kind, error) != 0)
			return -1;
	at = value;
	next_kind(&at, kind, sizeof(kind));
	strcpy(kinds, value);
	components.has_kinds = true;
	if (components.done > 0 && strcmp(value, components.kinds) != 0 && !is_inherited(value))
		components.others = true;
	return pisces_request_set(&request, "kind", kind, error);
}

static int set(int index, const char *value, struct pisces_error *error)
{
	return index == KIND ? set_kinds(value, error) :
			       pisces_request_set(&request, options[index].request, value, error);
}

static int on_option(int index, const char *value, int remote)
{
	struct pisces_error error;

	if (index < 0 || index >= ALL_OPTIONS)
		return HOOK_FAILED;
	/* Some versions pass nothing for an empty value, some "". */
	if (!value)
		value = "";
	if (set(index, value, &error) != 0) {
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
	struct pisces_request each;
	struct pisces_error error;
	char kind[KINDS_LEN];
	const char *at = kinds;

	if (error_here.text[0] != '\0')
		return true;
	pisces_request_init(&each);
	while (given[KIND] && next_kind(&at, kind, sizeof(kind)))
		if (pisces_request_set(&each, "kind", kind, &error) == 0 &&
		    each.kind != PISCES_KIND_NONE)
			return true;
	return false;
}

bool options_kind_given(void)
{
	return given[KIND];
}

bool options_are_by_component(void)
{
	return strchr(kinds, ':') != NULL;
}

int options_choose(int component, struct pisces_error *error)
{
	char kind[KINDS_LEN];
	const char *at = kinds;
	int i;

	if (component < 0) {
		snprintf(error->text, sizeof(error->text),
			 "--enclave=%.100s has a kind for each component of a heterogeneous job, and "
			 "this job is none: name one kind", kinds);
		return -1;
	}
	for (i = 0; i <= component; i++) {
		if (next_kind(&at, kind, sizeof(kind)))
			continue;
		snprintf(error->text, sizeof(error->text),
			 "--enclave=%.100s has no kind for component %d of the job (they are counted "
			 "from 0): name one more", kinds, component);
		return -1;
	}
	return pisces_request_set(&request, "kind", kind, error);
}

bool options_agree(void)
{
	bool agree = true;

	if (components.done++ == 0) {
		strcpy(components.kinds, kinds);
		components.had_kinds = components.has_kinds;
	} else {
		agree = !components.others && strcmp(kinds, components.kinds) == 0 &&
			(components.has_kinds == components.had_kinds || options_are_by_component());
	}
	components.has_kinds = components.others = false;
	return agree;
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
