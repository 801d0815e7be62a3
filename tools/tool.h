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
int command_list(int argc, char **argv);
int command_plan(int argc, char **argv);
int command_reclaim(int argc, char **argv);
int command_resize(int argc, char **argv);
int command_run(int argc, char **argv);
int command_stat(int argc, char **argv);

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

/* Sets OPTION of the request as pisces_request_set() does; false after saying why not. */
bool tool_request(const char *command, struct pisces_request *request, const char *option,
		  const char *value);

/* Reads a list of CPUs, not empty; false after saying why not. */
bool tool_cpu_list(const char *command, const char *list, struct pisces_cpuset *cpus);

const char *tool_enclave_state(uint32_t state);

/* "12.0", or "-" without a job. Returns TEXT. */
char *tool_job(const struct pisces_info *info, char *text, size_t size);

/* The name of user UID, or the number. Returns TEXT. */
char *tool_user(uint32_t uid, char *text, size_t size);

/* "1d02h", "3h05m", "4m07s", "12s". Returns TEXT. */
char *tool_age(uint64_t ns, char *text, size_t size);

#endif
