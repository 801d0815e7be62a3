/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of Slurm, read from its files and asked of scontrol: whether enclaves
 * are on offer, and whether Slurm's accounts stay right while CPUs are away.
 */
#include "internal.h"

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Files that include files that include files: further nobody goes on purpose. */
#define INCLUDE_DEPTH 4

/* The value of KEY in LINE, "Key=value ...", copied to VALUE; false if it is not there. */
static bool line_value(const char *line, const char *key, char *value, size_t size)
{
	size_t length = strlen(key);

	for (const char *at = line; *at; at++) {
		if ((at == line || isspace((unsigned char)at[-1])) &&
		    strncasecmp(at, key, length) == 0 && at[length] == '=') {
			at += length + 1;
			snprintf(value, size, "%.*s", (int)strcspn(at, " \t\n"), at);
			return true;
		}
	}
	return false;
}

static bool file_value(const char *path, const char *key, char *value, size_t size)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	bool found = false;
	size_t room = 0;

	if (!file)
		return false;
	while (!found && getline(&line, &room, file) > 0) {
		line[strcspn(line, "#")] = '\0'; /* a comment */
		found = line_value(line, key, value, size);
	}
	free(line);
	fclose(file);
	return found;
}

static bool find_slurm_conf(char *path, size_t size)
{
	const char *places[] = {
		getenv("SLURM_CONF"), PISCES_SYSCONF_DIR "/slurm/slurm.conf",
		"/etc/slurm/slurm.conf",
		"/run/slurm/conf/slurm.conf", /* a node that gets it from slurmctld */
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (places[i] && access(places[i], R_OK) == 0) {
			snprintf(path, size, "%s", places[i]);
			return true;
		}
	}
	return false;
}

/*
 * Does the plugstack file at PATH, or one that it includes, load enclave.so? Then also
 * whether Slurm goes on without it.
 */
static bool plugstack_has_enclave(const char *path, int depth, bool *optional)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	bool found = false;
	size_t room = 0;

	if (!file)
		return false;
	while (!found && getline(&line, &room, file) > 0) {
		char word[64] = "", rest[256] = "";
		glob_t match = {0};

		if (sscanf(line, " %63s %255s", word, rest) != 2 || word[0] == '#')
			continue;
		if (strcasecmp(word, "required") == 0 || strcasecmp(word, "optional") == 0) {
			const char *name = strrchr(rest, '/');

			found = strcmp(name ? name + 1 : rest, "enclave.so") == 0;
			*optional = found && strcasecmp(word, "optional") == 0;
		} else if (strcasecmp(word, "include") == 0 && depth < INCLUDE_DEPTH) {
			if (glob(rest, 0, NULL, &match) == 0) {
				for (size_t i = 0; !found && i < match.gl_pathc; i++)
					found = plugstack_has_enclave(match.gl_pathv[i], depth + 1,
								      optional);
			}
			globfree(&match);
		}
	}
	free(line);
	fclose(file);
	return found;
}

static void check_plugin(struct pisces_report *report, const char *conf)
{
	char directory[256], plugstack[256], plugin[300], remedy[300];
	bool optional = false;
	char *slash;

	snprintf(plugstack, sizeof(plugstack), "%s", conf);
	slash = strrchr(plugstack, '/');
	snprintf(slash ? slash + 1 : plugstack,
		 sizeof(plugstack) - (slash ? (size_t)(slash + 1 - plugstack) : 0),
		 "plugstack.conf");
	file_value(conf, "PlugStackConfig", plugstack, sizeof(plugstack));
	if (!file_value(conf, "PluginDir", directory, sizeof(directory)))
		snprintf(directory, sizeof(directory), "%s", PISCES_SLURM_PLUGIN_DIR);
	directory[strcspn(directory, ":")] = '\0';
	snprintf(plugin, sizeof(plugin), "%s/enclave.so", directory);

	if (!plugstack_has_enclave(plugstack, 0, &optional)) {
		snprintf(remedy, sizeof(remedy), "echo 'required enclave.so' >> %.200s", plugstack);
		pisces_report(report, PISCES_CHECK_BAD, "Slurm plugin", remedy,
			      "%.180s does not load enclave.so: srun has no --enclave", plugstack);
	} else if (access(plugin, R_OK) != 0) {
		pisces_report(report, PISCES_CHECK_BAD, "Slurm plugin",
			      "./configure --with-slurm-plugindir=(PluginDir of slurm.conf) && "
			      "make install",
			      "%.200s is not there, and slurmd does not start without it", plugin);
	} else if (optional) {
		pisces_report(report, PISCES_CHECK_ADVICE, "Slurm plugin", "required enclave.so",
			      "%.100s loads enclave.so as 'optional': if it fails, programs run on "
			      "Linux instead", plugstack);
	} else {
		pisces_report(report, PISCES_CHECK_OK, "Slurm plugin", "",
			      "%.180s loads enclave.so, which is there", plugstack);
	}
}

/*
 * The line in which "scontrol -o show node" describes this node. False if there is
 * no answer, within seconds.
 */
