/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exec_block.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <pisces/channel.h>

#include "hwloc-glue/libpisces.h"
#include "signals.h"

/*
 * What tells a program and its scripts that they are inside: set here and not
 * by a skin, so that it is never set for a program that is not.
 */
#define ENV_ENCLAVE "PISCES_ENCLAVE"
#define ENV_SLURM   "SLURM_ENCLAVE"

/* What a program finds unless its environment says otherwise. */
static const struct {
	const char *name, *value;
} defaults[] = {
	/*
	 * A program of Open MPI that nobody started as one of many begins by starting a daemon
	 * of its own, in case that it spawns others: by fork, which an enclave has not.
	 */
	{ "OMPI_MCA_ess_singleton_isolated", "1" },
	/*
	 * PMIx asks Slurm for what it else reads in memory that Slurm's daemon writes: an enclave
	 * has of a file that it maps what was there then.
	 */
	{ "PMIX_MCA_gds", "hash" },
};
#define DEFAULTS (sizeof(defaults) / sizeof(defaults[0]))

/* Where strings go: beyond the capacity they are only counted. */
struct sink {
	char *at;
	uint64_t used;
	uint64_t capacity;
};

static void put(struct sink *sink, const char *text)
{
	uint64_t size = strlen(text) + 1;

	if (sink->used + size <= sink->capacity)
		memcpy(sink->at + sink->used, text, size);
	sink->used += size;
}

static bool is_variable(const char *entry, const char *name)
{
	size_t length = strlen(name);

	return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

static bool is_left_out(const char *entry)
{
	static const char *const names[] = { PISCES_ENV_FD, PISCES_ENV_PROGRAM, PISCES_ENV_CPUS,
					     PISCES_ENV_IO, PISCES_ENV_STAGE, ENV_ENCLAVE,
					     ENV_SLURM };
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is_variable(entry, names[i]))
			return true;
	return false;
}

static uint32_t put_environment(struct sink *sink, char *const environment[], uint32_t enclave)
{
	bool under_slurm = false, is_set[DEFAULTS] = { false };
	uint32_t count = 0;
	unsigned int i;
	char text[64];

	for (; *environment; environment++) {
		if (is_variable(*environment, "SLURM_JOB_ID"))
			under_slurm = true;
		for (i = 0; i < DEFAULTS; i++)
			is_set[i] = is_set[i] || is_variable(*environment, defaults[i].name);
		if (is_left_out(*environment))
			continue;
		put(sink, *environment);
		count++;
	}
	snprintf(text, sizeof(text), ENV_ENCLAVE "=%u", enclave);
	put(sink, text);
	count++;
	for (i = 0; i < DEFAULTS; i++) {
		if (is_set[i])
			continue;
		snprintf(text, sizeof(text), "%s=%s", defaults[i].name, defaults[i].value);
		put(sink, text);
		count++;
	}
	if (under_slurm) {
		put(sink, ENV_SLURM "=lwk");
		count++;
	}
	return count;
}

static uint16_t put_list(struct sink *sink, const struct stage_list *list)
{
	unsigned int i;

	for (i = 0; i < list->count; i++)
		put(sink, list->paths[i]);
	return (uint16_t)list->count;
}

static uint32_t of_limit(rlim_t limit)
{
	return limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit;
}

static void put_descriptor_limit(struct pisces_exec *block)
{
	struct rlimit files = { RLIM_INFINITY, RLIM_INFINITY };

	getrlimit(RLIMIT_NOFILE, &files);
	block->descriptor_limit = of_limit(files.rlim_cur);
	block->descriptor_most = of_limit(files.rlim_max);
}

int exec_block_write(void *data, uint64_t capacity, const struct program *program,
		     const struct stage *stage, char *const environment[], uint32_t enclave,
		     uint64_t *needed)
{
	struct pisces_exec block = {
		.argc = (uint32_t)program->argc,
		.program_fd = program->fd,
	};
	struct sink sink = {
		.at = data,
		.used = sizeof(block),
		.capacity = capacity,
	};
	struct rlimit stack;
	mode_t mask;
	int i;

	for (i = 0; i < program->argc; i++)
		put(&sink, program->argv[i]);
	block.envc = put_environment(&sink, environment, enclave);
	put(&sink, program->execfn);
	block.io = stage->wanted ? PISCES_IO_STAGED : PISCES_IO_FORWARD;
	block.named = put_list(&sink, &stage->named);
	block.needed = put_list(&sink, &stage->needed);
	put_descriptor_limit(&block);

	*needed = sink.used;
	if (sink.used > capacity || sink.used > UINT32_MAX)
		return -E2BIG;

	mask = umask(0);
	umask(mask);
	block.umask = mask & 0777;
	signals_inherited(&block.ignored, &block.blocked);
	block.stack_limit = getrlimit(RLIMIT_STACK, &stack) == 0 ? stack.rlim_cur : RLIM_INFINITY;
	block.size = (uint32_t)sink.used;
	memcpy(data, &block, sizeof(block));
	return 0;
}
