/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is this node ready? One finding a line, each with the line that repairs it. */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void pisces_report(struct pisces_report *report, enum pisces_verdict verdict, const char *what,
		   const char *remedy, const char *format, ...)
{
	struct pisces_check *check;
	va_list args;

	if (report->count >= report->capacity)
		return;
	check = &report->checks[report->count++];
	check->verdict = verdict;
	check->what = what;
	snprintf(check->remedy, sizeof(check->remedy), "%s", remedy);
	va_start(args, format);
	vsnprintf(check->finding, sizeof(check->finding), format, args);
	va_end(args);
}

unsigned int pisces_doctor(struct pisces_check *checks, unsigned int capacity)
{
	struct pisces_report report = {.checks = checks, .capacity = capacity};

	pisces_check_software(&report);
	pisces_check_node(&report);
	pisces_check_boot(&report);
	pisces_check_slurm(&report);
	return report.count;
}