static bool ask_scontrol(char *line, size_t size)
{
	FILE *answer = popen("timeout 10 scontrol -o show node 2>/dev/null", "re");
	char host[256], name[256], *text = NULL;
	bool found = false;
	size_t room = 0;

	if (!answer)
		return false;
	snprintf(host, sizeof(host), "%s", pisces_node_name());
	host[strcspn(host, ".")] = '\0';
	while (getline(&text, &room, answer) > 0) {
		if (found || !line_value(text, "NodeHostName", name, sizeof(name)))
			continue;
		name[strcspn(name, ".")] = '\0';
		found = strcmp(name, host) == 0;
		if (found)
			snprintf(line, size, "%s", text);
	}
	free(text);
	pclose(answer);
	return found;
}

static void check_cpu_0(struct pisces_report *report, const char *conf)
{
	char line[4096], value[128] = "", count[32] = "";
	struct pisces_cpuset reserved = {0};
	bool asked = ask_scontrol(line, sizeof(line));
	bool has_0;

	if (asked) {
		has_0 = line_value(line, "CPUSpecList", value, sizeof(value)) &&
			pisces_cpuset_parse(value, &reserved) == 0 &&
			pisces_cpuset_has(&reserved, 0);
	} else {
		/* slurmctld does not answer: any node of the file that does so will do. */
		has_0 = file_value(conf, "CpuSpecList", value, sizeof(value)) ||
			file_value(conf, "CoreSpecCount", count, sizeof(count));
	}
	if (has_0)
		pisces_report(report, PISCES_CHECK_OK, "CPU 0", "", "%s keeps jobs off it",
			      asked ? "Slurm" : "slurm.conf (slurmctld was not asked)");
	else
		pisces_report(report, PISCES_CHECK_ADVICE, "CPU 0",
			      "CpuSpecList=0 in the NodeName line of slurm.conf",
			      "Slurm may give it to a job, whose enclave then lacks a CPU: Linux "
			      "keeps CPU 0");
}

static void check_restart(struct pisces_report *report, const char *conf)
{
	char value[256] = "";

	if (file_value(conf, "SlurmdParameters", value, sizeof(value)) &&
	    strcasestr(value, "config_overrides"))
		pisces_report(report, PISCES_CHECK_OK, "restart of slurmd", "",
			      "config_overrides: the node stays up if CPUs are away then");
	else
		pisces_report(report, PISCES_CHECK_ADVICE, "restart of slurmd",
			      "SlurmdParameters=config_overrides in slurm.conf",
			      "if slurmd is restarted while CPUs are away, Slurm drains the node");
}

/* A line of configuration that is recommended. */
struct line {
	const char *what;
	const char *file; /* beside slurm.conf */
	const char *key;
	const char *word;  /* that is in its value */
	bool by_default;   /* also if the line is not there */
	const char *good;  /* what it is good for */
	const char *bad;   /* what happens without it */
	const char *remedy;
};

static const struct line lines[] = {
	{ "step's CPUs", "cgroup.conf", "ConstrainCores", "yes", false,
	  "a step cannot leave its CPUs, and its enclave takes just these",
	  "programs of other jobs may be on the CPUs that an enclave takes",
	  "ConstrainCores=yes in cgroup.conf" },
	{ "step's memory", "cgroup.conf", "ConstrainRAMSpace", "yes", false,
	  "an enclave does not take more than its step has",
	  "programs of other jobs may use the memory that was meant for an enclave",
	  "ConstrainRAMSpace=yes in cgroup.conf" },
	{ "confinement", "slurm.conf", "TaskPlugin", "cgroup", false,
	  "task/cgroup makes a cgroup for each step",
	  "without task/cgroup what cgroup.conf says is not done",
	  "TaskPlugin=task/cgroup,task/affinity in slurm.conf" },
	{ "tracking", "slurm.conf", "ProctrackType", "cgroup", true,
	  "Slurm finds all processes of a step by its cgroup",
	  "a process that has left its parent may outlive its step",
	  "ProctrackType=proctrack/cgroup in slurm.conf" },
	{ "memory of jobs", "slurm.conf", "SelectTypeParameters", "memory", false,
	  "Slurm allocates memory, and an enclave takes what was allocated",
	  "Slurm does not allocate memory: an enclave takes a share of what is free, or default_mem",
	  "SelectTypeParameters=CR_Core_Memory in slurm.conf" },
};

static void check_lines(struct pisces_report *report, const char *conf)
{
	const char *slash = strrchr(conf, '/');
	int directory = slash ? (int)(slash + 1 - conf) : 0;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const struct line *line = &lines[i];
		char path[300], value[256] = "";
		bool is_there, good;

		if (strcmp(line->file, "slurm.conf") == 0)
			snprintf(path, sizeof(path), "%s", conf);
		else
			snprintf(path, sizeof(path), "%.*s%s", directory, conf, line->file);
		is_there = file_value(path, line->key, value, sizeof(value));
		good = is_there ? strcasestr(value, line->word) != NULL : line->by_default;
		pisces_report(report, good ? PISCES_CHECK_OK : PISCES_CHECK_ADVICE, line->what,
			      good ? "" : line->remedy, "%s", good ? line->good : line->bad);
	}
}

void pisces_check_slurm(struct pisces_report *report)
{
	char conf[256];

	if (!find_slurm_conf(conf, sizeof(conf))) {
		pisces_report(report, PISCES_CHECK_OK, "Slurm", "",
			      "no slurm.conf here: pisces run works without Slurm");
		return;
	}
	check_plugin(report, conf);
	check_cpu_0(report, conf);
	check_restart(report, conf);
	check_lines(report, conf);
}
