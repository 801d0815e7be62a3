/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the sub-commands of pisces(1) share. Each is a function in a file of its
 * own that gets its arguments as main() does and returns the exit code.
 */
#ifndef PISCES_TOOL_H
#define PISCES_TOOL_H

#include "libpisces.h"

#include <getopt.h>

enum {
	TOOL_OK = 0,
	TOOL_FAILED = 1,
	TOOL_USAGE = 2, /* the command line was wrong */
};

int command_console(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_dump(int argc, char **argv);
int command_draw(int argc, char **argv);
int command_list(int argc, char **argv);
int command_plan(int argc, char **argv);
int command_reclaim(int argc, char **argv);
int command_resize(int argc, char **argv);
int command_run(int argc, char **argv);
int command_slurmd(int argc, char **argv);
int command_stat(int argc, char **argv);
int command_top(int argc, char **argv);

/* Says on stderr what is wrong with the command line of `pisces COMMAND`. Returns TOOL_USAGE. */
__attribute__((format(printf, 2, 3))) int tool_usage(const char *command, const char *format, ...);

/* Says on stderr why it failed. Returns TOOL_FAILED. */
int tool_failed(const struct pisces_error *error);

/*
 * getopt_long(3) without its own messages: for what it does not know, says so for
 * `pisces COMMAND` and returns '?'.
 */
int tool_option(const char *command, int argc, char **argv, const char *letters,
		const struct option *options);

/* What the command line of most commands may have, besides options of their own. */
struct tool_arguments {
	const char *help;
	unsigned int least, most; /* arguments that are no options */
	const char *wanted;	  /* "one enclave, by number or name", for a message; may be NULL */
	bool json;		  /* out: --json was given; it is in the command's own table */
};

#define TOOL_ONE_ENCLAVE "one enclave, by number or name"

#define TOOL_OPTION_JSON {"json", no_argument, NULL, 'j'}
#define TOOL_OPTION_HELP {"help", no_argument, NULL, 'h'}

/*
 * Reads a command line: what is not --json or --help goes to SET (may be NULL),
 * which returns false after saying what is wrong. Returns -1 to go on, with optind at the first
 * argument that is no option; else the exit code.
 */
int tool_arguments(int argc, char **argv, const char *letters, const struct option *options,
		   struct tool_arguments *arguments, bool (*set)(int option, void *context),
		   void *context);

/* A SET for a command with one option more: that it was given, in the bool at CONTEXT. */
bool tool_set_flag(int option, void *context);

/* The same for a command that knows --json and --help alone, and no other argument. */
int tool_only_json(int argc, char **argv, const char *help, bool *json);

/*
 * Options of the request and the allocation, the same in `pisces run` and `pisces
 * plan`: a table's entries, their help, and what sets them. Returns 1 if it was one
 * of these, 0 if not, -1 after saying what is wrong with it.
 */
#define TOOL_REQUEST_OPTIONS                                                                       \
	{"cpus", required_argument, NULL, 'c'}, {"cpu-list", required_argument, NULL, 'l'},        \
		{"mem", required_argument, NULL, 'm'},                                             \
		{"mem-way", required_argument, NULL, 'w'},                                         \
		{"smt", required_argument, NULL, 's'}, {"name", required_argument, NULL, 'n'}

#define TOOL_REQUEST_HELP                                                                          \
	"  --cpus=N          CPUs of the enclave (default: all but CPU 0)\n"                       \
	"  --cpu-list=LIST   take these CPUs, or --cpus of these; by Linux's numbers\n"            \
	"  --mem=SIZE        its memory, as 512M or 1.5G (default: the CPUs' share of their\n"     \
	"                    NUMA nodes, at most half of what is free there)\n"                    \
	"  --mem-way=WAY     how it is taken: contig, block or remove (default: the module's\n"    \
	"                    parameter memory_way)\n"                                              \
	"  --smt=keep|split  take whole cores, so CPUs more if need be (the default), or\n"        \
	"                    leave SMT siblings to others\n"                                       \
	"  --name=NAME       its name in pisces list (default: its number)\n"

int tool_request_option(const char *command, int option, struct pisces_request *request,
			struct pisces_allocation *allocation);

/* Sets OPTION of the request as pisces_request_set() does; false after saying why not. */
bool tool_request(const char *command, struct pisces_request *request, const char *option,
		  const char *value);

/* Reads a list of CPUs, not empty; false after saying why not. */
bool tool_cpu_list(const char *command, const char *list, struct pisces_cpuset *cpus);

const char *tool_enclave_state(uint32_t state);
const char *tool_cpu_state(uint32_t state);

/* "12.0", or "-" without a job. Returns TEXT. */
char *tool_job(const struct pisces_info *info, char *text, size_t size);

/* The name of user UID, or the number. Returns TEXT. */
char *tool_user(uint32_t uid, char *text, size_t size);

/* "1d02h", "3h05m", "4m07s", "12s". Returns TEXT. */
char *tool_age(uint64_t ns, char *text, size_t size);

#endif
