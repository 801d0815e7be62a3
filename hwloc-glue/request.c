/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The request: what a user writes, option by option. */
#include "internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pisces/build_id.h>

void pisces_request_init(struct pisces_request *request)
{
	memset(request, 0, sizeof(*request));
	request->kind = PISCES_KIND_LWK;
	request->way = PISCES_WAY_DEFAULT;
}

static int set_kind(struct pisces_request *request, const char *value, struct pisces_error *error)
{
	if (strcmp(value, "lwk") == 0)
		request->kind = PISCES_KIND_LWK;
	else if (strcmp(value, "none") == 0)
		request->kind = PISCES_KIND_NONE;
	else if (strcmp(value, "vm") == 0)
		return pisces_fail(error,
				   "enclaves of kind 'vm' are not in this release (%s): use lwk, "
				   "or none to run on Linux",
				   PISCES_VERSION_STRING);
	else
		return pisces_fail(
			error,
			"there is no kind of enclave '%.64s': use lwk, or none to run on Linux",
			value);
	return 0;
}

static int set_cpus(struct pisces_request *request, const char *value, struct pisces_error *error)
{
	unsigned long cpus = 0;
	const char *at = value;

	for (; isdigit((unsigned char)*at) && cpus <= PISCES_MAX_CPUS; at++)
		cpus = cpus * 10 + (unsigned long)(*at - '0');
	if (at == value || (*at != '\0' && !isdigit((unsigned char)*at)))
		return pisces_fail(error, "'%.64s' is not a number of CPUs: use 1 to %u", value,
				   PISCES_MAX_CPUS);
	if (cpus == 0 || cpus > PISCES_MAX_CPUS)
		return pisces_fail(error, "an enclave has 1 to %u CPUs, not %.64s", PISCES_MAX_CPUS,
				   value);
	request->cpus = (unsigned int)cpus;
	return 0;
}

static int set_mem(struct pisces_request *request, const char *value, struct pisces_error *error)
{
	return pisces_size_parse(value, &request->memory, error);
}

static int set_smt(struct pisces_request *request, const char *value, struct pisces_error *error)
{
	if (strcmp(value, "keep") != 0 && strcmp(value, "split") != 0)
		return pisces_fail(error,
				   "SMT siblings are kept together or split, not '%.64s': use keep "
				   "or split",
				   value);
	request->split_cores = value[0] == 's';
	return 0;
}

int pisces_way_parse(const char *name)
{
	static const char *const names[] = {
		[PISCES_MEMORY_CONTIG] = "contig",
		[PISCES_MEMORY_BLOCK] = "block",
		[PISCES_MEMORY_REMOVE] = "remove",
	};

	for (int way = 0; way <= PISCES_MEMORY_REMOVE; way++) {
		if (strcmp(name, names[way]) == 0)
			return way;
	}
	return -1;
}

static int set_way(struct pisces_request *request, const char *value, struct pisces_error *error)
{
	int way = pisces_way_parse(value);

	if (way < 0)
		return pisces_fail(error,
				   "there is no way '%.64s' to take memory: use contig, block or "
				   "remove",
				   value);
	request->way = way;
	return 0;
}

static int set_name(struct pisces_request *request, const char *value, struct pisces_error *error)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";
	size_t length = strlen(value);

	if (length == 0 || length >= PISCES_NAME_LEN)
		return pisces_fail(error, "the name of an enclave has 1 to %u characters, not %zu",
				   PISCES_NAME_LEN - 1, length);
	if (strspn(value, allowed) != length)
		return pisces_fail(
			error,
			"'%s' cannot be the name of an enclave: use letters, digits and . _ : -",
			value);
	/* It would be taken for the number of another enclave. */
	if (strspn(value, "0123456789") == length)
		return pisces_fail(error,
				   "'%s' cannot be the name of an enclave, since it is a number: "
				   "put a letter into it",
				   value);
	memcpy(request->name, value, length + 1);
	return 0;
}

static int set_cmdline(struct pisces_request *request, const char *value,
		       struct pisces_error *error)
{
	size_t length = strlen(value);

	if (length >= PISCES_CMDLINE_LEN)
		return pisces_fail(
			error, "the co-kernel's command line has at most %u characters, not %zu",
			PISCES_CMDLINE_LEN - 1, length);
	for (const char *at = value; *at; at++) {
		if (!isprint((unsigned char)*at))
			return pisces_fail(error,
					   "the co-kernel's command line has a character of code "
					   "%d: use printable ASCII",
					   (unsigned char)*at);
	}
	memcpy(request->cmdline, value, length + 1);
	return 0;
}

static int set_io(struct pisces_request *request, const char *value, struct pisces_error *error)
{
	if (strcmp(value, "forward") == 0)
		request->io = PISCES_IO_FORWARD;
	else if (strcmp(value, "staged") == 0)
		request->io = PISCES_IO_STAGED;
	else
		return pisces_fail(error,
				   "files are forwarded or staged, not '%.64s': use forward or staged",
				   value);
	return 0;
}

/* Each time replaces what was said before: srun reads its options more than once. */
static int set_stage(struct pisces_request *request, const char *value,
		     struct pisces_error *error)
{
	size_t length = strlen(value);
	const char *at;

	if (length >= PISCES_STAGE_LEN)
		return pisces_fail(error,
				   "the list of paths to stage has at most %u characters, not %zu: "
				   "name a directory that they are in",
				   PISCES_STAGE_LEN - 1, length);
	for (at = value; *at; at++) {
		if (iscntrl((unsigned char)*at))
			return pisces_fail(error, "a path to stage has a control character of code "
						  "%d: rename it", (unsigned char)*at);
		if (*at == ',' && (at == value || at[1] == ',' || at[1] == '\0'))
			return pisces_fail(error, "there is an empty path in '%.200s': put one "
						  "comma between two paths", value);
	}
	if (length == 0)
		return pisces_fail(error, "the path to stage is empty: name a file or a directory");
	memcpy(request->stage, value, length + 1);
	return 0;
}

static const struct {
	const char *name;
	int (*set)(struct pisces_request *request, const char *value, struct pisces_error *error);
} options[] = {
	{"kind", set_kind},
	{"cpus", set_cpus},
	{"smt", set_smt},
	{"mem", set_mem},
	{"mem-way", set_way},
	{"name", set_name},
	{"cmdline", set_cmdline},
	{"io", set_io},
	{"stage", set_stage},
	/* Known, so that the user hears that it was not a spelling mistake. */
	{"device", NULL},
	{"image", NULL},
};

int pisces_request_set(struct pisces_request *request, const char *option, const char *value,
		       struct pisces_error *error)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (strcmp(option, options[i].name) != 0)
			continue;
		if (!options[i].set)
			return pisces_fail(
				error, "the option '%s' is not in this release (%s): leave it out",
				option, PISCES_VERSION_STRING);
		/* sbatch cuts its lines at this character: it must mean nothing anywhere. */
		if (strchr(value, '#'))
			return pisces_fail(error,
					   "the value of '%s' has a '#', which sbatch would cut "
					   "off: leave it out",
					   option);
		return options[i].set(request, value, error);
	}
	return pisces_fail(
		error,
		"there is no option '%.64s': there are kind, cpus, smt, mem, mem-way, name, "
		"cmdline, io and stage",
		option);
}

int pisces_request_check(const struct pisces_request *request, struct pisces_error *error)
{
	if (request->stage[0] && request->io != PISCES_IO_STAGED)
		return pisces_fail(error,
				   "paths to stage are only for staged I/O: add 'io=staged', or leave "
				   "'stage' out");
	return 0;
}
