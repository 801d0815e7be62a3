/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces doctor: is this node ready? */
#include "json.h"
#include "tool.h"

#include <stdio.h>

static const char help[] =
	"usage: pisces doctor [--json]\n"
	"\n"
	"Checks whether this node is ready for enclaves. One line for each check: ok,\n"
	"advice (works, could work better) or BAD (does not work); below it, behind '->',\n"
	"the line that repairs it. The exit code is 0 if nothing is BAD, else 1.\n"
	"\n"
	"  --json    the same for programs\n";

#define CHECKS_MAX 64

static const char *word(enum pisces_verdict verdict)
{
	switch (verdict) {
	case PISCES_CHECK_OK:
		return "ok";
	case PISCES_CHECK_ADVICE:
		return "advice";
	default:
		return "BAD";
	}
}

int command_doctor(int argc, char **argv)
{
	struct pisces_check checks[CHECKS_MAX];
	struct json json = {0};
	unsigned int count, bad = 0;
	bool as_json;
	int code;

	code = tool_only_json(argc, argv, help, &as_json);
	if (code >= 0)
		return code;

	count = pisces_doctor(checks, CHECKS_MAX);
	if (as_json)
		json_begin(&json, NULL, '[');
	for (unsigned int i = 0; i < count; i++) {
		const struct pisces_check *check = &checks[i];

		bad += check->verdict == PISCES_CHECK_BAD;
		if (as_json) {
			json_begin(&json, NULL, '{');
			json_text(&json, "verdict", word(check->verdict));
			json_text(&json, "what", check->what);
			json_text(&json, "finding", check->finding);
			json_text(&json, "remedy", check->remedy);
			json_end(&json, '}');
			continue;
		}
		printf("%-7s %-18s %s\n", word(check->verdict), check->what, check->finding);
		if (check->remedy[0])
			printf("%-7s %-18s -> %s\n", "", "", check->remedy);
	}
	if (as_json)
		json_end(&json, ']');
	else if (bad)
		printf("\nThis node is not ready for enclaves: %u of %u checks are BAD.\n", bad,
		       count);
	else
		printf("\nThis node is ready for enclaves.\n");
	return bad ? TOOL_FAILED : TOOL_OK;
}
