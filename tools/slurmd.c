/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pisces slurmd: slurmd looks at the node's CPUs once, at its start, and keeps what it saw in
 * a file of its spool directory, which it reads again whenever it is reconfigured. What it saw
 * while an enclave had CPUs is too little: from then on it counts the cores of a step anew from
 * the first ("failed to distribute tasks"), also when the CPUs are back. So a copy of what it
 * saw while none was away is kept, put in the place of one that is too small, and slurmd told
 * to read it.
 */
#include "slurmd-find.h"
#include "tool.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

/* Gone with a reboot, after which the node may be another one. */
#define COPIES "/run/pisces-slurmd"

static const char help[] =
	"usage: pisces slurmd [--daemon=PID] FILE\n"
	"\n"
	"FILE is what slurmd keeps of the node's topology: hwloc_topo_whole.xml in its spool\n"
	"directory. If no enclave has CPUs, keeps a copy of it. If slurmd saw fewer CPUs than there\n"
	"are, puts the copy in its place, and tells the slurmd that PID is, or becomes, to read it.\n"
	"The Slurm plugin runs this when slurmd starts. Safe at any time. Needs root.\n";

/* How many CPUs the file at PATH has: 0 without a file. */
static unsigned int cpus_in(const char *path)
{
	static const char unit[] = "type=\"PU\"";
	FILE *file = fopen(path, "re");
	unsigned int count = 0;
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return 0;
	while (getline(&line, &size, file) > 0) {
		for (const char *at = line; (at = strstr(at, unit)) != NULL; at += sizeof(unit) - 1)
			count++;
	}
	free(line);
	fclose(file);
	return count;
}

static bool failed(const char *path)
{
	fprintf(stderr, "enclave: %s: %s\n", path, strerror(errno));
	return false;
}

/* Copies FROM to TO as a whole or not at all; false after saying why not. */
static bool copy(const char *from, const char *to)
{
	char part[PATH_MAX], piece[65536];
	FILE *in = fopen(from, "re"), *out;
	size_t length;
	bool good;

	if (!in)
		return failed(from);
	snprintf(part, sizeof(part), "%s.%d", to, (int)getpid());
	out = fopen(part, "we");
	if (!out) {
		failed(part);
		fclose(in);
		return false;
	}
	while ((length = fread(piece, 1, sizeof(piece), in)) > 0)
		fwrite(piece, 1, length, out);
	good = !ferror(in) && !ferror(out);
	fclose(in);
	if (fclose(out) == 0 && good && rename(part, to) == 0)
		return true;
	failed(to);
	unlink(part);
	return false;
}

/* The copy of FILE: its path with another letter for slashes. */
static void copy_path(const char *file, char path[PATH_MAX])
{
	size_t at = (size_t)snprintf(path, PATH_MAX, "%s/", COPIES);

	for (; *file && at < PATH_MAX - 1; file++)
		path[at++] = *file == '/' ? '-' : *file;
	path[at] = '\0';
}

/* How many enclaves there are; none without the module. */
static int enclaves(void)
{
	struct pisces_error error;
	struct pisces_info *list;
	int count = pisces_list(&list, &error);

	free(list);
	return count < 0 ? 0 : count;
}

enum change { UNCHANGED, CHANGED, FAILED };

/* Puts FILE right. */
static enum change put_right(const char *file)
{
	unsigned int seen = cpus_in(file), whole;
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	char kept[PATH_MAX];

	copy_path(file, kept);
	if (seen == 0) {
		fprintf(stderr, "enclave: %s does not show CPUs\n", file);
		return FAILED;
	}
	if (seen >= online && enclaves() == 0) {
		if (mkdir(COPIES, 0700) < 0 && errno != EEXIST) {
			failed(COPIES);
			return FAILED;
		}
		return copy(file, kept) ? UNCHANGED : FAILED;
	}
	whole = cpus_in(kept);
	if (whole > seen && whole >= online) {
		printf("enclave: slurmd saw %u CPUs of %u, as enclaves have the others: it is told of them\n",
		       seen, whole);
		return copy(kept, file) ? CHANGED : FAILED;
	}
	if (seen < online) {
		printf("enclave: slurmd saw %u CPUs of %ld: it looks again\n", seen, online);
		if (unlink(file) == 0)
			return CHANGED;
		failed(file);
		return FAILED;
	}
	if (whole == 0)
		printf("enclave: slurmd saw %u CPUs while enclaves had others, and never before all of them: "
		       "restart it when the enclaves are gone\n",
		       seen);
	return UNCHANGED;
}

/* Has slurmd read the file, in a process of its own that nobody waits for. */
static bool reload_later(const struct slurmd_program *program)
{
	pid_t child = fork();

	if (child < 0)
		return failed("fork");
	if (child > 0)
		return true;
	setsid();
	/* Who reads what is said is done when it is closed. */
	if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
		_exit(TOOL_FAILED);
	if (slurmd_reload(program))
		_exit(TOOL_OK);
	syslog(LOG_DAEMON | LOG_ERR, "enclave: no slurmd (%s) was there to be told of all CPUs of the "
	       "node: scontrol reconfigure", program->executable);
	_exit(TOOL_FAILED);
}

/* --daemon, into the pid_t at CONTEXT. */
static bool set_daemon(int option, void *context)
{
	char *end;
	long value = strtol(optarg, &end, 10);

	(void)option;
	if (end == optarg || *end || value < 2 || value > 1 << 22) {
		tool_usage("slurmd", "'%s' is not the number of a process", optarg);
		return false;
	}
	*(pid_t *)context = (pid_t)value;
	return true;
}

int command_slurmd(int argc, char **argv)
{
	static const struct option options[] = {
		{"daemon", required_argument, NULL, 'd'},
		TOOL_OPTION_HELP,
		{0},
	};
	struct tool_arguments arguments = {.help = help, .least = 1, .most = 1, .wanted = "one FILE"};
	struct slurmd_program program;
	enum change change;
	pid_t daemon = 0;
	int code = tool_arguments(argc, argv, ":h", options, &arguments, set_daemon, &daemon);

	if (code >= 0)
		return code;
	if (geteuid() != 0) {
		fprintf(stderr, "enclave: what slurmd keeps of the node is root's\n");
		return TOOL_FAILED;
	}
	/* As long as it is what it is: the process may end when its child is the daemon. */
	if (daemon && !slurmd_program(daemon, &program)) {
		fprintf(stderr, "enclave: process %d cannot be looked at\n", (int)daemon);
		return TOOL_FAILED;
	}
	change = put_right(argv[optind]);
	fflush(stdout);
	if (change == FAILED || (change == CHANGED && daemon && !reload_later(&program)))
		return TOOL_FAILED;
	return TOOL_OK;
}
