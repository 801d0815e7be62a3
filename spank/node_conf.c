/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In slurmd: what slurm.conf(5) says of its node. */
#include "enclave.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Some versions declare functions in it that our warnings refuse. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <slurm/slurm.h>
#pragma GCC diagnostic pop

/* In all of Slurm's programs: slurm.conf. Not part of the SPANK interface: may be missing. */
extern slurm_conf_t slurm_conf __attribute__((weak));

/*
 * The specialized cores of a node: a list that is the caller's, and their number. Returns 0 if
 * the node is known. The same holds for it; 24.11 has none.
 */
extern int slurm_conf_get_res_spec_info(const char *node, char **cpu_list, uint16_t *cores,
					uint64_t *memory) __attribute__((weak));

/* The host's name up to the first dot. False if it has none. */
static bool own_host(char host[HOST_NAME_MAX + 1])
{
	if (gethostname(host, HOST_NAME_MAX + 1) < 0)
		return false;
	host[strcspn(host, ".")] = '\0';
	return true;
}

/* This slurmd's name of its node: behind -N, or the host's. */
static void own_node(const char *host, char name[HOST_NAME_MAX + 1])
{
	char text[4096], *word, *end;
	FILE *file = fopen("/proc/self/cmdline", "re");
	size_t length = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	if (file)
		fclose(file);
	text[length] = '\0';
	snprintf(name, HOST_NAME_MAX + 1, "%s", host);
	end = text + length;
	for (word = text; word < end; word += strlen(word) + 1) {
		const char *given = word + 2;

		if (strncmp(word, "-N", 2) != 0)
			continue;
		if (!*given)
			given += given + 1 < end;
		if (*given)
			snprintf(name, HOST_NAME_MAX + 1, "%s", given);
	}
}

/* Puts WORD at *AT of TEXT, whose size is PATH_MAX. */
static void append(char *text, size_t *at, const char *word)
{
	while (*word && *at < PATH_MAX - 1)
		text[(*at)++] = *word++;
	text[*at] = '\0';
}

bool conf_spool_file(const char *name, char path[PATH_MAX])
{
	char host[HOST_NAME_MAX + 1], node[HOST_NAME_MAX + 1];
	const char *from = &slurm_conf ? slurm_conf.slurmd_spooldir : NULL;
	size_t at = 0;

	if (!from || !own_host(host))
		return false;
	own_node(host, node);
	while (*from) {
		char letter[2] = {*from, '\0'};
		const char *word = letter;

		if (from[0] == '%' && (from[1] == 'n' || from[1] == 'h'))
			word = *++from == 'n' ? node : host;
		append(path, &at, word);
		from++;
	}
	append(path, &at, "/");
	append(path, &at, name);
	return true;
}

bool conf_knows_no_specialized_core(void)
{
	char host[HOST_NAME_MAX + 1], node[HOST_NAME_MAX + 1];
	/* Slurm's to free, by a function that is not for plugins: it stays, once per slurmd. */
	char *cpus = NULL;
	uint16_t cores = 0;

	if (!slurm_conf_get_res_spec_info || !own_host(host))
		return false;
	own_node(host, node);
	return slurm_conf_get_res_spec_info(node, &cpus, &cores, NULL) == 0 && !cpus && cores == 0;
}
