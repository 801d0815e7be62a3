/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of a command line: NAME or NAME=VALUE, between blanks. */
#ifndef CK_BOOT_OPTION_H
#define CK_BOOT_OPTION_H

#include "lib/types.h"

/*
 * Copies the value of the first NAME in LINE, cut to SIZE - 1 characters ("" for a
 * bare NAME), and returns VALUE; NULL if there is none.
 */
const char *option_find(const char *line, const char *name, char *value, size_t size);

#endif
