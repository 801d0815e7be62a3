/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the sub-commands share: messages, options, words for numbers. */
#include "tool.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int tool_usage(const char *command, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "pisces %s: ", command);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, " (pisces %s --help)\n", command);
	return TOOL_USAGE;
}

int tool_failed(const struct pisces_error *error)
{
	fprintf(stderr, "enclave: %s\n", error->text);
	return TOOL_FAILED;
}

int tool_option(const char *command, int argc, char **argv, const char *letters,
		const struct option *options)
{
	int option, index = optind;

	opterr = 0;
	option = getopt_long(argc, argv, letters, options, NULL);
	if (option == ':') {
		tool_usage(command, "%s needs a value", argv[optind > index ? optind - 1 : index]);
		return '?';
	}
	if (option == '?') {
		if (optopt > 0 && optopt < 128 && strchr(letters, optopt) == NULL)
			tool_usage(command, "there is no option -%c", optopt);
		else
			tool_usage(command, "%s is not an option, or not used like this",
				   argv[optind > index ? optind - 1 : index]);
	}
	return option;
}

int tool_arguments(int argc, char **argv, const char *letters, const struct option *options,
		   struct tool_arguments *arguments, bool (*set)(int option, void *context),
		   void *context)
{
	unsigned int count;
	int option;

	while ((option = tool_option(argv[0], argc, argv, letters, options)) != -1) {
		if (option == 'h') {
			fputs(arguments->help, stdout);
			return TOOL_OK;
		}
		if (option == 'j')
			arguments->json = true;
		else if (option == '?' || !set || !set(option, context))
			return TOOL_USAGE;
	}
	count = (unsigned int)(argc - optind);
	if (count >= arguments->least && count <= arguments->most)
		return -1;
	if (arguments->wanted)
		return tool_usage(argv[0], "takes %s", arguments->wanted);
	return tool_usage(argv[0], "takes no argument '%s'", argv[optind]);
}

bool tool_set_flag(int option, void *context)
{
	(void)option;
	*(bool *)context = true;
	return true;
}

int tool_only_json(int argc, char **argv, const char *help, bool *json)
{
	static const struct option options[] = {TOOL_OPTION_JSON, TOOL_OPTION_HELP, {0}};
	struct tool_arguments arguments = {.help = help};
	int code = tool_arguments(argc, argv, ":h", options, &arguments, NULL, NULL);

	*json = arguments.json;
	return code;
}

int tool_request_option(const char *command, int option, struct pisces_request *request,
			struct pisces_allocation *allocation)
{
	static const char *const names[128] = {
		['c'] = "cpus", ['m'] = "mem", ['w'] = "mem-way", ['s'] = "smt", ['n'] = "name",
	};

	if (option == 'l')
		return tool_cpu_list(command, optarg, &allocation->cpus) ? 1 : -1;
	if (option < 0 || option >= 128 || !names[option])
		return 0;
	return tool_request(command, request, names[option], optarg) ? 1 : -1;
}

bool tool_request(const char *command, struct pisces_request *request, const char *option,
		  const char *value)
{
	struct pisces_error error;

	if (pisces_request_set(request, option, value, &error) == 0)
		return true;
	tool_usage(command, "%s", error.text);
	return false;
}

bool tool_cpu_list(const char *command, const char *list, struct pisces_cpuset *cpus)
{
	if (pisces_cpuset_parse(list, cpus) == 0)
		return true;
	tool_usage(command, "'%s' is not a list of CPUs below %u, as 2-3,7", list, PISCES_MAX_CPUS);
	return false;
}

const char *tool_enclave_state(uint32_t state)
{
	switch (state) {
	case PISCES_ENCLAVE_NEW:
		return "new";
	case PISCES_ENCLAVE_BOOTING:
		return "booting";
	case PISCES_ENCLAVE_RUNNING:
		return "running";
	case PISCES_ENCLAVE_DEAD:
		return "dead";
	case PISCES_ENCLAVE_ENDING:
		return "ending";
	case PISCES_ENCLAVE_GONE:
		return "gone";
	default:
		return "unknown";
	}
}

const char *tool_cpu_state(uint32_t state)
{
	static const char *const names[] = {
		[PISCES_CPU_ABSENT] = "absent", [PISCES_CPU_ARRIVED] = "arrived",
		[PISCES_CPU_IDLE] = "idle",	[PISCES_CPU_USER] = "user",
		[PISCES_CPU_KERNEL] = "kernel", [PISCES_CPU_PARKED] = "parked",
	};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

char *tool_job(const struct pisces_info *info, char *text, size_t size)
{
	if (info->job)
		snprintf(text, size, "%" PRIu32 ".%" PRIu32, info->job, info->step);
	else
		snprintf(text, size, "-");
	return text;
}

char *tool_user(uint32_t uid, char *text, size_t size)
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(text, size, "%s", user->pw_name);
	else
		snprintf(text, size, "%" PRIu32, uid);
	return text;
}

char *tool_age(uint64_t ns, char *text, size_t size)
{
	uint64_t seconds = ns / 1000000000u;
	uint64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;

	if (days)
		snprintf(text, size, "%" PRIu64 "d%02" PRIu64 "h", days, hours % 24);
	else if (hours)
		snprintf(text, size, "%" PRIu64 "h%02" PRIu64 "m", hours, minutes % 60);
	else if (minutes)
		snprintf(text, size, "%" PRIu64 "m%02" PRIu64 "s", minutes, seconds % 60);
	else
		snprintf(text, size, "%" PRIu64 "s", seconds);
	return text;
}
