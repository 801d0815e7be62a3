/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enclave.h"

#include <stdio.h>
#include <string.h>

struct plugin_args plugin_args;

static void wrong(const char *format, const char *what)
{
	if (plugin_args.error.text[0] == '\0')
		snprintf(plugin_args.error.text, sizeof(plugin_args.error.text), format, what);
}

static const char *path(const char *value)
{
	if (value[0] != '/')
		wrong("plugstack.conf: '%.200s' is not an absolute path", value);
	return value;
}

static const char *command_line(const char *value)
{
	if (strlen(value) >= PISCES_CMDLINE_LEN)
		wrong("plugstack.conf: append=%.40s... is too long for a co-kernel's command line",
		      value);
	return value;
}

void args_parse(int count, char *words[])
{
	struct pisces_error error;
	int i;

	plugin_args = (struct plugin_args){ .proxy = pisces_proxy_path() };

	for (i = 0; i < count; i++) {
		const char *word = words[i];

		if (strncmp(word, "proxy=", 6) == 0) {
			plugin_args.proxy = path(word + 6);
		} else if (strncmp(word, "image=", 6) == 0) {
			plugin_args.image = path(word + 6);
		} else if (strncmp(word, "append=", 7) == 0) {
			plugin_args.append = command_line(word + 7);
		} else if (strncmp(word, "default_mem=", 12) == 0) {
			if (pisces_size_parse(word + 12, &plugin_args.default_mem, &error) != 0)
				wrong("plugstack.conf: default_mem: %.300s", error.text);
		} else {
			wrong("plugstack.conf: '%.100s' is no argument of enclave.so; these are: "
			      "proxy=PATH image=PATH append=TEXT default_mem=SIZE", word);
		}
	}
}
